#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-enable-firewall, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when systemd is the service manager of this device.
has_systemd() {
    [[ -d /run/systemd/system ]]
}

state_directory=${EUCORA_STATE_DIR:?}

 rules=/etc/nftables.conf

[[ -f $state_directory/enabled ]] || exit 0
case $(<"$state_directory/enabled") in
    ufw) ufw disable ;;
    nft)
        nft flush ruleset
        ! has_systemd || systemctl disable nftables.service
        ;;
esac
rm -f -- "$state_directory/enabled"
echo "the firewall is off again"
