# SPDX-License-Identifier: Apache-2.0

make_package() {
    mkdir -p "/tmp/package/DEBIAN"
    printf "Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@example.test>\nDescription: made by a test\n" "$1" >/tmp/package/DEBIAN/control
    printf "#!/bin/sh\ntouch /var/lib/%s-configured\n" "$1" >/tmp/package/DEBIAN/postinst
    chmod 755 /tmp/package/DEBIAN/postinst
    dpkg-deb --root-owner-group --build /tmp/package "$2" >/dev/null
}
break_device() {
    mkdir -p /srv/repository
    make_package eucora-example /srv/repository/example.deb
    {
        dpkg-deb --field /srv/repository/example.deb
        echo "Filename: ./example.deb"
        echo "Size: $(stat -c %s /srv/repository/example.deb)"
        echo "SHA256: $(sha256sum /srv/repository/example.deb | cut -d ' ' -f 1)"
    } >/srv/repository/Packages
    rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
    find /var/lib/apt/lists -type f -delete
    echo 'deb [trusted=yes] file:/srv/repository ./' >/etc/apt/sources.list
    apt-get update
    apt-cache show eucora-example >/dev/null
    list=$(find /var/lib/apt/lists -type f -name '*Packages*')
    printf 'Package torn\nno field here\n\n' >"$list"
}
check_repaired() {
    apt-cache show eucora-example >/dev/null
}
check_restored() {
    same "$(head -n 1 "$list")" 'Package torn'
}
