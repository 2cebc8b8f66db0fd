#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-disable-dead-proxy, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/proxies ]] || exit 0
while IFS=$'\t' read -r kind service; do
    networksetup "-set${kind}state" "$service" on
    echo "switched on again: $kind of $service"
done <"$state_directory/proxies"
rm -f -- "$state_directory/proxies"
