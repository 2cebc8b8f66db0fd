#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-enable-firewall, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/switched ]] || exit 0
/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate off
rm -f -- "$state_directory/switched"
