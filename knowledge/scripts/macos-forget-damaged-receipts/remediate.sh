#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-forget-damaged-receipts, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    [[ ! -L $1.eucora-aside ]] || fail "$1.eucora-aside is a symbolic link"
    rm -rf -x -- "$1.eucora-aside"
    mv -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
}

# Prints, NUL-separated, the receipts that are no property lists.
damaged_receipts() {
    local file
    [[ -d $receipts ]] || return 0
    find -P -x "$receipts" -maxdepth 1 -type f -name '*.plist' -print0 | while IFS= read -r -d '' file; do
        plutil -lint -s "$file" >/dev/null 2>&1 || printf '%s\0' "$file"
    done
}

state_directory=${EUCORA_STATE_DIR:?}
receipts=/private/var/db/receipts

damaged_receipts | while IFS= read -r -d '' file; do
    set_aside "$file"
done
