#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-repair-volume, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

mount=${EUCORA_PARAM_MOUNT-}
[[ $mount =~ ^/Volumes/[A-Za-z0-9._+@\ -]{1,100}$ && $mount != *..* ]] || fail "parameter mount is malformed or names a system volume"
diskutil info "$mount" >/dev/null 2>&1 || fail "$mount is not a volume"

diskutil verifyVolume "$mount" || fail "$mount is still damaged"
echo "$mount is healthy"
