#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-certificate-checks, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    [[ ! -L $1.eucora-aside ]] || fail "$1.eucora-aside is a symbolic link"
    rm -rf -x -- "$1.eucora-aside"
    mv -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
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

# Prints, NUL-separated, the damaged caches of certificate checks.
found_entries() {
    local home file
    home_directories | while IFS= read -r home; do
        [[ -d $home/Library/Keychains ]] || continue
        find -P -x "$home/Library/Keychains" -maxdepth 2 -type f -name 'ocspcache.sqlite3' -print0 2>/dev/null |
            while IFS= read -r -d '' file; do
                [[ $(head -c 15 "$file" | tr -d '\0') == 'SQLite format 3' ]] || printf '%s\0' "$file"
            done
    done
}

state_directory=${EUCORA_STATE_DIR:?}

found_entries | while IFS= read -r -d '' entry; do
    set_aside "$entry"
done
