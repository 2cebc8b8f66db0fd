#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-remount-writable, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/mounts ]] || exit 0
while IFS= read -r mount; do
    mount -o remount,ro -- "$mount"
    echo "$mount is read-only again"
done <"$state_directory/mounts"
rm -f -- "$state_directory/mounts"
