#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# linux-replace-dead-nameserver, remediate: repairs the fault; running it twice is harmless.
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

# Prints the name servers in use, at most eight.
name_servers() {
    awk '$1 == "nameserver" && count++ < 8 { print $2 }' "$configuration"
}

# True when the name server $1 answers a question for the root's servers (RFC 1035).
server_answers() {
    timeout "$timeout_seconds" bash -c '
        exec 3<>"/dev/udp/$1/53"
        printf "\x45\x55\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01" >&3
        [[ $(head -c 2 <&3) == EU ]]
    ' bash "$1" 2>/dev/null
}

timeout_seconds=${EUCORA_PARAM_TIMEOUT_SECONDS-2}
require_integer timeout_seconds "$timeout_seconds" 1 5
state_directory=${EUCORA_STATE_DIR:?}

configuration=/etc/resolv.conf

[[ ! -L $configuration ]] || fail "$configuration belongs to a resolver service"
[[ -f $state_directory/resolv.conf ]] || cp -p -- "$configuration" "$state_directory/resolv.conf"
dead=() alive=0
while IFS= read -r server; do
    if server_answers "$server"; then alive=$((alive + 1)); else dead+=("$server"); fi
done < <(name_servers)
((alive > 0)) || fail "no name server answers: nothing was changed"
changed=$(awk -v dead=" ${dead[*]-} " \
    '$1 == "nameserver" && index(dead, " " $2 " ") { print "# does not answer: " $0; next } { print }' \
    "$configuration")
printf '%s\n' "$changed" >"$configuration"
echo "taken out of use: ${dead[*]-none}"
