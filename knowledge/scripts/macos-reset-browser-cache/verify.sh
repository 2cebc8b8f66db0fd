#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-browser-cache, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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
        dscl . -list /Users UniqueID | awk '$2 >= 500 && $2 < 60000 { print "/Users/" $1 }'
        printf '%s\n' "${HOME:-/var/root}"
    } | sort -u | while IFS= read -r directory; do
        if [[ -d $directory && ! -L $directory ]]; then
            printf '%s\n' "$directory"
        fi
    done
}

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    local parent
    [[ -e $1 && ! -L $1 ]] || return 1
    parent=$(dirname "$1")
    [[ $(cd "$parent" && pwd -P) == "$parent" ]]
}

# Prints the size of the tree $1 in whole MiB, rounded down.
size_mebibytes() {
    local size
    size=$(du -sk "$1" 2>/dev/null | cut -f1) || true
    echo $((${size:-0} / 1024))
}

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
}

# Prints, NUL-separated, the cache folders that are too large.
found_entries() {
    local home name
    home_directories | while IFS= read -r home; do
        for name in com.apple.Safari Google/Chrome Firefox/Profiles "Microsoft Edge"; do
            is_plain_path "$home/Library/Caches/$name" || continue
            (($(size_mebibytes "$home/Library/Caches/$name") < maximum_mebibytes)) || printf '%s\0' "$home/Library/Caches/$name"
        done
    done
}

state_directory=${EUCORA_STATE_DIR:?}
maximum_mebibytes=${EUCORA_PARAM_MAXIMUM_MEBIBYTES-2048}
require_integer maximum_mebibytes "$maximum_mebibytes" 1 100000

count=$(found_entries | count_entries)
((count == 0)) || fail "$count entries are left"
echo "nothing is left to set aside"
