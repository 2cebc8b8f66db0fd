#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-reset-mail-client-cache, rollback: puts back what the repair changed.
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

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    rm -rf --one-file-system -- "$1.eucora-aside"
    mv -T -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
}

# Puts back everything that set_aside renamed.
bring_back() {
    local path
    [[ -f $state_directory/set-aside ]] || return 0
    while IFS= read -r -d '' path; do
        [[ -e $path.eucora-aside && ! -L $path.eucora-aside ]] || continue
        rm -rf --one-file-system -- "$path"
        mv -T -- "$path.eucora-aside" "$path"
        echo "put back: $path"
    done <"$state_directory/set-aside"
    rm -f -- "$state_directory/set-aside"
}

maximum_index_mebibytes=${EUCORA_PARAM_MAXIMUM_INDEX_MEBIBYTES-2048}
require_integer maximum_index_mebibytes "$maximum_index_mebibytes" 1 100000
state_directory=${EUCORA_STATE_DIR:?}

bring_back
echo "everything is as before"
