#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-stop-runaway-process, remediate: repairs the fault; running it twice is harmless.
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

# True when process $1 exists and is not a zombie.
is_running() {
    local letter
    letter=$(ps -o state= -p "$1" 2>/dev/null) || return 1
    [[ -n $letter && $letter != Z* ]]
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

# True when process $1 is called $2 and is the one that the detection looked at.
same_process() {
    has_name "$1" "$2" || return 1
    [[ ! -f $state_directory/process-start ]] ||
        [[ $(process_start "$1") == "$(cat "$state_directory/process-start")" ]]
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

# Ends process $1: asks first, and kills it when it still runs after $2 seconds.
stop_process() {
    local attempt=0
    kill -TERM "$1"
    while is_running "$1" && ((attempt < $2 * 5)); do
        sleep 0.2
        attempt=$((attempt + 1))
    done
    if ! is_running "$1"; then
        echo "process $1 ended when asked"
        return 0
    fi
    kill -KILL "$1"
    sleep 1
    ! is_running "$1" || fail "process $1 cannot be ended"
    echo "process $1 was killed after $2 s"
}

process_name=${EUCORA_PARAM_PROCESS_NAME-}
pid=${EUCORA_PARAM_PID-}
state_directory=${EUCORA_STATE_DIR:?}
check_process "$pid" "$process_name"
minimum_cpu_percent=${EUCORA_PARAM_MINIMUM_CPU_PERCENT-50}
require_integer minimum_cpu_percent "$minimum_cpu_percent" 1 100

grace_seconds=${EUCORA_PARAM_GRACE_SECONDS-5}
require_integer grace_seconds "$grace_seconds" 1 30
if ! same_process "$pid" "$process_name"; then
    echo "process $pid called $process_name has already ended"
    exit 0
fi
refuse_protected "$pid" "$process_name"
stop_process "$pid" "$grace_seconds"
