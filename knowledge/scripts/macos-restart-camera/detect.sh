#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-restart-camera, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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

names=(VDCAssistant AppleCameraAssistant UVCAssistant)

found=$(hung_processes "${names[@]}")
if [[ -z $found ]]; then
    echo "none of ${names[*]} hangs"
    exit 1
fi
printf 'hangs: %s\n' "$found"
