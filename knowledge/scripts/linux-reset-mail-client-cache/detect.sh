#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-reset-mail-client-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Prints, NUL-separated, the index files that are damaged or too large.
broken_indexes() {
    local home file
    while IFS= read -r home; do
        [[ -d $home/.thunderbird ]] && is_plain_path "$home/.thunderbird" || continue
        while IFS= read -r -d '' file; do
            case $file in
                *.msf) [[ $(head -c 16 -- "$file") == '// <!-- <mdb:mor' ]] && continue ;;
                *) [[ $(head -c 15 -- "$file") == 'SQLite format 3' ]] &&
                    (($(size_mebibytes "$file") <= maximum_index_mebibytes)) && continue ;;
            esac
            printf '%s\0' "$file"
        done < <(find -P "$home/.thunderbird" -xdev -maxdepth 6 -type f \
            \( -name '*.msf' -o -name global-messages-db.sqlite \) -size +0 -print0)
    done < <(home_directories)
}

maximum_index_mebibytes=${EUCORA_PARAM_MAXIMUM_INDEX_MEBIBYTES-2048}
require_integer maximum_index_mebibytes "$maximum_index_mebibytes" 1 100000
state_directory=${EUCORA_STATE_DIR:?}

count=$(broken_indexes | tr -dc '\0' | wc -c)
echo "$count index files are damaged or too large"
((count > 0)) || exit 1
