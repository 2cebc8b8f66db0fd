#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-keyring, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
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

# Prints, NUL-separated, the keyrings that are neither encrypted keyrings nor plain ones.
damaged_keyrings() {
    local home file
    while IFS= read -r home; do
        [[ -d $home/.local/share/keyrings ]] && is_plain_path "$home/.local/share/keyrings" || continue
        while IFS= read -r -d '' file; do
            case $(head -c 12 -- "$file" | tr -d '\0') in
                GnomeKeyring | '[keyring]'*) ;;
                *) printf '%s\0' "$file" ;;
            esac
        done < <(find -P "$home/.local/share/keyrings" -xdev -maxdepth 1 -type f -name '*.keyring' -print0)
    done < <(home_directories)
}

state_directory=${EUCORA_STATE_DIR:?}

count=$(damaged_keyrings | tr -dc '\0' | wc -c)
((count == 0)) || fail "$count keyrings are still damaged"
echo "no keyring is damaged"
