#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-disable-dead-proxy, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Prints the names of the active network services.
network_services() {
    networksetup -listallnetworkservices | awk 'NR > 1 && !/^\*/'
}

# Prints "kind service" of each active proxy that accepts no connection.
dead_proxies() {
    local service kind setting host port
    network_services | while IFS= read -r service; do
        for kind in webproxy securewebproxy; do
            setting=$(networksetup "-get$kind" "$service")
            [[ $setting == *"Enabled: Yes"* ]] || continue
            host=$(printf '%s\n' "$setting" | awk '/^Server:/ { print $2 }')
            port=$(printf '%s\n' "$setting" | awk '/^Port:/ { print $2 }')
            [[ $host =~ ^[A-Za-z0-9.-]+$ && $port =~ ^[0-9]+$ ]] || continue
            nc -z -G 3 "$host" "$port" >/dev/null 2>&1 </dev/null || printf '%s\t%s\n' "$kind" "$service"
        done
    done
}

state_directory=${EUCORA_STATE_DIR:?}

found=$(dead_proxies)
if [[ -z $found ]]; then
    echo "no active proxy is dead"
    exit 1
fi
printf 'accept no connection:\n%s\n' "$found"
