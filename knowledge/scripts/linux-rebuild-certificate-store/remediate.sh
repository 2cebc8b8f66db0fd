#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-certificate-store, remediate: repairs the fault; running it twice is harmless.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

state_directory=${EUCORA_STATE_DIR:?}

 bundle=/etc/ssl/certs/ca-certificates.crt
 command -v update-ca-certificates >/dev/null || fail "update-ca-certificates is not installed"

if [[ -f $bundle && ! -f $state_directory/bundle ]]; then
    cp -p -- "$bundle" "$state_directory/bundle"
fi
timeout 150 update-ca-certificates --fresh </dev/null
