# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /srv/volume
    echo 'tmpfs /srv/volume tmpfs rw,size=4m 0 0' >/etc/fstab
    mount /srv/volume
    mount -o remount,ro /srv/volume
    ! touch /srv/volume/probe 2>/dev/null || exit 93
}
check_repaired() {
    touch /srv/volume/probe
}
check_restored() {
    ! touch /srv/volume/probe 2>/dev/null || exit 93
}
