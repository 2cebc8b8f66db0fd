#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-lower-vpn-mtu, rollback: puts back what the repair changed.
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

mtu_bytes=${EUCORA_PARAM_MTU_BYTES-1280}
require_integer mtu_bytes "$mtu_bytes" 1280 1500
state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/mtu ]] || exit 0
while read -r interface mtu; do
    ip link show dev "$interface" >/dev/null 2>&1 || continue
    ip link set dev "$interface" mtu "$mtu"
    echo "$interface: $mtu bytes again"
done <"$state_directory/mtu"
rm -f -- "$state_directory/mtu"
