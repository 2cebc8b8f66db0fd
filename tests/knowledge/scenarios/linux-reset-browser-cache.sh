# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /home/tester/.cache/chromium/Default /home/tester/.config/chromium
    head -c 2000000 /dev/zero >/home/tester/.cache/chromium/Default/big
    echo kept >/home/tester/.config/chromium/Bookmarks
    parameter browser chromium
    parameter maximum_cache_mebibytes 1
}
check_repaired() {
    [[ ! -e /home/tester/.cache/chromium ]]
    same "$(cat /home/tester/.config/chromium/Bookmarks)" kept
}
check_restored() {
    same "$(stat -c %s /home/tester/.cache/chromium/Default/big)" 2000000
}
