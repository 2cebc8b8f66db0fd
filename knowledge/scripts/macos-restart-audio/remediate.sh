#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-restart-audio, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
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

names=(coreaudiod)

hung_processes "${names[@]}" | while IFS= read -r pid; do
    kill -KILL "$pid"
    echo "ended $pid; launchd starts it again"
done
