#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-restart-audio, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the state letter of process $1, or nothing when it is gone.
process_state() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    echo "${line%% *}"
}

# Prints the sound services that are stopped (T) or in uninterruptible sleep (D) twice in a row.
hung_servers() {
    local pid
    for pid in $(pgrep -x 'pipewire|pipewire-pulse|wireplumber|pulseaudio' || true); do
        [[ $(process_state "$pid") == [TtD] ]] || continue
        sleep 0.5
        [[ $(process_state "$pid") != [TtD] ]] || printf '%s\n' "$pid"
    done
}

# Prints the process files of PulseAudio whose process is gone.
stale_process_files() {
    local file pid
    for file in /run/user/*/pulse/pid; do
        [[ -f $file && ! -L $file ]] || continue
        pid=$(tr -dc '0-9' <"$file")
        [[ -n $pid && -d /proc/$pid ]] || printf '%s\n' "$file"
    done
}

servers=$(hung_servers)
files=$(stale_process_files)
echo "hung sound services: ${servers:-none}; stale process files: ${files:-none}"
[[ -n $servers || -n $files ]] || exit 1
