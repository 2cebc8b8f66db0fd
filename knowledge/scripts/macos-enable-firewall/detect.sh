#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-enable-firewall, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when the application firewall filters.
firewall_is_on() {
    [[ $(/usr/libexec/ApplicationFirewall/socketfilterfw --getglobalstate) == *enabled* ]]
}

state_directory=${EUCORA_STATE_DIR:?}

if firewall_is_on; then
    echo "the firewall is on"
    exit 1
fi
echo "the firewall is off"
