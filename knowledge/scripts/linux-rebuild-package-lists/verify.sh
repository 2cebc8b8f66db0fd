#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-package-lists, verify: exit 0 when the repair holds on this device.
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

# True when apt can read its package lists.
lists_are_readable() {
    local answer
    answer=$(apt-cache -o pkgcacheFile= -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= stats 2>&1) || return 1
    [[ $answer != *"E: "* ]]
}

state_directory=${EUCORA_STATE_DIR:?}

 lists=/var/lib/apt/lists
 [[ -d $lists ]] || fail "$lists does not exist: apt does not manage this device"
 is_plain_path "$lists" || fail "$lists is a symbolic link"

lists_are_readable || fail "apt still cannot read its package lists"
echo "apt can read its package lists"
