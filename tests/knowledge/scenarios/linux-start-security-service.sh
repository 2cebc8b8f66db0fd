# SPDX-License-Identifier: Apache-2.0
break_device() {
    own_daemon clamav-daemon
    echo 999999 >/run/clamav-daemon.pid
}
check_repaired() {
    service clamav-daemon status
}
