#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clear-print-queue, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

count=$(waiting_jobs | tr -dc '\0' | wc -c)
echo "$count spool files have waited for more than $age_minutes minutes"
((count > 0)) || exit 1
