# SPDX-License-Identifier: Apache-2.0
break_device() {
    head -c 2000000 /dev/zero >/home/tester/.xsession-errors
    mkdir -p /home/tester/.cache/sessions
    echo small >/home/tester/.cache/sessions/one
    parameter limit_mebibytes 1
}
check_repaired() {
    [[ ! -e /home/tester/.xsession-errors && -e /home/tester/.cache/sessions/one ]]
}
check_restored() {
    same "$(stat -c %s /home/tester/.xsession-errors)" 2000000
}
