# SPDX-License-Identifier: Apache-2.0
break_device() {
    "$TEST_PYTHON" -c "
import fcntl, pathlib, time
lock = open('/var/lib/dpkg/lock-frontend', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
pathlib.Path('/proc/self/comm').write_text('apt-get')
time.sleep(60)
" &
    hung=$!
    wait_until pgrep -x apt-get
    parameter age_minutes 0
}
check_repaired() {
    ! pgrep -x -r S,R apt-get || exit 93
    [[ -e /var/lib/dpkg/lock-frontend ]]
}
check_refusals() {
    # A holder that is no package manager is left alone.
    "$TEST_PYTHON" -c "
import fcntl, pathlib, time
lock = open('/var/lib/dpkg/lock', 'w')
fcntl.lockf(lock, fcntl.LOCK_EX)
pathlib.Path('/proc/self/comm').write_text('backup')
time.sleep(60)
" &
    wait_until pgrep -x backup
    step detect 1
    pgrep -x backup
}
