#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-request-disk-encryption, remediate: repairs the fault; running it twice is harmless.
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

if encryption_is_on || encryption_is_requested; then
    echo "nothing to do"
    exit 0
fi
umask 077
fdesetup enable -defer "$receipt" -forceatlogin 3
echo "encryption is requested for the next logout"
