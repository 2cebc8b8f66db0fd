#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-enable-firewall, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when the application firewall filters.
firewall_is_on() {
    [[ $(/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate) == *enabled* ]]
}

state_directory=${EUCORA_STATE_DIR:?}

if firewall_is_on; then
    echo "the firewall is already on"
    exit 0
fi
touch "$state_directory/switched"
/usr/libexec/ApplicationFirewall/socketfilterfw --setglobalstate on
