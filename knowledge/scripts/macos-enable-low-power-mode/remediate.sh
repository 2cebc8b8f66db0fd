#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-enable-low-power-mode, remediate: repairs the fault; running it twice is harmless.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints 1 or 0 for battery operation, or nothing when the device has no such mode.
low_power_mode() {
    pmset -g custom | awk '/^Battery Power/ { battery = 1 } /^AC Power/ { battery = 0 } battery && $1 == "lowpowermode" { print $2 }'
}

state_directory=${EUCORA_STATE_DIR:?}

if [[ $(low_power_mode) == 0 ]]; then
    touch "$state_directory/switched"
    pmset -b lowpowermode 1
fi
echo "low power mode is on"
