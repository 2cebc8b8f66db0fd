#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-forget-damaged-receipts, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

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
((count == 0)) || fail "$count receipts are still damaged"
echo "every receipt is readable"
