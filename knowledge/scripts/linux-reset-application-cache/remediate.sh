#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-reset-application-cache, remediate: repairs the fault; running it twice is harmless.
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

# Prints, NUL-separated, the cache folders of the application that are not empty.
application_caches() {
    local home folder
    while IFS= read -r home; do
        [[ -d $home/.cache ]] && is_plain_path "$home/.cache" || continue
        while IFS= read -r -d '' folder; do
            [[ -n $(find -P "$folder" -maxdepth 0 -empty) ]] || printf '%s\0' "$folder"
        done < <(find -P "$home/.cache" -xdev -mindepth 1 -maxdepth 1 -type d -iname "$application_name" -print0)
    done < <(home_directories)
}

application_name=${EUCORA_PARAM_APPLICATION_NAME-}
[[ $application_name =~ ^[A-Za-z0-9][A-Za-z0-9._\ +-]{0,63}$ && $application_name != *..* ]] ||
    fail "parameter application_name is malformed"
state_directory=${EUCORA_STATE_DIR:?}

while IFS= read -r -d '' folder; do
    close_program "$folder" "$application_name"
    set_aside "$folder"
done < <(application_caches)
echo "$application_name makes a new cache when it starts"
