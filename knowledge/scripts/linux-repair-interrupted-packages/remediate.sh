#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-interrupted-packages, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

DEBIAN_FRONTEND=noninteractive timeout 800 dpkg --force-confdef --force-confold --configure -a </dev/null
