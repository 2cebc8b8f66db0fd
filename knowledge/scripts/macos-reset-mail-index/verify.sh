#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-mail-index, verify: exit 0 when the repair holds on this device.
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

# Prints, NUL-separated, the mail indexes that are damaged or too large.
found_entries() {
    local home file
    home_directories | while IFS= read -r home; do
        [[ -d $home/Library/Mail ]] || continue
        find -P -x "$home/Library/Mail" -maxdepth 3 -type f -name 'Envelope Index' -print0 2>/dev/null |
            while IFS= read -r -d '' file; do
                if [[ $(head -c 15 "$file" | tr -d '\0') != 'SQLite format 3' ]] ||
                    (($(size_mebibytes "$file") >= maximum_mebibytes)); then
                    printf '%s\0' "$file"
                fi
            done
    done
}

state_directory=${EUCORA_STATE_DIR:?}
maximum_mebibytes=${EUCORA_PARAM_MAXIMUM_MEBIBYTES-4096}
require_integer maximum_mebibytes "$maximum_mebibytes" 1 100000

count=$(found_entries | count_entries)
((count == 0)) || fail "$count entries are left"
echo "nothing is left to set aside"
