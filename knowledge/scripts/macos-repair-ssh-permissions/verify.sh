#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-repair-ssh-permissions, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
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

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
}

# Prints, NUL-separated, "mode path" of what other accounts have too many rights on.
open_key_files() {
    local home file
    home_directories | while IFS= read -r home; do
        is_plain_path "$home/.ssh" || continue
        {
            find -P -x "$home/.ssh" -maxdepth 0 -type d -perm +077 -print0
            find -P -x "$home/.ssh" -maxdepth 1 -type f -links 1 -name 'id_*' -not -name '*.pub' -perm +077 -print0
        } | while IFS= read -r -d '' file; do
            printf '%s %s\0' "$(stat -f %Lp "$file")" "$file"
        done
    done
}

state_directory=${EUCORA_STATE_DIR:?}

count=$(open_key_files | count_entries)
((count == 0)) || fail "$count files or folders still give other accounts too many rights"
echo "only their owner may read the keys"
