# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /home/tester/.cache/gimp /home/tester/.cache/other
    echo bad >/home/tester/.cache/gimp/state
    echo good >/home/tester/.cache/other/state
    parameter application_name Gimp
}
check_repaired() {
    [[ ! -e /home/tester/.cache/gimp && -e /home/tester/.cache/other/state ]]
}
check_restored() {
    same "$(cat /home/tester/.cache/gimp/state)" bad
}
