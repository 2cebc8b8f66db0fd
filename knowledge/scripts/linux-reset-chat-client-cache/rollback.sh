#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-reset-chat-client-cache, rollback: puts back what the repair changed.
set -Eeuo pipefail
trap 'echo "unexpected failure in line $LINENO" >&2; exit 3' ERR
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

# Ends the step with an error that is neither "fault present" nor "fault absent".
fail() {
    printf '%s\n' "$*" >&2
    exit 2
}

# Checks that the value of parameter $1, $2, is a whole number from $3 to $4.
require_integer() {
    [[ $2 =~ ^[0-9]{1,9}$ ]] && (($2 >= $3 && $2 <= $4)) || fail "parameter $1 must be $3 to $4"
}

# Renames $1 out of the way and remembers it for the rollback.
set_aside() {
    rm -rf --one-file-system -- "$1.eucora-aside"
    mv -T -- "$1" "$1.eucora-aside"
    printf '%s\0' "$1" >>"$state_directory/set-aside"
    echo "set aside: $1"
}

# Puts back everything that set_aside renamed.
bring_back() {
    local path
    [[ -f $state_directory/set-aside ]] || return 0
    while IFS= read -r -d '' path; do
        [[ -e $path.eucora-aside && ! -L $path.eucora-aside ]] || continue
        rm -rf --one-file-system -- "$path"
        mv -T -- "$path.eucora-aside" "$path"
        echo "put back: $path"
    done <"$state_directory/set-aside"
    rm -f -- "$state_directory/set-aside"
}

maximum_cache_mebibytes=${EUCORA_PARAM_MAXIMUM_CACHE_MEBIBYTES-500}
require_integer maximum_cache_mebibytes "$maximum_cache_mebibytes" 1 100000
state_directory=${EUCORA_STATE_DIR:?}
application=${EUCORA_PARAM_APPLICATION-all}
caches=(Cache "Code Cache" GPUCache "Service Worker/CacheStorage")
cache_folders=() programs=()
for entry in slack:Slack:slack teams:teams-for-linux:teams-for-linux teams:Microsoft/"Microsoft Teams":teams \
    element:Element:element-desktop signal:Signal:signal-desktop discord:discord:Discord; do
    IFS=: read -r name folder program <<<"$entry"
    [[ $application == all || $application == "$name" ]] || continue
    programs+=("$program")
    for cache in "${caches[@]}"; do cache_folders+=(".config/$folder/$cache"); done
done
((${#cache_folders[@]} > 0)) || fail "parameter application is not one of the choices"

bring_back
echo "everything is as before"
