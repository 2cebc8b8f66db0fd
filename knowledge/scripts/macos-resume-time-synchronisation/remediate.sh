#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-resume-time-synchronisation, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when the device sets its clock by the network.
network_time_is_on() {
    [[ $(systemsetup -getusingnetworktime) == *": On" ]]
}

state_directory=${EUCORA_STATE_DIR:?}

if network_time_is_on; then
    echo "network time is already on"
    exit 0
fi
touch "$state_directory/switched"
systemsetup -setusingnetworktime on
launchctl kickstart -k system/com.apple.timed
