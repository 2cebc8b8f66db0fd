# SPDX-License-Identifier: Apache-2.0
break_device() {
    cp /bin/sleep /usr/bin/hot-process
    nice -n 3 hot-process 60 &
    hot=$!
    wait_until pgrep -x hot-process
    niceness=$(ps -o ni= -p "$hot" | tr -d ' ')
    cores=$(taskset -pc "$hot")
    parameter process_name hot-process
    parameter pid "$hot"
}
check_repaired() {
    same "$(ps -o ni= -p "$hot" | tr -d ' ')" 19
    [[ $(taskset -pc "$hot") =~ :\ [0-9]+$ ]]
    kill -0 "$hot"
}
check_restored() {
    same "$(ps -o ni= -p "$hot" | tr -d ' ')" "$niceness"
    same "$(taskset -pc "$hot")" "$cores"
}
