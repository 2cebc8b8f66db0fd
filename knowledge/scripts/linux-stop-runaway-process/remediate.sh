#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-stop-runaway-process, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# Prints the start time of process $1 in clock ticks since boot, or nothing when it is gone.
process_start() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    set -- $line
    echo "${20}"
}

# Prints the state letter of process $1, or nothing when it is gone.
process_state() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    echo "${line%% *}"
}

# Prints the parent of process $1, or nothing when it is gone.
process_parent() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    set -- $line
    echo "$2"
}

# True when process $1 is called $2; the kernel keeps 15 characters of a name.
has_name() {
    local short first
    { read -r short <"/proc/$1/comm"; } 2>/dev/null || return 1
    [[ $short == "$2" ]] && return 0
    { IFS= read -r -d '' first <"/proc/$1/cmdline"; } 2>/dev/null || return 1
    [[ ${2:0:15} == "$short" && ${first##*/} == "$2" ]]
}

# Ends with an error when process $1, called $2, keeps the device or this agent alive.
refuse_protected() {
    local ancestor=$$
    (($1 > 2)) || fail "process $1 belongs to the system"
    while [[ -n $ancestor ]] && ((ancestor > 0)); do
        ((ancestor != $1)) || fail "process $1 runs this script"
        ancestor=$(process_parent "$ancestor")
    done
    [[ $(process_parent "$1") != 2 ]] || fail "process $1 belongs to the kernel"
    case $2 in
        init | systemd | systemd-* | sshd | sshd-* | dbus-daemon | dbus-broker* | login | agetty | \
            polkitd | udevd | Xorg | Xwayland | gdm* | sddm* | lightdm* | gnome-shell | kwin_* | \
            NetworkManager | wpa_supplicant | dhclient | dockerd | containerd* | postgres | \
            auditd | rsyslogd | eucora*)
            fail "$2 is a system process: restart its service instead"
            ;;
    esac
}

# Checks the parameters pid ($1) and process_name ($2).
check_process() {
    require_integer pid "$1" 2 4194304
    [[ $2 =~ ^[A-Za-z0-9._+:@#/\ \(\)-]{1,128}$ ]] || fail "parameter process_name is malformed"
}

# True when process $1 is called $2 and is the one that the detection looked at.
same_process() {
    has_name "$1" "$2" || return 1
    [[ ! -f $state_directory/process-start ]] ||
        [[ $(process_start "$1") == "$(<"$state_directory/process-start")" ]]
}

# True when process $1 exists and is not a zombie.
is_running() {
    local letter
    letter=$(process_state "$1")
    [[ -n $letter && $letter != [ZX] ]]
}

# Ends process $1: asks first, and kills it when it still runs after $2 seconds.
stop_process() {
    local attempt
    kill -TERM "$1"
    for ((attempt = 0; attempt < $2 * 5; attempt++)); do
        is_running "$1" || break
        sleep 0.2
    done
    if ! is_running "$1"; then
        echo "process $1 ended when asked"
        return 0
    fi
    kill -KILL "$1"
    for attempt in {1..25}; do
        is_running "$1" || break
        sleep 0.2
    done
    ! is_running "$1" || fail "process $1 cannot be ended"
    echo "process $1 was killed after $2 s"
}

process_name=${EUCORA_PARAM_PROCESS_NAME-}
pid=${EUCORA_PARAM_PID-}
state_directory=${EUCORA_STATE_DIR:?}
check_process "$pid" "$process_name"
minimum_cpu_percent=${EUCORA_PARAM_MINIMUM_CPU_PERCENT-50}
require_integer minimum_cpu_percent "$minimum_cpu_percent" 10 100

grace_seconds=${EUCORA_PARAM_GRACE_SECONDS-5}
require_integer grace_seconds "$grace_seconds" 1 30
if ! same_process "$pid" "$process_name"; then
    echo "process $pid called $process_name has already ended"
    exit 0
fi
refuse_protected "$pid" "$process_name"
stop_process "$pid" "$grace_seconds"
