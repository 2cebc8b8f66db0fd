#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-interrupted-packages, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints the packages that are neither installed nor absent.
interrupted_packages() {
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' |
        awk '$1 ~ /^.[UFHWt]/ { print $2 }'
}

found=$(interrupted_packages)
[[ -z $found ]] || fail "still half installed: ${found//$'\n'/ }"
echo "no package is half installed"
