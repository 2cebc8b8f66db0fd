#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-restart-service, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
emulate -R zsh
set -euo pipefail
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

service_name=${EUCORA_PARAM_SERVICE_NAME-}
[[ $service_name =~ ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ ]] || fail "parameter service_name is malformed"
[[ $service_name != *eucora* ]] || fail "the agent cannot restart itself"
job_exists "$service_name" || fail "launchd knows no job called $service_name"

if job_runs "$service_name"; then
    echo "$service_name runs"
    exit 1
fi
echo "$service_name does not run"
