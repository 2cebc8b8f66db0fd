#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-clear-print-queue, remediate: repairs the fault; running it twice is harmless.
emulate -R zsh
set -euo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the names of the print queues that are stopped.
stopped_queues() {
    { lpstat -p 2>/dev/null || true; } | awk '$1 == "printer" && / disabled / { print $2 }'
}

stopped_queues | while IFS= read -r queue; do
    cancel -a "$queue"
    cupsenable "$queue"
    cupsaccept "$queue"
    echo "$queue prints again"
done
