# SPDX-License-Identifier: Apache-2.0
# A virtual machine has no frequency control; files of the same names and values stand in.
break_device() {
    mount -t tmpfs tmpfs /sys/devices/system/cpu
    for number in 0 1; do
        mkdir -p "/sys/devices/system/cpu/cpufreq/policy$number"
        echo performance >"/sys/devices/system/cpu/cpufreq/policy$number/scaling_governor"
    done
    echo 'performance powersave' >/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors
    echo 'performance' >/sys/devices/system/cpu/cpufreq/policy1/scaling_available_governors
}
check_repaired() {
    same "$(cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | tr '\n' ' ')" 'powersave performance '
}
check_restored() {
    same "$(cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor)" performance
}
