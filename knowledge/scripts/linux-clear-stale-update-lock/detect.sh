#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clear-stale-update-lock, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# Prints the processor time of process $1 in clock ticks, or nothing when it is gone.
process_ticks() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    set -- $line
    echo $((${12} + ${13}))
}

# Prints the share of one core, in whole percent, that process $1 uses over one second.
cpu_percent() {
    local before after started ended ticks_per_second
    ticks_per_second=$(getconf CLK_TCK)
    started=${EPOCHREALTIME//[!0-9]/}
    before=$(process_ticks "$1")
    sleep 1
    after=$(process_ticks "$1")
    ended=${EPOCHREALTIME//[!0-9]/}
    if [[ -z $before || -z $after ]]; then
        echo 0
    else
        echo $(((after - before) * 100 * 1000000 / ticks_per_second / (ended - started)))
    fi
}

# Prints the processes that hold a lock of dpkg or apt.
lock_holders() {
    local inode file
    for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
        [[ -f $file ]] || continue
        inode=$(stat -c %i -- "$file")
        awk -v inode="$inode" '$2 != "->" && $5 > 0 { n = split($6, part, ":"); if (part[n] == inode) print $5 }' /proc/locks
    done | sort -un
}

# Prints the package managers among them that are old enough and idle.
hung_holders() {
    local pid name age
    for pid in $(lock_holders); do
        name=$(cat "/proc/$pid/comm" 2>/dev/null || true)
        case $name in
            apt | apt-get | aptitude | dpkg | unattended-upgr* | packagekitd | synaptic | apt.systemd.dai*) ;;
            *) continue ;;
        esac
        age=$(ps -o etimes= -p "$pid" | tr -d ' ' || true)
        [[ -n $age ]] && ((age >= age_minutes * 60)) || continue
        (($(cpu_percent "$pid") >= 2)) || printf '%s\n' "$pid"
    done
}

age_minutes=${EUCORA_PARAM_AGE_MINUTES-60}
require_integer age_minutes "$age_minutes" 0 10080

found=$(hung_holders)
if [[ -z $found ]]; then
    echo "no hung update holds the package lock"
    exit 1
fi
printf 'hung updates: %s\n' "${found//$'\n'/ }"
