#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-restart-service, remediate: repairs the fault; running it twice is harmless.
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

# Does $1 (start, stop, restart) with the service $2, apart from this script's own processes.
control_service() {
    local log
    log=$(mktemp)
    if has_systemd; then
        systemctl reset-failed -- "$2" 2>/dev/null || true
        timeout 60 systemctl "$1" -- "$2" </dev/null >"$log" 2>&1 || { cat "$log"; fail "cannot $1 $2"; }
    else
        timeout 60 setsid --wait service "$2" "$1" </dev/null >"$log" 2>&1 ||
            { cat "$log"; fail "cannot $1 $2"; }
    fi
    cat "$log"
    rm -f -- "$log"
}

# Waits 15 s at most until the service $1 runs.
wait_for_service() {
    local attempt
    for attempt in {1..30}; do
        service_runs "$1" && return 0
        sleep 0.5
    done
    return 1
}

service_name=${EUCORA_PARAM_SERVICE_NAME-}
[[ $service_name =~ ^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$ ]] || fail "parameter service_name is malformed"
[[ $service_name != eucora* ]] || fail "the agent cannot restart itself"
service_exists "$service_name" || fail "no service is called $service_name"

if service_runs "$service_name"; then
    echo "$service_name already runs"
    exit 0
fi
control_service restart "$service_name"
wait_for_service "$service_name" || fail "$service_name did not start"
echo "$service_name was started"
