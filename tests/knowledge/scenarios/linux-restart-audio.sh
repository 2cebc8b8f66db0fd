# SPDX-License-Identifier: Apache-2.0
break_device() {
    cp /bin/sleep /usr/bin/pipewire
    pipewire 60 &
    hung=$!
    wait_until pgrep -x pipewire
    kill -STOP "$hung"
    mkdir -p /run/user/1500/pulse
    echo 999999 >/run/user/1500/pulse/pid
}
check_repaired() {
    [[ ! -e /run/user/1500/pulse/pid ]]
    wait_until eval '! pgrep -x -r S,R,T pipewire'
}
