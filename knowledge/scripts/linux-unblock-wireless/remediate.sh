#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-unblock-wireless, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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
    printf '%s\n' "$folder" >>"$state_directory/unblocked"
    echo 0 >"$folder/soft"
    echo "unblocked $(<"$folder/name")"
done < <(blocked_adapters)
