#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-stop-runaway-process, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Prints the parent of process $1, or nothing when it is gone.
process_parent() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    set -- $line
    echo "$2"
}

# Prints the processor time of process $1 in clock ticks, or nothing when it is gone.
process_ticks() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    line=${line##*) }
    set -- $line
    echo $((${12} + ${13}))
}

# Prints the share of one core, in whole percent, that process $1 uses over one second.
cpu_percent() {
    local before after started ended ticks_per_second
    ticks_per_second=$(getconf CLK_TCK)
    started=${EPOCHREALTIME//[!0-9]/}
    before=$(process_ticks "$1")
    sleep 1
    after=$(process_ticks "$1")
    ended=${EPOCHREALTIME//[!0-9]/}
    if [[ -z $before || -z $after ]]; then
        echo 0
    else
        echo $(((after - before) * 100 * 1000000 / ticks_per_second / (ended - started)))
    fi
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

process_name=${EUCORA_PARAM_PROCESS_NAME-}
pid=${EUCORA_PARAM_PID-}
state_directory=${EUCORA_STATE_DIR:?}
check_process "$pid" "$process_name"
minimum_cpu_percent=${EUCORA_PARAM_MINIMUM_CPU_PERCENT-50}
require_integer minimum_cpu_percent "$minimum_cpu_percent" 10 100

if ! has_name "$pid" "$process_name"; then
    echo "process $pid called $process_name does not exist"
    exit 1
fi
refuse_protected "$pid" "$process_name"
process_start "$pid" >"$state_directory/process-start"
used=$(cpu_percent "$pid")
echo "process $pid ($process_name) uses $used % of one core"
((used >= minimum_cpu_percent)) || exit 1
