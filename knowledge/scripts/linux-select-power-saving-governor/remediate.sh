#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-select-power-saving-governor, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the frequency controls that could use the governor and do not.
other_policies() {
    local folder
    for folder in /sys/devices/system/cpu/cpufreq/policy*; do
        [[ -r $folder/scaling_governor ]] || continue
        [[ " $(<"$folder/scaling_available_governors") " == *" $governor "* ]] || continue
        [[ $(<"$folder/scaling_governor") == "$governor" ]] || printf '%s\n' "$folder"
    done
}

governor=${EUCORA_PARAM_GOVERNOR-powersave}
case $governor in
    powersave | schedutil | conservative) ;;
    *) fail "parameter governor is not one of the choices" ;;
esac
state_directory=${EUCORA_STATE_DIR:?}

while IFS= read -r folder; do
    printf '%s %s\n' "$folder" "$(<"$folder/scaling_governor")" >>"$state_directory/governors"
    echo "$governor" >"$folder/scaling_governor"
    echo "${folder##*/}: $governor"
done < <(other_policies)
