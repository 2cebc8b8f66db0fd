#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-clear-agent-leftovers, remediate: repairs the fault; running it twice is harmless.
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

# Applies the find actions $@ to each leftover of the agent.
for_leftovers() {
    find -P -x "$agent_directory" -mindepth 1 -maxdepth 3 -type f -mmin "+$age_minutes" \
        \( -name '*.tmp' -o -name '*.partial' -o -path '*/work/*' -o -path '*/tmp/*' \) \
        -not -path "${EUCORA_STATE_DIR:-/nonexistent}/*" "$@"
}

agent_directory=${EUCORA_PARAM_AGENT_DIRECTORY-/var/db/eucora-agent}
age_minutes=${EUCORA_PARAM_AGE_MINUTES-1440}
[[ $agent_directory =~ ^(/[A-Za-z0-9._-]+){2,12}$ && $agent_directory != *..* ]] || fail "parameter agent_directory is malformed"
require_integer age_minutes "$age_minutes" 5 525600
[[ -d $agent_directory && ! -L $agent_directory ]] || fail "$agent_directory does not exist"

for_leftovers -print -delete
echo "leftovers deleted"
