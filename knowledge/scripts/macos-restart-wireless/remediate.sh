#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-restart-wireless, remediate: repairs the fault; running it twice is harmless.
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

interface=$(wireless_interface)
[[ $interface =~ ^en[0-9]+$ ]] || fail "this device has no wireless adapter"

networksetup -setairportpower "$interface" off
sleep 2
networksetup -setairportpower "$interface" on
echo "$interface was switched off and on"
