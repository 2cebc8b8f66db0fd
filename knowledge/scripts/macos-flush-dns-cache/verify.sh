#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-flush-dns-cache, verify: exit 0 when the repair holds on this device.
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

probe_name=${EUCORA_PARAM_PROBE_NAME-captive.apple.com}
[[ $probe_name =~ ^[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$ ]] || fail "parameter probe_name is malformed"

sleep 2
system_resolves || fail "$probe_name still does not resolve"
echo "$probe_name resolves"
