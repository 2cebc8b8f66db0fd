#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-flush-dns-cache, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when the system's resolver finds an address of the probe name.
system_resolves() {
    [[ $(dscacheutil -q host -a name "$probe_name") == *_address:* ]]
}

# True when the configured name server itself answers.
server_resolves() {
    host -W 3 "$probe_name" >/dev/null 2>&1
}

probe_name=${EUCORA_PARAM_PROBE_NAME-captive.apple.com}
[[ $probe_name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$ ]] || fail "parameter probe_name is malformed"

if system_resolves; then
    echo "$probe_name resolves"
    exit 1
fi
server_resolves || fail "the name server does not answer either: the network is the likely cause"
echo "$probe_name does not resolve although the name server answers"
