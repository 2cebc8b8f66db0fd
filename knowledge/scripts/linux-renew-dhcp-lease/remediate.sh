#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-renew-dhcp-lease, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when systemd is the service manager of this device.
has_systemd() {
    [[ -d /run/systemd/system ]]
}

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

# Gets a lease for the interface $1 with the client that the device has.
renew() {
    local files
    if command -v nmcli >/dev/null && nmcli -t general status >/dev/null 2>&1; then
        timeout 60 nmcli device connect "$1"
    elif has_systemd && systemctl is-active --quiet systemd-networkd; then
        timeout 30 networkctl renew "$1"
    elif command -v dhclient >/dev/null; then
        files=/run/eucora-dhclient-$1
        timeout 30 dhclient -r -pf "$files.pid" -lf "$files.leases" "$1" >/dev/null 2>&1 </dev/null || true
        timeout 60 dhclient -1 -pf "$files.pid" -lf "$files.leases" "$1" >/dev/null 2>&1 </dev/null ||
            fail "no DHCP server answered on $1"
    elif command -v udhcpc >/dev/null; then
        timeout 60 udhcpc -n -q -i "$1" </dev/null >/dev/null 2>&1 || fail "no DHCP server answered on $1"
    else
        fail "no DHCP client found"
    fi
}

while IFS= read -r interface; do
    renew "$interface"
    ip -4 -o address show dev "$interface" scope link | awk '$4 ~ /^169\.254\./ { print $4 }' |
        while IFS= read -r address; do
            ip address del "$address" dev "$interface"
            echo "$interface: self-assigned address removed"
        done
    echo "$interface: asked for a new lease"
done < <(unaddressed_interfaces)
