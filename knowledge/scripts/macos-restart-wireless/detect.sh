#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-restart-wireless, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the interface of the wireless adapter, such as en0, or nothing.
wireless_interface() {
    networksetup -listallhardwareports |
        awk '/^Hardware Port: (Wi-Fi|AirPort)/ { wanted = 1; next } wanted && /^Device:/ { print $2; wanted = 0 }'
}

# True when the wireless interface has an address that it did not assign itself.
has_address() {
    local address
    address=$(ipconfig getifaddr "$interface") || return 1
    [[ -n $address && $address != 169.254.* ]]
}

interface=$(wireless_interface)
[[ $interface =~ ^en[0-9]+$ ]] || fail "this device has no wireless adapter"

if has_address; then
    echo "$interface has an address"
    exit 1
fi
echo "$interface has no address"
