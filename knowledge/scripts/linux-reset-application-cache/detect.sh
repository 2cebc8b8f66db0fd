#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-reset-application-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

count=$(application_caches | tr -dc '\0' | wc -c)
echo "$count cache folders of $application_name hold something"
((count > 0)) || exit 1
