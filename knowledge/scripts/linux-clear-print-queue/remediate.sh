#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clear-print-queue, remediate: repairs the fault; running it twice is harmless.
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

# True when no component of the path $1 is a symbolic link.
is_plain_path() {
    [[ -e $1 && $(realpath -e -- "$1") == "$1" ]]
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

# Prints, NUL-separated, the control and document files of jobs that have waited too long.
waiting_jobs() {
    local condition=(-type f -regextype posix-extended -regex '.*/(c[0-9]{5,}|d[0-9]{5,}-[0-9]{3,})')
    ((age_minutes == 0)) || condition+=(-mmin "+$age_minutes")
    find -P "$spool" -xdev -maxdepth 1 "${condition[@]}" -print0
}

age_minutes=${EUCORA_PARAM_AGE_MINUTES-10}
require_integer age_minutes "$age_minutes" 0 10080
state_directory=${EUCORA_STATE_DIR:?}

spool=/var/spool/cups
[[ -d $spool ]] || fail "$spool does not exist: CUPS is not installed"
is_plain_path "$spool" || fail "$spool is a symbolic link"
service_exists cups || fail "no service is called cups"

mkdir -p -- "$state_directory/jobs"
! service_runs cups || control_service stop cups
waiting_jobs | while IFS= read -r -d '' file; do
    mv -- "$file" "$state_directory/jobs/"
    echo "removed from the queue: ${file##*/}"
done
control_service start cups
wait_for_service cups || fail "cups did not start"
echo "cups runs"
