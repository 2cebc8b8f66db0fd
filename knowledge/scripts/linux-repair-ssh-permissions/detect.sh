#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-ssh-permissions, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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

# Prints, NUL-separated, "mode path" of what other accounts have too many rights on.
open_key_files() {
    local home
    while IFS= read -r home; do
        [[ -d $home/.ssh ]] && is_plain_path "$home/.ssh" || continue
        find -P "$home/.ssh" -xdev -maxdepth 0 -type d -perm /077 -printf '%m %p\0'
        find -P "$home/.ssh" -xdev -maxdepth 1 -type f -links 1 \
            \( \( -name 'id_*' -not -name '*.pub' \) -o -name '*.pem' \) -perm /077 -printf '%m %p\0'
        find -P "$home/.ssh" -xdev -maxdepth 1 -type f -links 1 \
            \( -name config -o -name authorized_keys \) -perm /022 -printf '%m %p\0'
    done < <(home_directories)
}

state_directory=${EUCORA_STATE_DIR:?}

count=$(open_key_files | tr -dc '\0' | wc -c)
echo "$count files or folders give other accounts too many rights"
((count > 0)) || exit 1
