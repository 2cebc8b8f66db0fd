# SPDX-License-Identifier: Apache-2.0
break_device() {
    own_daemon spooler
    parameter service_name spooler
    service spooler start
    wait_until service spooler status
    kill -KILL "$(cat /run/spooler.pid)"
    wait_until eval '! service spooler status'
}
check_repaired() {
    service spooler status
}
check_refusals() {
    step detect 2 EUCORA_PARAM_SERVICE_NAME=no-such-service
    step detect 2 EUCORA_PARAM_SERVICE_NAME=../spooler
    step detect 2 EUCORA_PARAM_SERVICE_NAME=eucora-agent
}
