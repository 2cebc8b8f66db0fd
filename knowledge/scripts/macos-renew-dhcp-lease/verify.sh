#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-renew-dhcp-lease, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

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

attempt=0
while [[ -n $(unaddressed_interfaces) ]]; do
    attempt=$((attempt + 1))
    ((attempt < 20)) || fail "an interface still has no address"
    sleep 1
done
echo "every connected interface has an address"
