# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /srv/small
    mount -t tmpfs -o size=8m tmpfs /srv/small
    # The script spares numbers of open files, whatever disk they are on: not the first ones here.
    touch /srv/small/{1..4000} && rm /srv/small/*
    mkdir -p /srv/small/tmp/deep /srv/small/documents /srv/small/log /srv/small/cache
    echo precious >/srv/precious
    echo work >/srv/small/documents/report.txt
    echo open >/srv/small/tmp/in-use
    exec 9</srv/small/tmp/in-use
    ln -s /srv/precious /srv/small/tmp/link
    ln -s /srv /srv/small/var
    mkdir -p /srv/tmp && echo outside >/srv/tmp/outside
    echo old >/srv/small/log/app.log.1.gz
    echo new >/srv/small/log/app.log
    echo part >/srv/small/documents/export.tmp
    touch '/srv/small/cache/a name with spaces'
    head -c 7800000 /dev/zero >/srv/small/tmp/deep/fill.bin
    parameter mount /srv/small
    parameter minimum_used_percent 85
}
check_repaired() {
    same "$(cat /srv/precious)" precious
    same "$(cat /srv/tmp/outside)" outside
    same "$(find /srv/small -type f | sort | tr '\n' ' ')" \
        "/srv/small/documents/report.txt /srv/small/log/app.log /srv/small/tmp/in-use "
    [[ $(df --output=pcent /srv/small | tail -n 1 | tr -dc 0-9) -lt 20 ]]
}
check_refusals() {
    step remediate 2 EUCORA_PARAM_MOUNT=/srv
    step remediate 2 EUCORA_PARAM_MOUNT=/srv/small/../small
    # Young files on the system disk stay whatever the parameters say.
    echo young >/var/tmp/young
    step remediate 0 EUCORA_PARAM_MOUNT=/ EUCORA_PARAM_AGE_MINUTES=0
    same "$(cat /var/tmp/young)" young
}
