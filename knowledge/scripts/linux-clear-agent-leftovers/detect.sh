#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-clear-agent-leftovers, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
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

# Applies the find actions $@ to each leftover of the agent.
for_leftovers() {
    find -P "$agent_directory" -xdev -mindepth 1 -maxdepth 3 -type f -mmin "+$age_minutes" \
        \( -name '*.tmp' -o -name '*.partial' -o -name '*.log.[0-9]*' -o -path '*/work/*' -o -path '*/tmp/*' \) \
        -not -path "${EUCORA_STATE_DIR:-/nonexistent}/*" "$@"
}

agent_directory=${EUCORA_PARAM_AGENT_DIRECTORY-/var/lib/eucora-agent}
age_minutes=${EUCORA_PARAM_AGE_MINUTES-1440}
[[ $agent_directory =~ ^(/[A-Za-z0-9._-]+){2,12}$ && $agent_directory != *..* ]] || fail "parameter agent_directory is malformed"
require_integer age_minutes "$age_minutes" 5 525600
[[ -d $agent_directory ]] || fail "$agent_directory does not exist"
is_plain_path "$agent_directory" || fail "$agent_directory leads over a symbolic link"

count=$(for_leftovers -printf . | wc -c)
echo "$count leftovers in $agent_directory"
((count > 0)) || exit 1
