#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-repair-keyring, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

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

state_directory=${EUCORA_STATE_DIR:?}

bring_back
echo "everything is as before"
