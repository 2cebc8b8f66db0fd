#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clean-package-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    [[ -e $1 && $(realpath -e -- "$1") == "$1" ]]
}

# Prints the size of the tree $1 in whole MiB, rounded down.
size_mebibytes() {
    local size
    size=$(du -sk -- "$1" 2>/dev/null | cut -f1) || true
    echo $((${size:-0} / 1024))
}

minimum_mebibytes=${EUCORA_PARAM_MINIMUM_MEBIBYTES-200}
require_integer minimum_mebibytes "$minimum_mebibytes" 1 100000
cache=/var/cache/apt/archives
[[ -d $cache ]] || fail "$cache does not exist: apt does not manage this device"
is_plain_path "$cache" || fail "$cache is a symbolic link"

size=$(size_mebibytes "$cache")
echo "$cache holds $size MiB"
((size >= minimum_mebibytes)) || exit 1
