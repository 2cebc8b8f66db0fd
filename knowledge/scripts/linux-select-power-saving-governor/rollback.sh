#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-select-power-saving-governor, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

governor=${EUCORA_PARAM_GOVERNOR-powersave}
case $governor in
    powersave | schedutil | conservative) ;;
    *) fail "parameter governor is not one of the choices" ;;
esac
state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/governors ]] || exit 0
while read -r folder before; do
    [[ $folder == /sys/devices/system/cpu/cpufreq/policy* && -w $folder/scaling_governor ]] || continue
    echo "$before" >"$folder/scaling_governor"
    echo "${folder##*/}: $before again"
done <"$state_directory/governors"
rm -f -- "$state_directory/governors"
