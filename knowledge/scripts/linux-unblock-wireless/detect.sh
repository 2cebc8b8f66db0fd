#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-unblock-wireless, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the control folder of each wireless LAN or mobile adapter.
adapters() {
    local folder
    for folder in /sys/class/rfkill/rfkill*; do
        [[ -r $folder/type ]] || continue
        case $(<"$folder/type") in
            wlan | wwan) printf '%s\n' "$folder" ;;
        esac
    done
}

# Prints the control folders of the adapters that software blocks.
blocked_adapters() {
    local folder
    while IFS= read -r folder; do
        [[ $(<"$folder/soft") != 1 ]] || printf '%s\n' "$folder"
    done < <(adapters)
}

state_directory=${EUCORA_STATE_DIR:?}

while IFS= read -r folder; do
    [[ $(<"$folder/hard") != 1 ]] || fail "$(<"$folder/name") is switched off by a hardware switch"
done < <(adapters)
blocked=$(blocked_adapters)
if [[ -z $blocked ]]; then
    echo "no wireless adapter is blocked"
    exit 1
fi
printf 'blocked:\n%s\n' "$blocked"
