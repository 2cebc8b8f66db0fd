#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-restart-software-update, remediate: repairs the fault; running it twice is harmless.
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

# Applies the find actions $@ to the partly downloaded updates that stand still.
for_stale_downloads() {
    [[ -d $downloads && ! -L $downloads ]] || return 0
    find -P -x "$downloads" -mindepth 2 -type f -mmin "+$age_minutes" "$@"
}

age_minutes=${EUCORA_PARAM_AGE_MINUTES-1440}
require_integer age_minutes "$age_minutes" 60 525600
downloads=/Library/Updates

for_stale_downloads -print -delete
launchctl kickstart -k system/com.apple.softwareupdated
echo "the update service was restarted"
