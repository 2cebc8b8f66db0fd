# SPDX-License-Identifier: Apache-2.0
break_device() {
    ip tuntap add dev tun0 mode tun
    ip link set dev tun0 mtu 1500 up
    ip link add eth0 type veth peer name eth1
    ip link set dev eth0 up
}
check_repaired() {
    same "$(cat /sys/class/net/tun0/mtu) $(cat /sys/class/net/eth0/mtu)" '1280 1500'
}
check_restored() {
    same "$(cat /sys/class/net/tun0/mtu)" 1500
}
