# SPDX-License-Identifier: Apache-2.0
break_device() {
    whole=$(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)
    echo 'torn' >/etc/ssl/certs/ca-certificates.crt
}
check_repaired() {
    same "$(grep -c BEGIN /etc/ssl/certs/ca-certificates.crt)" "$whole"
}
check_restored() {
    same "$(cat /etc/ssl/certs/ca-certificates.crt)" torn
}
