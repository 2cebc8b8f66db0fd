#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-forget-damaged-receipts, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Counts the NUL-separated entries of its input.
count_entries() {
    tr -dc '\0' | wc -c | tr -d ' '
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

count=$(damaged_receipts | count_entries)
echo "$count receipts are damaged"
((count > 0)) || exit 1
