#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-remove-browser-profile-lock, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
}

# Prints, NUL-separated, the locks whose process on this device is gone.
stale_locks() {
    local home name lock target owner
    home_directories | while IFS= read -r home; do
        for name in "Google/Chrome" Chromium "Microsoft Edge"; do
            lock="$home/Library/Application Support/$name/SingletonLock"
            [[ -L $lock ]] || continue
            target=$(readlink "$lock")
            owner=${target##*-}
            [[ ${target%-*} == "$(hostname)" && $owner =~ ^[0-9]+$ ]] || continue
            ps -p "$owner" >/dev/null || printf '%s\0' "$lock"
        done
    done
}

count=$(stale_locks | count_entries)
echo "$count stale locks"
((count > 0)) || exit 1
