# SPDX-License-Identifier: Apache-2.0
break_device() {
    slack=/home/tester/.config/Slack
    mkdir -p "$slack/Code Cache" "$slack/Cache" /home/tester/.config/Element
    head -c 2000000 /dev/zero >"$slack/Code Cache/big"
    echo account >"$slack/settings"
    ln -s "$slack/Code Cache" /home/tester/.config/Element/Cache
    parameter application all
    parameter maximum_cache_mebibytes 1
}
check_repaired() {
    [[ ! -e "$slack/Code Cache" && -L /home/tester/.config/Element/Cache ]]
    same "$(cat "$slack/settings")" account
}
check_restored() {
    same "$(stat -c %s "$slack/Code Cache/big")" 2000000
}
check_refusals() {
    step detect 2 EUCORA_PARAM_APPLICATION=../Slack
}
