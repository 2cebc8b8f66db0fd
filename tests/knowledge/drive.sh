#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Takes one script folder through its life in a sandbox, as the agent would run it:
# fault -> detect -> remediate -> verify -> detect again -> remediate again -> rollback.
# Called as: drive.sh SCRIPT_FOLDER SCENARIO_FILE. Needs TEST_PYTHON.
# A scenario defines break_device and check_repaired, for reversible scripts check_restored, and may
# define check_refusals; it passes parameters by `parameter NAME VALUE`.
set -euo pipefail
folder=$1 scenario=$2
parameters=()
export HOME=/home/tester
mkdir -p "$HOME" /tmp/state /tmp/work
echo 'tester:x:0:0::/home/tester:/bin/bash' >>/etc/passwd

parameter() {
    parameters+=("EUCORA_PARAM_${1^^}=$2")
}

# step NAME EXPECTED_EXIT_CODE [PARAMETER=VALUE]...: runs one step with a scrubbed environment.
step() {
    local name=$1 expected=$2 code=0
    shift 2
    timeout 60 env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME="$HOME" TMPDIR=/tmp/work \
        EUCORA_STATE_DIR=/tmp/state ${parameters[@]+"${parameters[@]}"} "$@" \
        bash "$folder/$name.sh" </dev/null >/tmp/output 2>&1 || code=$?
    sed "s/^/    /" /tmp/output
    echo "$name: exit $code, expected $expected"
    ((code == expected)) || exit 90
}

# same LEFT RIGHT: the two texts are equal.
same() {
    [[ $1 == "$2" ]] || { echo "found '$1' instead of '$2'"; exit 91; }
}

# wait_until COMMAND...: waits 10 s at most until the command succeeds.
wait_until() {
    local attempt
    for attempt in {1..100}; do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    echo "in vain: $*"
    exit 92
}

# own_daemon NAME: makes the service NAME in /etc/init.d, a real process with a process file.
own_daemon() {
    cp /bin/sleep "/usr/sbin/$1-daemon"
    cat >"/etc/init.d/$1" <<SERVICE
#!/bin/sh
# Provides: $1
pid() { cat /run/$1.pid 2>/dev/null; }
alive() { [ -n "\$(pid)" ] && kill -0 "\$(pid)" 2>/dev/null; }
start() { alive || start-stop-daemon --start --background --make-pidfile --pidfile /run/$1.pid --exec /usr/sbin/$1-daemon -- 600; }
stop() { alive && kill "\$(pid)"; rm -f /run/$1.pid; }
case "\$1" in
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    status) alive ;;
esac
SERVICE
    chmod 755 "/etc/init.d/$1"
}

source "$scenario"
break_device
step detect 0
step remediate 0
step verify 0
check_repaired
step detect "${after_repair:-1}"
step remediate 0
step verify 0
if [[ -f $folder/rollback.sh ]]; then
    step rollback 0
    check_restored
    step rollback 0
fi
if declare -F check_refusals >/dev/null; then check_refusals; fi
echo "all steps as expected"
