#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-remove-browser-profile-lock, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Prints, NUL-separated, the locks whose process on this device is gone.
stale_locks() {
    local home lock target owner host
    host=$(uname -n)
    while IFS= read -r home; do
        while IFS= read -r -d '' lock; do
            target=$(readlink -- "$lock")
            case $lock in
                */SingletonLock)
                    [[ ${target%-*} == "$host" ]] || continue
                    owner=${target##*-}
                    ;;
                *) owner=${target##*:+} ;;
            esac
            [[ $owner =~ ^[0-9]+$ && ! -d /proc/$owner ]] || continue
            printf '%s\0' "$lock"
        done < <(find -P "$home" -xdev -maxdepth 5 -type l \
            \( -path "$home/.config/*/SingletonLock" -o -path "$home/.mozilla/firefox/*/lock" \) -print0 2>/dev/null)
    done < <(home_directories)
}

count=$(stale_locks | tr -dc '\0' | wc -c)
echo "$count stale locks"
((count > 0)) || exit 1
