#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-resume-time-synchronisation, verify: exit 0 when the repair holds on this device.
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

# Prints the name of the installed time service, or nothing.
time_service() {
    local name
    for name in chrony chronyd ntpsec ntp ntpd openntpd systemd-timesyncd; do
        if service_exists "$name"; then
            printf '%s' "$name"
            return 0
        fi
    done
}

state_directory=${EUCORA_STATE_DIR:?}

name=$(time_service)
[[ -n $name ]] && service_runs "$name" || fail "the time service does not run"
echo "$name runs"
