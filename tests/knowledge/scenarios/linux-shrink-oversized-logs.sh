# SPDX-License-Identifier: Apache-2.0
break_device() {
    find /var/log -type f -size +2000k -delete
    seq 1 500000 >/var/log/chatty.log
    inode=$(stat -c %i /var/log/chatty.log)
    echo small >/var/log/quiet.log
    parameter limit_mebibytes 2
    parameter keep_mebibytes 1
}
check_repaired() {
    same "$(stat -c '%i %s' /var/log/chatty.log)" "$inode 1048576"
    same "$(tail -n 1 /var/log/chatty.log)" 500000
    same "$(cat /var/log/quiet.log)" small
}
