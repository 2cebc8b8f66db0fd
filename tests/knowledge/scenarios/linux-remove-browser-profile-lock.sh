# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /home/tester/.config/{chromium,google-chrome,microsoft-edge} /home/tester/.mozilla/firefox/x.default
    ln -s testbed-999999 /home/tester/.config/chromium/SingletonLock
    ln -s "testbed-$$" /home/tester/.config/google-chrome/SingletonLock
    ln -s otherhost-999999 /home/tester/.config/microsoft-edge/SingletonLock
    ln -s 127.0.1.1:+999999 /home/tester/.mozilla/firefox/x.default/lock
}
check_repaired() {
    same "$(cd /home/tester && find . -type l | sort | tr '\n' ' ')" \
        './.config/google-chrome/SingletonLock ./.config/microsoft-edge/SingletonLock '
}
