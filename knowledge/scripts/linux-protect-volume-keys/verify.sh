#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-protect-volume-keys, verify: exit 0 when the repair holds on this device.
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

# Prints "mode path" of the key files that other accounts can read.
open_key_files() {
    local name source key options file mode
    [[ -f /etc/crypttab && ! -L /etc/crypttab ]] || return 0
    {
        echo /etc/crypttab
        while read -r name source key options; do
            [[ $name != \#* && $key == /* && $key != /dev/* ]] || continue
            printf '%s\n' "$key"
        done </etc/crypttab
    } | while IFS= read -r file; do
        [[ -f $file ]] && is_plain_path "$file" || continue
        mode=$(stat -c %a -- "$file")
        [[ $mode == *00 ]] || printf '%s %s\n' "$mode" "$file"
    done
}

state_directory=${EUCORA_STATE_DIR:?}

[[ -z $(open_key_files) ]] || fail "other accounts can still read a key file"
echo "only the administrator can read the key files"
