#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-resume-time-synchronisation, rollback: puts back what the repair changed.
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

state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/started ]] || exit 0
name=$(<"$state_directory/started")
if service_runs "$name"; then
    control_service stop "$name"
    echo "stopped $name"
fi
rm -f -- "$state_directory/started"
