#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-stop-runaway-process, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# Prints when process $1 started, or nothing when it is gone.
process_start() {
    ps -o lstart= -p "$1" 2>/dev/null || true
}

# True when process $1 is called $2.
has_name() {
    local command
    command=$(ps -o comm= -p "$1" 2>/dev/null) || return 1
    [[ ${command##*/} == "$2" ]]
}

# Checks the parameters pid ($1) and process_name ($2).
check_process() {
    require_integer pid "$1" 2 99999999
    printf '%s\n' "$2" | awk 'NR > 1 || !/^[A-Za-z0-9._+:@# ()-]+$/ || length > 128 { bad = 1 } END { exit bad }' ||
        fail "parameter process_name is malformed"
}

# Ends with an error when process $1, called $2, keeps the device or this agent alive.
refuse_protected() {
    local ancestor=$$
    while ((ancestor > 1)); do
        ((ancestor != $1)) || fail "process $1 runs this script"
        ancestor=$(ps -o ppid= -p "$ancestor" | tr -d ' ')
        ancestor=${ancestor:-0}
    done
    case $2 in
        launchd | kernel_task | WindowServer | loginwindow | opendirectoryd | securityd | trustd | \
            configd | logd | diskarbitrationd | powerd | mds | fseventsd | sshd | postgres | eucora*)
            fail "$2 is a system process: restart its service instead"
            ;;
    esac
}

# Prints the share of one core, in whole percent, that process $1 uses over one second.
cpu_percent() {
    top -l 2 -s 1 -pid "$1" -stats pid,cpu 2>/dev/null |
        awk -v pid="$1" '$1 == pid { share = $2 } END { print int(share) }'
}

process_name=${EUCORA_PARAM_PROCESS_NAME-}
pid=${EUCORA_PARAM_PID-}
state_directory=${EUCORA_STATE_DIR:?}
check_process "$pid" "$process_name"
minimum_cpu_percent=${EUCORA_PARAM_MINIMUM_CPU_PERCENT-50}
require_integer minimum_cpu_percent "$minimum_cpu_percent" 1 100

if ! has_name "$pid" "$process_name"; then
    echo "process $pid called $process_name does not exist"
    exit 1
fi
refuse_protected "$pid" "$process_name"
process_start "$pid" >"$state_directory/process-start"
share=$(cpu_percent "$pid")
echo "process $pid ($process_name) has $share % of one core"
((share >= minimum_cpu_percent)) || exit 1
