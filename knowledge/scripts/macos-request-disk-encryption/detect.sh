#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-request-disk-encryption, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# True when FileVault is on or being switched on.
encryption_is_on() {
    [[ $(fdesetup status) == *"FileVault is On"* || $(fdesetup status) == *"in progress"* ]]
}

# True when FileVault is to be switched on at the next logout or logon.
encryption_is_requested() {
    [[ $(fdesetup showdeferralstatus) == *"defer"*"active"* || $(fdesetup showdeferralstatus) == *"Defer"*"true"* ]]
}

receipt=/var/db/eucora-filevault-receipt.plist

if encryption_is_on; then
    echo "the disk is encrypted"
    exit 1
fi
if encryption_is_requested; then
    echo "encryption is already requested"
    exit 1
fi
echo "the disk is not encrypted"
