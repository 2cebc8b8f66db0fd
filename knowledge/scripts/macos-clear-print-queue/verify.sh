#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-clear-print-queue, verify: exit 0 when the repair holds on this device.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the names of the print queues that are stopped.
stopped_queues() {
    { lpstat -p 2>/dev/null || true; } | awk '$1 == "printer" && / disabled / { print $2 }'
}

found=$(stopped_queues)
[[ -z $found ]] || fail "still stopped: $found"
echo "no print queue is stopped"
