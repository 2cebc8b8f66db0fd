#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-rebuild-certificate-store, detect: exit 0 when the fault is present, 1 when it is absent, other codes on errors.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Prints how many readable certificates the bundle holds.
count_certificates() {
    [[ -f $bundle ]] || { echo 0; return 0; }
    openssl crl2pkcs7 -nocrl -certfile "$bundle" 2>/dev/null |
        openssl pkcs7 -print_certs -noout 2>/dev/null | grep -c '^subject' || true
}

# Prints how many certificates are selected for the bundle.
count_expected() {
    awk '/^[^#!]/ { count++ } END { print count + 0 }' /etc/ca-certificates.conf
}

state_directory=${EUCORA_STATE_DIR:?}

 bundle=/etc/ssl/certs/ca-certificates.crt
 command -v update-ca-certificates >/dev/null || fail "update-ca-certificates is not installed"

present=$(count_certificates)
expected=$(count_expected)
((expected > 0)) || fail "no certificate authority is selected in /etc/ca-certificates.conf"
echo "the bundle holds $present readable certificates of at least $expected"
((present < expected)) || exit 1
