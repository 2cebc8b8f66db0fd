#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-disable-dead-proxy, remediate: repairs the fault; running it twice is harmless.
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

# Prints the system's files that may set a proxy.
proxy_files() {
    local file
    for file in /etc/environment /etc/profile.d/*proxy*.sh /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
        [[ ! -f $file || -L $file ]] || printf '%s\n' "$file"
    done
}

# Prints "host port" of each proxy that the file $1 sets.
proxy_addresses() {
    sed -nE '/^[[:space:]]*(#|\/\/)/d; /[Pp][Rr][Oo][Xx][Yy]/s|.*https?://([^@/]*@)?([A-Za-z0-9._-]+):([0-9]{1,5}).*|\2 \3|p' "$1" |
        sort -u
}

# True when port $2 of host $1 accepts a connection.
proxy_accepts() {
    timeout "$timeout_seconds" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>/dev/null
}

# Prints "file host port" of each setting whose proxy accepts no connection.
dead_proxies() {
    local file host port
    while IFS= read -r file; do
        while read -r host port; do
            proxy_accepts "$host" "$port" </dev/null || printf '%s\t%s\t%s\n' "$file" "$host" "$port"
        done < <(proxy_addresses "$file")
    done < <(proxy_files)
}

timeout_seconds=${EUCORA_PARAM_TIMEOUT_SECONDS-3}
require_integer timeout_seconds "$timeout_seconds" 1 10
state_directory=${EUCORA_STATE_DIR:?}

found=$(dead_proxies)
mkdir -p -- "$state_directory/files"
while IFS=$'\t' read -r file host port; do
    [[ -n $file ]] || continue
    copy=$state_directory/files/${file//\//%}
    [[ -f $copy ]] || cp -p -- "$file" "$copy"
    mark='#'
    [[ $file != /etc/apt/* ]] || mark='//'
    pattern=${host//./\\.}:$port
    changed=$(sed --sandbox -E "\,://([^@/]*@)?$pattern,{\,^[[:space:]]*(#|//),!s,^,$mark unreachable: ,}" "$file")
    printf '%s\n' "$changed" >"$file"
    echo "commented out $host:$port in $file"
done <<<"$found"
