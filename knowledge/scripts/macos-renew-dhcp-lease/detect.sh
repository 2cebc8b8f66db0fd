#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-renew-dhcp-lease, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the connected interfaces without an address.
unaddressed_interfaces() {
    local interface address
    networksetup -listallhardwareports | awk '/^Device: en[0-9]+$/ { print $2 }' | while IFS= read -r interface; do
        [[ $(ifconfig "$interface" 2>/dev/null) == *"status: active"* ]] || continue
        address=$(ipconfig getifaddr "$interface" || true)
        if [[ -z $address || $address == 169.254.* ]]; then
            printf '%s\n' "$interface"
        fi
    done
}

found=$(unaddressed_interfaces)
if [[ -z $found ]]; then
    echo "every connected interface has an address"
    exit 1
fi
printf 'connected without an address: %s\n' "$found"
