#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-protect-volume-keys, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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

while read -r mode file; do
    printf '%s %s\n' "$mode" "$file" >>"$state_directory/modes"
    chmod go-rwx -- "$file"
    echo "rights of others removed: $file"
done < <(open_key_files)
