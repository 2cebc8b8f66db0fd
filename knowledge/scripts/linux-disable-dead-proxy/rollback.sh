#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-disable-dead-proxy, rollback: puts back what the repair changed.
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

timeout_seconds=${EUCORA_PARAM_TIMEOUT_SECONDS-3}
require_integer timeout_seconds "$timeout_seconds" 1 10
state_directory=${EUCORA_STATE_DIR:?}

[[ -d $state_directory/files ]] || exit 0
for copy in "$state_directory"/files/*; do
    [[ -f $copy ]] || continue
    file=${copy##*/}
    file=${file//%//}
    cat -- "$copy" >"$file"
    rm -f -- "$copy"
    echo "$file is as before"
done
