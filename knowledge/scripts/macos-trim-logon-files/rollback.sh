#!/bin/zsh
# SPDX-License-Identifier: Apache-2.0
# macos-trim-logon-files, rollback: puts back what the repair changed.
emulate -R zsh
set -euo pipefail
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

state_directory=${EUCORA_STATE_DIR:?}
maximum_mebibytes=${EUCORA_PARAM_MAXIMUM_MEBIBYTES-200}
require_integer maximum_mebibytes "$maximum_mebibytes" 1 100000

bring_back
echo "everything is as before"
