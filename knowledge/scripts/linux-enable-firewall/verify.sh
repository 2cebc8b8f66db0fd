#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-enable-firewall, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when ufw is enabled, or without ufw when the packet filter has rules.
firewall_is_on() {
    if command -v ufw >/dev/null; then
        [[ $(ufw status) == *"Status: active"* ]]
    else
        command -v nft >/dev/null || fail "neither ufw nor nft is installed"
        [[ $(nft list ruleset) == *chain* ]]
    fi
}

state_directory=${EUCORA_STATE_DIR:?}

 rules=/etc/nftables.conf

firewall_is_on || fail "the firewall is still off"
echo "the firewall is on"
