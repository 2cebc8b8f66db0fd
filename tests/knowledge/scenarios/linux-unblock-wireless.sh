# SPDX-License-Identifier: Apache-2.0
# The kernel's wireless switches cannot be made here; files of the same names and values stand in.
break_device() {
    mount -t tmpfs tmpfs /sys/class
    for number in 0 1; do
        mkdir -p "/sys/class/rfkill/rfkill$number"
        echo 0 >"/sys/class/rfkill/rfkill$number/hard"
        echo 1 >"/sys/class/rfkill/rfkill$number/soft"
        echo "adapter$number" >"/sys/class/rfkill/rfkill$number/name"
    done
    echo wlan >/sys/class/rfkill/rfkill0/type
    echo bluetooth >/sys/class/rfkill/rfkill1/type
}
check_repaired() {
    same "$(cat /sys/class/rfkill/rfkill0/soft /sys/class/rfkill/rfkill1/soft | tr '\n' ' ')" '0 1 '
}
check_restored() {
    same "$(cat /sys/class/rfkill/rfkill0/soft)" 1
}
check_refusals() {
    echo 1 >/sys/class/rfkill/rfkill0/hard
    step detect 2
}
