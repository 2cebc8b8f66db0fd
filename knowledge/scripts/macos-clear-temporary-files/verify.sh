#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-clear-temporary-files, verify: exit 0 when the repair holds on this device.
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

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
}

# Prints how full the volume is.
used_percent() {
    df -P "$mount" | awk 'NR == 2 { for (i = 1; i <= NF; i++) if ($i ~ /%$/) { print int($i); exit } }'
}

# Applies the find actions $@ to each file that may be deleted.
for_temporary_files() {
    local place inode condition
    condition=(-type f -mmin "+$age_minutes" -not -path "${TMPDIR:-/nonexistent}/*" -not -path "${EUCORA_STATE_DIR:-/nonexistent}/*")
    while IFS= read -r inode; do
        condition+=(-not -inum "$inode")
    done < <(lsof -nP -F i 2>/dev/null | sed -n 's/^i\([0-9][0-9]*\)$/\1/p' | sort -u)
    for place in tmp var/tmp cache var/cache; do
        place=${root%/}/$place
        [[ -d $place && ! -L $place ]] || continue
        find -P -x "$place" "${condition[@]}" "$@"
    done
}

mount=${EUCORA_PARAM_MOUNT-}
age_minutes=${EUCORA_PARAM_AGE_MINUTES-60}
minimum_used_percent=${EUCORA_PARAM_MINIMUM_USED_PERCENT-80}
[[ $mount =~ ^/[A-Za-z0-9._+@/\ -]{0,200}$ && $mount != *..* ]] || fail "parameter mount is malformed"
require_integer age_minutes "$age_minutes" 0 525600
require_integer minimum_used_percent "$minimum_used_percent" 1 100
[[ $(df -P "$mount" | awk 'NR == 2 { sub(/^.*% +/, ""); print }') == "$mount" ]] || fail "$mount is not a mount point"
root=$mount
if [[ $mount == / || $mount == /System/Volumes/Data ]]; then
    root=/private
    ((age_minutes >= 1440)) || age_minutes=1440
fi

used=$(used_percent)
left=$(for_temporary_files -print0 | count_entries)
((used < minimum_used_percent || left == 0)) || fail "$mount is still full"
echo "$mount is $used % full; $left temporary files are left"
