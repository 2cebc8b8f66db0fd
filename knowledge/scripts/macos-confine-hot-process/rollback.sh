#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-confine-hot-process, rollback: puts back what the repair changed.
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

process_name=${EUCORA_PARAM_PROCESS_NAME-}
pid=${EUCORA_PARAM_PID-}
state_directory=${EUCORA_STATE_DIR:?}
check_process "$pid" "$process_name"

[[ -f $state_directory/nice ]] || exit 0
if same_process "$pid" "$process_name" && is_running "$pid"; then
    taskpolicy -B -p "$pid"
    before=$(cat "$state_directory/nice")
    [[ $before =~ ^-?[0-9]{1,3}$ ]] || fail "the nice value before is not known"
    nice=$(ps -o nice= -p "$pid" | tr -d ' ')
    renice $((before - nice)) -p "$pid"
    echo "process $pid has nice $before again"
fi
rm -f -- "$state_directory/nice"
