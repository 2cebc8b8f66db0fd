#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-shrink-oversized-logs, verify: exit 0 when the repair holds on this device.
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

# Prints, NUL-separated, the log files beyond the limit.
oversized_logs() {
    find -P /var/log -xdev \( -path /var/log/journal -o -path /var/log/audit \) -prune -o \
        -type f -regextype posix-extended -regex '.*/([^/]+\.log|syslog|messages|[^/]+\.err)' \
        -size "+$((limit_mebibytes * 1024))k" -print0
}

limit_mebibytes=${EUCORA_PARAM_LIMIT_MEBIBYTES-500}
require_integer limit_mebibytes "$limit_mebibytes" 1 100000
keep_mebibytes=${EUCORA_PARAM_KEEP_MEBIBYTES-20}
require_integer keep_mebibytes "$keep_mebibytes" 0 1000
((keep_mebibytes < limit_mebibytes)) || fail "keep_mebibytes must be less than limit_mebibytes"

count=$(oversized_logs | tr -dc '\0' | wc -c)
((count == 0)) || fail "$count log files are still larger than $limit_mebibytes MiB"
echo "no log file is larger than $limit_mebibytes MiB"
