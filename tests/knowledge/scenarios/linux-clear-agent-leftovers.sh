# SPDX-License-Identifier: Apache-2.0
break_device() {
    mkdir -p /var/lib/eucora-agent/work/old
    touch -d '3 days ago' /var/lib/eucora-agent/work/old/step.sh /var/lib/eucora-agent/queue.db /var/lib/eucora-agent/upload.tmp
    touch /var/lib/eucora-agent/young.tmp
}
check_repaired() {
    same "$(find /var/lib/eucora-agent -type f | sort | tr '\n' ' ')" '/var/lib/eucora-agent/queue.db /var/lib/eucora-agent/young.tmp '
}
check_refusals() {
    step detect 2 EUCORA_PARAM_AGENT_DIRECTORY=/etc
}
