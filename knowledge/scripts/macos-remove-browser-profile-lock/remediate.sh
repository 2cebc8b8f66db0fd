#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-remove-browser-profile-lock, remediate: repairs the fault; running it twice is harmless.
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

stale_locks | while IFS= read -r -d '' lock; do
    rm -f -- "$lock"
    echo "removed: $lock"
done
