#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-chat-client-cache, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
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

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    local parent
    [[ -e $1 && ! -L $1 ]] || return 1
    parent=$(dirname "$1")
    [[ $(cd "$parent" && pwd -P) == "$parent" ]]
}

# Prints the size of the tree $1 in whole MiB, rounded down.
size_mebibytes() {
    local size
    size=$(du -sk "$1" 2>/dev/null | cut -f1) || true
    echo $((${size:-0} / 1024))
}

# Asks the programs named $2... of the owner of $1 to end, and waits 10 s at most.
quit_program() {
    local owner name attempt
    owner=$(stat -f %u "$1")
    shift
    for name in "$@"; do
        pkill -TERM -U "$owner" -x "$name" || continue
        echo "asked $name of user $owner to end"
        attempt=0
        while pgrep -U "$owner" -x "$name" >/dev/null; do
            attempt=$((attempt + 1))
            ((attempt < 50)) || fail "$name still runs: close it first"
            sleep 0.2
        done
    done
}

# Prints, NUL-separated, the cache folders that are too large.
found_entries() {
    local home name
    home_directories | while IFS= read -r home; do
        for name in "Application Support/Slack/Cache" "Application Support/Slack/Service Worker/CacheStorage" \
            "Caches/com.tinyspeck.slackmacgap" "Caches/com.microsoft.teams2" "Containers/com.microsoft.teams2/Data/Library/Caches"; do
            is_plain_path "$home/Library/$name" || continue
            (($(size_mebibytes "$home/Library/$name") < maximum_mebibytes)) || printf '%s\0' "$home/Library/$name"
        done
    done
}

state_directory=${EUCORA_STATE_DIR:?}
maximum_mebibytes=${EUCORA_PARAM_MAXIMUM_MEBIBYTES-500}
require_integer maximum_mebibytes "$maximum_mebibytes" 1 100000

found_entries | while IFS= read -r -d '' entry; do
    quit_program "$entry" Slack MSTeams
    set_aside "$entry"
done
