#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-enable-firewall, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

state_directory=${EUCORA_STATE_DIR:?}

 firewall=/usr/libexec/ApplicationFirewall/socketfilterfw
 [[ -x $firewall ]] || fail "$firewall does not exist"

[[ -f $state_directory/switched ]] || exit 0
"$firewall" --setglobalstate off
rm -f -- "$state_directory/switched"
