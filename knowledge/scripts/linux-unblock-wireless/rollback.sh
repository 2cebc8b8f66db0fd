#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-unblock-wireless, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/unblocked ]] || exit 0
while IFS= read -r folder; do
    [[ $folder == /sys/class/rfkill/rfkill* && -w $folder/soft ]] || continue
    echo 1 >"$folder/soft"
    echo "blocked again: $(<"$folder/name")"
done <"$state_directory/unblocked"
rm -f -- "$state_directory/unblocked"
