# SPDX-License-Identifier: Apache-2.0
break_device() {
    rm -f /usr/sbin/ufw
    cat >/etc/nftables.conf <<'RULES'
table inet filter {
    chain input {
        type filter hook input priority 0; policy accept;
        tcp dport 4444 drop
    }
}
RULES
    nft flush ruleset
}
check_repaired() {
    nft list ruleset | grep 'dport 4444 drop' >/dev/null
}
check_restored() {
    same "$(nft list ruleset)" ''
}
check_refusals() {
    echo 'table inet {' >/etc/nftables.conf
    step remediate 2
    same "$(nft list ruleset)" ''
}
