#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-renew-dhcp-lease, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when the interface $1 has an address that it did not assign itself.
has_lease() {
    ip -4 -o address show dev "$1" scope global 2>/dev/null |
        awk '$4 !~ /^169\.254\./ { found = 1 } END { exit !found }'
}

# Prints the connected interfaces without an address.
unaddressed_interfaces() {
    local folder interface
    for folder in /sys/class/net/*; do
        interface=${folder##*/}
        case $interface in
            en* | eth* | wl* | ww* | usb*) ;;
            *) continue ;;
        esac
        [[ ! -d $folder/bridge && ! -e $folder/master ]] || continue
        [[ $(cat "$folder/carrier" 2>/dev/null || true) == 1 ]] || continue
        has_lease "$interface" || printf '%s\n' "$interface"
    done
}

found=$(unaddressed_interfaces)
if [[ -z $found ]]; then
    echo "every connected interface has an address"
    exit 1
fi
printf 'connected without an address:\n%s\n' "$found"
