#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-remount-writable, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints "mount source" of each file system that should be writable and is not.
read_only_mounts() {
    local source mount kind options rest current
    while read -r source mount kind options rest; do
        [[ $source != \#* && $mount == /* && ,$options, != *,ro,* && $kind != swap ]] || continue
        current=$(findmnt --noheadings --first-only --output OPTIONS --mountpoint "$mount" || true)
        [[ ,$current, == *,ro,* ]] || continue
        printf '%s %s\n' "$mount" "$(findmnt --noheadings --first-only --output SOURCE --mountpoint "$mount")"
    done </etc/fstab
}

state_directory=${EUCORA_STATE_DIR:?}

found=$(read_only_mounts)
[[ -z $found ]] || fail "still read-only: $found"
[[ ! -f $state_directory/mounts ]] || while IFS= read -r mount; do
    probe=$(mktemp -- "$mount/.eucora-probe.XXXXXX")
    rm -f -- "$probe"
done <"$state_directory/mounts"
echo "every file system that should be writable is"
