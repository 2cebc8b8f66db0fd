# SPDX-License-Identifier: Apache-2.0
break_device() {
    "$TEST_PYTHON" -m http.server --bind 127.0.0.1 3128 >/dev/null 2>&1 &
    wait_until eval 'exec 3<>/dev/tcp/127.0.0.1/3128'
    rm -f /etc/apt/apt.conf.d/*proxy* /etc/profile.d/*proxy*
    cat >/etc/environment <<'FILE'
EDITOR=vi
http_proxy="http://127.0.0.1:9"
https_proxy=http://127.0.0.1:3128
FILE
    echo 'Acquire::http::Proxy "http://user:word@127.0.0.1:9";' >/etc/apt/apt.conf.d/80proxy
    before=$(cat /etc/environment /etc/apt/apt.conf.d/80proxy)
}
check_repaired() {
    grep -qx 'https_proxy=http://127.0.0.1:3128' /etc/environment
    grep -qx 'EDITOR=vi' /etc/environment
    same "$(grep -c '^http_proxy' /etc/environment || true)" 0
    apt-config dump | grep 'APT::' && ! apt-config dump | grep -q '127.0.0.1:9' >/dev/null
}
check_restored() {
    same "$(cat /etc/environment /etc/apt/apt.conf.d/80proxy)" "$before"
}
