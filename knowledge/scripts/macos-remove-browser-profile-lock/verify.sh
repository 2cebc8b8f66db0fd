#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-remove-browser-profile-lock, verify: exit 0 when the repair holds on this device.
emulate -R zsh
set -euo pipefail
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
((count == 0)) || fail "$count stale locks are left"
echo "no stale lock is left"
