# SPDX-License-Identifier: Apache-2.0
break_device() {
    cp /bin/bash /usr/bin/core-burner
    core-burner -c 'trap "" TERM; while :; do :; done' &
    burner=$!
    parameter process_name core-burner
    parameter pid "$burner"
    parameter grace_seconds 1
    parameter minimum_cpu_percent 30
}
check_repaired() {
    ! pgrep -x core-burner || exit 93
}
check_refusals() {
    sleep 60 &
    idle=$!
    step detect 1 EUCORA_PARAM_PID="$idle" EUCORA_PARAM_PROCESS_NAME=sleep
    step detect 1 EUCORA_PARAM_PID="$idle" EUCORA_PARAM_PROCESS_NAME=other
    step detect 2 EUCORA_PARAM_PID=1
    rm -f /tmp/state/process-start
    step remediate 0 EUCORA_PARAM_PID="$idle" EUCORA_PARAM_PROCESS_NAME=other
    # pid 1 of the sandbox is this driver: an ancestor of the script.
    step remediate 2 EUCORA_PARAM_PID=$$ EUCORA_PARAM_PROCESS_NAME="$(</proc/$$/comm)"
    cp /bin/sleep /usr/bin/sshd
    /usr/bin/sshd 60 &
    step remediate 2 EUCORA_PARAM_PID=$! EUCORA_PARAM_PROCESS_NAME=sshd
    kill -0 "$idle"
    kill -0 $!
}
