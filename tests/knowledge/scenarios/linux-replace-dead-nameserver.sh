# SPDX-License-Identifier: Apache-2.0
break_device() {
    "$TEST_PYTHON" -c "
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(('127.0.0.53', 53))
while True:
    question, sender = server.recvfrom(512)
    server.sendto(question[:2] + b'\x81\x80' + question[4:], sender)
" &
    rm -f /etc/resolv.conf
    printf 'search example.test\nnameserver 127.0.0.99\nnameserver 127.0.0.53\n' >/etc/resolv.conf
    before=$(cat /etc/resolv.conf)
    parameter timeout_seconds 1
    wait_until eval 'ss -uln | grep 127.0.0.53:53' >/dev/null
}
check_repaired() {
    same "$(grep -c '^nameserver' /etc/resolv.conf)" 1
    grep -qx 'nameserver 127.0.0.53' /etc/resolv.conf
    grep -qx 'search example.test' /etc/resolv.conf
}
check_restored() {
    same "$(cat /etc/resolv.conf)" "$before"
}
check_refusals() {
    echo 'nameserver 127.0.0.99' >/etc/resolv.conf
    step detect 2
    step remediate 2
    same "$(cat /etc/resolv.conf)" 'nameserver 127.0.0.99'
}
