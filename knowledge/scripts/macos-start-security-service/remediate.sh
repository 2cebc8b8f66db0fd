#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-start-security-service, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when launchd knows the system job $1.
job_exists() {
    launchctl print "system/$1" >/dev/null 2>&1
}

# True when the system job $1 of launchd runs.
job_runs() {
    launchctl print "system/$1" 2>/dev/null | awk '$1 == "state" && $3 == "running" { found = 1 } END { exit !found }'
}

# Waits 15 s at most until the system job $1 runs.
wait_for_job() {
    local attempt=0
    until job_runs "$1"; do
        attempt=$((attempt + 1))
        ((attempt < 30)) || return 1
        sleep 0.5
    done
}

# Prints the installed protection services that do not run.
stopped_jobs() {
    local name
    for name in "${names[@]}"; do
        job_exists "$name" || continue
        job_runs "$name" || printf '%s\n' "$name"
    done
}

service_name=${EUCORA_PARAM_SERVICE_NAME-all}
case $service_name in
    all) names=(com.crowdstrike.falcond com.microsoft.wdav.daemon com.jamf.protect.daemon com.sentinelone.sentineld io.osquery.agent) ;;
    com.crowdstrike.falcond | com.microsoft.wdav.daemon | com.jamf.protect.daemon | com.sentinelone.sentineld | io.osquery.agent)
        names=("$service_name")
        ;;
    *) fail "parameter service_name is not one of the choices" ;;
esac

stopped_jobs | while IFS= read -r name; do
    launchctl enable "system/$name"
    launchctl kickstart "system/$name"
    wait_for_job "$name" || fail "$name did not start"
    echo "$name was started"
done
