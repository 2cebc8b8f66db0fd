# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /etc/keys
    echo secret >/etc/keys/volume.key
    chmod 644 /etc/keys/volume.key
    echo 'volume UUID=0123 /etc/keys/volume.key luks' >/etc/crypttab
    chmod 600 /etc/crypttab
}
check_repaired() {
    same "$(stat -c %a /etc/keys/volume.key)" 600
}
check_restored() {
    same "$(stat -c %a /etc/keys/volume.key)" 644
}
