#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clear-temporary-files, remediate: repairs the fault; running it twice is harmless.
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

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    [[ -e $1 && $(realpath -e -- "$1") == "$1" ]]
}

# Prints how full the file system is that people can use, as df shows it.
used_percent() {
    df --output=pcent -- "$mount" | tail -n 1 | tr -dc '0-9'
}

# Prints the inode number of each file that a process has open.
open_inodes() {
    find /proc/[0-9]*/fd -maxdepth 1 -type l -print0 2>/dev/null |
        xargs -0 -r stat -L -c '%F %i' 2>/dev/null | sed -n 's/^regular.* //p' | sort -u || true
}

# Applies the find actions $@ to each file that may be deleted.
for_temporary_files() {
    local place inode condition places=(tmp var/tmp cache var/cache) logs=(log logs var/log)
    condition=(-type f -not -name lock -not -path "${TMPDIR:-/nonexistent}/*"
        -not -path "${EUCORA_STATE_DIR:-/nonexistent}/*")
    ((age_minutes == 0)) || condition+=(-mmin "+$age_minutes")
    while IFS= read -r inode; do condition+=(-not -inum "$inode"); done < <(open_inodes)
    if [[ $mount == / ]]; then
        places=(tmp var/tmp var/crash var/cache/apt/archives)
    fi
    for place in "${places[@]}"; do
        place=${mount%/}/$place
        [[ -d $place ]] && is_plain_path "$place" || continue
        find -P "$place" -xdev "${condition[@]}" "$@"
    done
    for place in "${logs[@]}"; do
        place=${mount%/}/$place
        [[ -d $place ]] && is_plain_path "$place" || continue
        find -P "$place" -xdev -regextype posix-extended "${condition[@]}" \
            -regex '.*(\.log|syslog|messages)[.-][0-9]+(\.(gz|xz|zst|bz2))?' "$@"
    done
    [[ $mount != / ]] || return 0
    find -P "$mount" -xdev -maxdepth 4 "${condition[@]}" -name '*.tmp' "$@"
}

mount=${EUCORA_PARAM_MOUNT-}
age_minutes=${EUCORA_PARAM_AGE_MINUTES-0}
minimum_used_percent=${EUCORA_PARAM_MINIMUM_USED_PERCENT-80}
[[ $mount =~ ^/[A-Za-z0-9._+@/\ -]{0,200}$ && $mount != *..* ]] || fail "parameter mount is malformed"
require_integer age_minutes "$age_minutes" 0 525600
require_integer minimum_used_percent "$minimum_used_percent" 1 100
mountpoint -q -- "$mount" || fail "$mount is not a mount point"
is_plain_path "$mount" || fail "$mount leads over a symbolic link"
# On the system disk a young file is probably in use.
if [[ $mount == / ]] && ((age_minutes < 60)); then age_minutes=60; fi

before=$(used_percent)
count=$(for_temporary_files -printf . | wc -c)
# find deletes by directory handle: a directory swapped for a link meanwhile leads nowhere.
for_temporary_files -delete
echo "deleted $count files: $mount was $before % full and is $(used_percent) % full"
