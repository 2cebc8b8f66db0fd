# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /home/tester/Nextcloud
    echo document >/home/tester/Nextcloud/plan.txt
    echo torn >/home/tester/Nextcloud/.sync_0123456789ab.db
    echo log >/home/tester/Nextcloud/.sync_0123456789ab.db-wal
}
check_repaired() {
    [[ ! -e /home/tester/Nextcloud/.sync_0123456789ab.db && ! -e /home/tester/Nextcloud/.sync_0123456789ab.db-wal ]]
    same "$(cat /home/tester/Nextcloud/plan.txt)" document
}
check_restored() {
    same "$(cat /home/tester/Nextcloud/.sync_0123456789ab.db{,-wal} | tr '\n' ' ')" 'torn log '
}
