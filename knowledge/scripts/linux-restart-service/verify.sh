#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-restart-service, verify: exit 0 when the repair holds on this device.
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

# True when the service manager knows the service $1.
service_exists() {
    if has_systemd; then
        [[ $(systemctl show --property=LoadState --value -- "$1") == loaded ]]
    else
        [[ -x /etc/init.d/$1 ]]
    fi
}

# True when the service $1 runs.
service_runs() {
    if has_systemd; then
        systemctl is-active --quiet -- "$1"
    else
        timeout 20 service "$1" status </dev/null >/dev/null 2>&1
    fi
}

service_name=${EUCORA_PARAM_SERVICE_NAME-}
[[ $service_name =~ ^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$ ]] || fail "parameter service_name is malformed"
[[ $service_name != eucora* ]] || fail "the agent cannot restart itself"
service_exists "$service_name" || fail "no service is called $service_name"

service_runs "$service_name" || fail "$service_name does not run"
sleep 2
service_runs "$service_name" || fail "$service_name stopped again"
echo "$service_name runs"
