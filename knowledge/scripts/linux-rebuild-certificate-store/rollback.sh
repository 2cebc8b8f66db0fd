#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-certificate-store, rollback: puts back what the repair changed.
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

[[ -f $state_directory/bundle ]] || exit 0
cat -- "$state_directory/bundle" >"$bundle"
rm -f -- "$state_directory/bundle"
echo "the bundle is as before"
