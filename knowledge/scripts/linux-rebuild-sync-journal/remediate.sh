#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-sync-journal, remediate: repairs the fault; running it twice is harmless.
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

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    rm -rf --one-file-system -- "$1.eucora-aside"
    mv -T -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
}

# Asks the programs named $2... of the owner of $1 to end, and waits 10 s at most.
close_program() {
    local owner name attempt
    owner=$(stat -c %u -- "$1")
    shift
    for name in "$@"; do
        pkill -TERM -u "$owner" -x -- "$name" || continue
        echo "asked $name of user $owner to end"
        for attempt in {1..50}; do
            pgrep -u "$owner" -x -- "$name" >/dev/null || break
            sleep 0.2
        done
        ((attempt < 50)) || fail "$name still runs: close it first"
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

while IFS= read -r -d '' file; do
    close_program "$file" nextcloud owncloud
    set_aside "$file"
    for part in -wal -shm; do
        [[ ! -f $file$part ]] || set_aside "$file$part"
    done
done < <(damaged_journals)
echo "the client builds a new journal when it starts"
