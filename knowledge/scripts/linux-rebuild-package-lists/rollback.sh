#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-package-lists, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    [[ -e $1 && $(realpath -e -- "$1") == "$1" ]]
}

state_directory=${EUCORA_STATE_DIR:?}

 lists=/var/lib/apt/lists
 [[ -d $lists ]] || fail "$lists does not exist: apt does not manage this device"
 is_plain_path "$lists" || fail "$lists is a symbolic link"

[[ -d $state_directory/lists ]] || exit 0
find -P "$lists" -maxdepth 1 -type f -not -name lock -delete
find -P "$state_directory/lists" -type f -exec mv -t "$lists" -- {} +
rmdir -- "$state_directory/lists"
echo "the old lists are back"
