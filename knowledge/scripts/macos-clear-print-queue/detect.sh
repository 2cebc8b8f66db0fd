#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-clear-print-queue, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the names of the print queues that are stopped.
stopped_queues() {
    { lpstat -p 2>/dev/null || true; } | awk '$1 == "printer" && / disabled / { print $2 }'
}

found=$(stopped_queues)
if [[ -z $found ]]; then
    echo "no print queue is stopped"
    exit 1
fi
printf 'stopped: %s\n' "$found"
