#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-lower-vpn-mtu, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# Prints "interface mtu" of each active tunnel with a larger packet size.
large_tunnels() {
    local kind
    for kind in tun wireguard xfrm ppp; do
        ip -o link show up type "$kind" 2>/dev/null || true
    done | awk -v limit="$mtu_bytes" '{
        name = $2; sub(/[:@].*/, "", name)
        for (i = 3; i < NF; i++) if ($i == "mtu" && $(i + 1) > limit) print name, $(i + 1)
    }'
}

mtu_bytes=${EUCORA_PARAM_MTU_BYTES-1280}
require_integer mtu_bytes "$mtu_bytes" 1280 1500
state_directory=${EUCORA_STATE_DIR:?}

while read -r interface mtu; do
    printf '%s %s\n' "$interface" "$mtu" >>"$state_directory/mtu"
    ip link set dev "$interface" mtu "$mtu_bytes"
    echo "$interface: $mtu bytes before, $mtu_bytes bytes now"
done < <(large_tunnels)
