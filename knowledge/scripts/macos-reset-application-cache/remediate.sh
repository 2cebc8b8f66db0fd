#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-application-cache, remediate: repairs the fault; running it twice is harmless.
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

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    local parent
    [[ -e $1 && ! -L $1 ]] || return 1
    parent=$(dirname "$1")
    [[ $(cd "$parent" && pwd -P) == "$parent" ]]
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

# Prints, NUL-separated, the caches of the application.
application_caches() {
    local home
    home_directories | while IFS= read -r home; do
        is_plain_path "$home/Library/Caches" || continue
        find -P -x "$home/Library/Caches" -mindepth 1 -maxdepth 1 -type d \
            \( -iname "$application_name" -o -iname "com.*.$application_name" \) -print0
    done
}

application_name=${EUCORA_PARAM_APPLICATION_NAME-}
[[ $application_name =~ ^[A-Za-z0-9][A-Za-z0-9._\ +-]{0,63}$ && $application_name != *..* ]] || fail "parameter application_name is malformed"
state_directory=${EUCORA_STATE_DIR:?}

application_caches | while IFS= read -r -d '' folder; do
    quit_program "$folder" "$application_name"
    set_aside "$folder"
done
