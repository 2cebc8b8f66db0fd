#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-application-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
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

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    local parent
    [[ -e $1 && ! -L $1 ]] || return 1
    parent=$(dirname "$1")
    [[ $(cd "$parent" && pwd -P) == "$parent" ]]
}

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
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

count=$(application_caches | count_entries)
echo "$count cache folders of $application_name"
((count > 0)) || exit 1
