#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-resume-time-synchronisation, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when the device sets its clock by the network.
network_time_is_on() {
    [[ $(systemsetup -getusingnetworktime) == *": On" ]]
}

state_directory=${EUCORA_STATE_DIR:?}

network_time_is_on || fail "network time is still off"
echo "network time is on"
