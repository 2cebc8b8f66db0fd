#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-protect-volume-keys, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/modes ]] || exit 0
while read -r mode file; do
    [[ -f $file && ! -L $file ]] || continue
    chmod "$mode" -- "$file"
    echo "mode $mode again: $file"
done <"$state_directory/modes"
rm -f -- "$state_directory/modes"
