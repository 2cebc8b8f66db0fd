#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-ssh-permissions, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/modes ]] || exit 0
while IFS= read -r -d '' entry; do
    path=${entry#* }
    [[ -e $path && ! -L $path ]] || continue
    chmod "${entry%% *}" -- "$path"
    echo "mode ${entry%% *} again: $path"
done <"$state_directory/modes"
rm -f -- "$state_directory/modes"
