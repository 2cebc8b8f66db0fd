#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# macos-reset-application-cache, verify: exit 0 when the repair holds on this device.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

application_name=${EUCORA_PARAM_APPLICATION_NAME-}
[[ $application_name =~ ^[A-Za-z0-9][A-Za-z0-9._\ +-]{0,63}$ && $application_name != *..* ]] || fail "parameter application_name is malformed"
state_directory=${EUCORA_STATE_DIR:?}

[[ -f $state_directory/set-aside ]] || exit 0
while IFS= read -r -d '' folder; do
    [[ ! -e $folder || $folder -nt $folder.eucora-aside ]] || fail "$folder was not reset"
done <"$state_directory/set-aside"
echo "the caches of $application_name were reset"
