# SPDX-License-Identifier: Apache-2.0
break_device() {
    own_daemon chrony
}
check_repaired() {
    service chrony status
}
check_restored() {
    ! service chrony status || exit 93
}
