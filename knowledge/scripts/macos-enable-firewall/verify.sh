#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-enable-firewall, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when the application firewall filters.
firewall_is_on() {
    [[ $(/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate) == *enabled* ]]
}

state_directory=${EUCORA_STATE_DIR:?}

firewall_is_on || fail "the firewall is still off"
echo "the firewall is on"
