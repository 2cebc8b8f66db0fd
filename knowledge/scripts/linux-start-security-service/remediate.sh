#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-start-security-service, remediate: repairs the fault; running it twice is harmless.
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

for name in $(stopped_services); do
    for file in /run/"$name".pid /run/"$name"/"$name".pid /run/clamav/clamd.pid; do
        [[ -f $file && ! -L $file ]] || continue
        pid=$(tr -dc '0-9' <"$file")
        [[ -n $pid && -d /proc/$pid ]] || rm -f -- "$file"
    done
    control_service start "$name"
    wait_for_service "$name" || fail "$name did not start"
    echo "$name was started"
done
