# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p -m 755 /home/tester/.ssh
    ssh-keygen -q -t ed25519 -N '' -f /home/tester/.ssh/id_ed25519 </dev/null
    chmod 644 /home/tester/.ssh/id_ed25519
    chmod 755 /home/tester/.ssh
}
check_repaired() {
    same "$(stat -c %a /home/tester/.ssh /home/tester/.ssh/id_ed25519{,.pub} | tr '\n' ' ')" '700 600 644 '
    ssh-keygen -y -f /home/tester/.ssh/id_ed25519 >/dev/null
}
check_restored() {
    same "$(stat -c %a /home/tester/.ssh /home/tester/.ssh/id_ed25519 | tr '\n' ' ')" '755 644 '
}
