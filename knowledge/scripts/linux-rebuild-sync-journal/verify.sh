#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-sync-journal, verify: exit 0 when the repair holds on this device.
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

# Prints, NUL-separated, the journals that are not SQLite databases.
damaged_journals() {
    local home file
    while IFS= read -r home; do
        while IFS= read -r -d '' file; do
            [[ $(head -c 15 -- "$file") == 'SQLite format 3' ]] || printf '%s\0' "$file"
        done < <(find -P "$home" -xdev -maxdepth 3 -type f -size +0 \
            \( -name '.sync_*.db' -o -name '._sync_*.db' \) -print0 2>/dev/null)
    done < <(home_directories)
}

state_directory=${EUCORA_STATE_DIR:?}

count=$(damaged_journals | tr -dc '\0' | wc -c)
((count == 0)) || fail "$count journals are still damaged"
echo "no journal is damaged"
