#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-resume-time-synchronisation, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when the device sets its clock by the network.
network_time_is_on() {
    [[ $(systemsetup -getusingnetworktime) == *": On" ]]
}

state_directory=${EUCORA_STATE_DIR:?}

if network_time_is_on; then
    echo "network time is on"
    exit 1
fi
echo "network time is off"
