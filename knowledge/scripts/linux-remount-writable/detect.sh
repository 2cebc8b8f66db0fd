#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-remount-writable, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Prints how many errors the kernel has counted on the file system of the device $1.
count_errors() {
    local device
    device=$(basename -- "$(readlink -f -- "$1" 2>/dev/null || printf '%s' "$1")")
    { cat "/sys/fs/ext4/$device/errors_count" 2>/dev/null || echo 0; } | tr -dc 0-9
}

state_directory=${EUCORA_STATE_DIR:?}

found=$(read_only_mounts)
if [[ -z $found ]]; then
    echo "every file system that should be writable is"
    exit 1
fi
while read -r mount source; do
    errors=$(count_errors "$source")
    ((errors == 0)) || fail "$mount has $errors file system errors: have the disk checked"
done <<<"$found"
printf 'read-only:\n%s\n' "$found"
