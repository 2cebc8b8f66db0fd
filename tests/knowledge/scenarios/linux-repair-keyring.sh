# SPDX-License-Identifier: Apache-2.0
break_device() {
    keyrings=/home/tester/.local/share/keyrings
    mkdir -p "$keyrings"
    printf 'GnomeKeyring\n\r\0\nrest' >"$keyrings/work.keyring"
    printf '\0\0\0\0\0\0' >"$keyrings/login.keyring"
}
check_repaired() {
    [[ -e $keyrings/work.keyring && ! -e $keyrings/login.keyring ]]
}
check_restored() {
    same "$(stat -c %s "$keyrings/login.keyring")" 6
}
