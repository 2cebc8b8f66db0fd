#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-trim-logon-files, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Prints the home directories of people and of the account that runs this script.
home_directories() {
    local directory
    {
        getent passwd | awk -F: '$3 >= 1000 && $3 < 60000 { print $6 }'
        printf '%s\n' "${HOME:-/root}"
    } | sort -u | while IFS= read -r directory; do
        if [[ $directory == /?* && -d $directory && ! -L $directory ]]; then
            printf '%s\n' "$directory"
        fi
    done
}

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    [[ -e $1 && $(realpath -e -- "$1") == "$1" ]]
}

# Prints the size of the tree $1 in whole MiB, rounded down.
size_mebibytes() {
    local size
    size=$(du -sk -- "$1" 2>/dev/null | cut -f1) || true
    echo $((${size:-0} / 1024))
}

# Prints, NUL-separated, the session logs and saved sessions that are too large.
heavy_entries() {
    local home name
    while IFS= read -r home; do
        for name in .xsession-errors .xsession-errors.old .cache/sessions .cache/gnome-session; do
            [[ -e $home/$name ]] && is_plain_path "$home/$name" || continue
            (($(size_mebibytes "$home/$name") < limit_mebibytes)) || printf '%s\0' "$home/$name"
        done
    done < <(home_directories)
}

limit_mebibytes=${EUCORA_PARAM_LIMIT_MEBIBYTES-50}
require_integer limit_mebibytes "$limit_mebibytes" 1 10000
state_directory=${EUCORA_STATE_DIR:?}

count=$(heavy_entries | tr -dc '\0' | wc -c)
echo "$count session files hold $limit_mebibytes MiB or more"
((count > 0)) || exit 1
