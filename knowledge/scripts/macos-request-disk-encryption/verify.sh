#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-request-disk-encryption, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# True when FileVault is on or being switched on.
encryption_is_on() {
    [[ $(fdesetup status) == *"FileVault is On"* || $(fdesetup status) == *"in progress"* ]]
}

receipt=/var/db/eucora-filevault-receipt.plist

encryption_is_on || [[ $(fdesetup showdeferralstatus) != *"not"* ]] || fail "encryption is not requested"
echo "encryption is on or requested"
