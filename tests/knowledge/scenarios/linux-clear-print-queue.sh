# SPDX-License-Identifier: Apache-2.0
break_device() {
    own_daemon cups
    service cups start
    wait_until service cups status
    mkdir -p /var/spool/cups/tmp
    touch -d '1 hour ago' /var/spool/cups/{c00041,d00041-001}
    touch /var/spool/cups/c00042
    touch -d '1 hour ago' /var/spool/cups/keep-me
}
check_repaired() {
    same "$(find /var/spool/cups -type f | sort | tr '\n' ' ')" '/var/spool/cups/c00042 /var/spool/cups/keep-me '
    service cups status
}
check_restored() {
    same "$(find /var/spool/cups -type f | wc -l)" 4
    service cups status
}
