#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-application-cache, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Puts back everything that set_aside renamed.
bring_back() {
    local entry
    [[ -f $state_directory/set-aside ]] || return 0
    while IFS= read -r -d '' entry; do
        [[ -e $entry.eucora-aside && ! -L $entry.eucora-aside ]] || continue
        rm -rf -x -- "$entry"
        mv -- "$entry.eucora-aside" "$entry"
        echo "put back: $entry"
    done <"$state_directory/set-aside"
    rm -f -- "$state_directory/set-aside"
}

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    [[ ! -L $1.eucora-aside ]] || fail "$1.eucora-aside is a symbolic link"
    rm -rf -x -- "$1.eucora-aside"
    mv -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
}

application_name=${EUCORA_PARAM_APPLICATION_NAME-}
[[ $application_name =~ ^[A-Za-z0-9][A-Za-z0-9._\ +-]{0,63}$ && $application_name != *..* ]] || fail "parameter application_name is malformed"
state_directory=${EUCORA_STATE_DIR:?}

bring_back
echo "everything is as before"
