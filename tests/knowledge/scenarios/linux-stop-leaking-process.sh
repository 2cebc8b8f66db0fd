# SPDX-License-Identifier: Apache-2.0
break_device() {
    kibibytes=$(awk '/^MemTotal:/ { print int($2 / 50) }' /proc/meminfo)
    "$TEST_PYTHON" -c "
import pathlib, time
held = b'x' * ($kibibytes * 1024)
pathlib.Path('/proc/self/comm').write_text('leaking')
time.sleep(60)
" &
    parameter process_name leaking
    parameter pid $!
    parameter minimum_memory_percent 1
    wait_until pgrep -x leaking
}
check_repaired() {
    ! pgrep -x leaking || exit 93
}
