#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-enable-low-power-mode, verify: exit 0 when the repair holds on this device.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints 1 or 0 for battery operation, or nothing when the device has no such mode.
low_power_mode() {
    pmset -g custom | awk '/^Battery Power/ { battery = 1 } /^AC Power/ { battery = 0 } battery && $1 == "lowpowermode" { print $2 }'
}

state_directory=${EUCORA_STATE_DIR:?}

[[ $(low_power_mode) == 1 ]] || fail "low power mode is still off"
echo "low power mode is on"
