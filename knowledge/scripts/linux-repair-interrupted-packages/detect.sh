#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-interrupted-packages, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the packages that are neither installed nor absent.
interrupted_packages() {
    dpkg-query -W -f '${db:Status-Abbrev} ${binary:Package}\n' |
        awk '$1 ~ /^.[UFHWt]/ { print $2 }'
}

found=$(interrupted_packages)
if [[ -z $found ]]; then
    echo "no package is half installed"
    exit 1
fi
printf 'half installed: %s\n' "${found//$'\n'/ }"
