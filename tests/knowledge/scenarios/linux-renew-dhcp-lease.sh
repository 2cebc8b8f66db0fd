# SPDX-License-Identifier: Apache-2.0
break_device() {
    ip link add eth0 type veth peer name server0
    ip link set eth0 up
    ip link set server0 up
    ip address add 192.0.2.1/24 dev server0
    ip address add 169.254.7.7/16 dev eth0 scope link
    "$TEST_PYTHON" -c "
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'server0')
server.bind(('', 67))
while True:
    query, _ = server.recvfrom(2048)
    kind = query[query.index(b'\x35\x01') + 2]
    if kind not in (1, 3):
        continue
    answer = bytes([2, 1, 6, 0]) + query[4:8] + query[8:12] + bytes(4)
    answer += socket.inet_aton('192.0.2.50') + socket.inet_aton('192.0.2.1') + query[24:236]
    answer += b'\x63\x82\x53\x63' + bytes([53, 1, 2 if kind == 1 else 5])
    answer += bytes([54, 4]) + socket.inet_aton('192.0.2.1')
    answer += bytes([51, 4]) + (600).to_bytes(4, 'big')
    answer += bytes([1, 4]) + socket.inet_aton('255.255.255.0') + b'\xff'
    server.sendto(answer, ('255.255.255.255', 68))
" &
    wait_until eval 'ss -uln | grep :67' >/dev/null
    wait_until eval '[[ $(cat /sys/class/net/eth0/carrier) == 1 ]]'
}
check_repaired() {
    ip -4 -o address show dev eth0 | grep 192.0.2.50/24 >/dev/null
    ! ip -4 -o address show dev eth0 | grep 169.254 || exit 93
}
