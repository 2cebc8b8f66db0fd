#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-restart-sync-client, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the processes named $@ that are stopped or uninterruptible twice in a row.
hung_processes() {
    local name pid
    for name in "$@"; do
        { pgrep -x "$name" || true; } | while IFS= read -r pid; do
            [[ $(ps -o state= -p "$pid" 2>/dev/null) == [TU]* ]] || continue
            sleep 1
            [[ $(ps -o state= -p "$pid" 2>/dev/null) == [TU]* ]] || continue
            printf '%s\n' "$pid"
        done
    done
}

names=(bird cloudd fileproviderd OneDrive Dropbox)

sleep 2
found=$(hung_processes "${names[@]}")
[[ -z $found ]] || fail "still hangs: $found"
echo "none of ${names[*]} hangs"
