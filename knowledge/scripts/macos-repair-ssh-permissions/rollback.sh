#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-repair-ssh-permissions, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/modes ]] || exit 0
while IFS= read -r -d '' entry; do
    file=${entry#* }
    [[ -e $file && ! -L $file ]] || continue
    chmod "${entry%% *}" "$file"
    echo "mode ${entry%% *} again: $file"
done <"$state_directory/modes"
rm -f -- "$state_directory/modes"
