# SPDX-License-Identifier: Apache-2.0

make_package() {
    mkdir -p "/tmp/package/DEBIAN"
    printf "Package: %s\nVersion: 1.0\nArchitecture: all\nMaintainer: Test <test@example.test>\nDescription: made by a test\n" "$1" >/tmp/package/DEBIAN/control
    printf "#!/bin/sh\ntouch /var/lib/%s-configured\n" "$1" >/tmp/package/DEBIAN/postinst
    chmod 755 /tmp/package/DEBIAN/postinst
    dpkg-deb --root-owner-group --build /tmp/package "$2" >/dev/null
}
break_device() {
    make_package eucora-example /tmp/example.deb
    dpkg --unpack /tmp/example.deb
}
check_repaired() {
    same "$(dpkg-query -W -f '${Status}' eucora-example)" 'install ok installed'
    [[ -e /var/lib/eucora-example-configured ]]
}
