# SPDX-License-Identifier: Apache-2.0
break_device() {
    profile=/home/tester/.thunderbird/abc.default/ImapMail/mail.example
    mkdir -p "$profile"
    echo '// <!-- <mdb:mork:z v="1.4"/> -->' >"$profile/Sent.msf"
    echo 'torn index' >"$profile/INBOX.msf"
    echo 'the mail itself' >"$profile/INBOX"
    cp /bin/sleep /usr/bin/thunderbird
    thunderbird 60 &
    client=$!
}
check_repaired() {
    same "$(find "$profile" -type f -printf '%f ' | tr ' ' '\n' | sort | tr '\n' ' ')" 'INBOX INBOX.msf.eucora-aside Sent.msf '
    ! kill -0 "$client" 2>/dev/null || [[ $(ps -o stat= -p "$client") == Z* ]] || exit 93
}
check_restored() {
    same "$(cat "$profile/INBOX.msf")" 'torn index'
}
