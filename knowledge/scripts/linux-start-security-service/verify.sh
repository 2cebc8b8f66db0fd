#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-start-security-service, verify: exit 0 when the repair holds on this device.
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

# Prints the installed protection services that do not run.
stopped_services() {
    local name
    for name in "${names[@]}"; do
        service_exists "$name" || continue
        service_runs "$name" || printf '%s\n' "$name"
    done
}

service_name=${EUCORA_PARAM_SERVICE_NAME-all}
case $service_name in
    all) names=(clamav-daemon falcon-sensor mdatp wazuh-agent osqueryd sentinelone) ;;
    clamav-daemon | falcon-sensor | mdatp | wazuh-agent | osqueryd | sentinelone) names=("$service_name") ;;
    *) fail "parameter service_name is not one of the choices" ;;
esac

found=$(stopped_services)
[[ -z $found ]] || fail "does not run: $found"
echo "every installed protection service runs"
