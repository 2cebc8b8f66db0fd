# SPDX-License-Identifier: Apache-2.0
break_device() {
    find /var/cache/apt/archives -type f -name '*.deb' -delete
    head -c 3000000 /dev/zero >/var/cache/apt/archives/example_1.0_all.deb
    parameter minimum_mebibytes 2
}
check_repaired() {
    [[ ! -e /var/cache/apt/archives/example_1.0_all.deb ]]
}
