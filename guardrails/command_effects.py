# SPDX-License-Identifier: Apache-2.0
"""Tables of ordinary commands: what each does; when one only looks, guardrails.unix_looks says."""

# ruff: noqa: E501 - tables

from typing import Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.program_rows import index_rows

_K = EffectKind
_S = EffectSeverity
CommandTable = dict[str, Harm]


def _table(*rows: tuple[str, EffectKind, EffectSeverity]) -> CommandTable:
    return index_rows((names, (kind, severity)) for names, kind, severity in rows)


BASH_COMMANDS: Final = _table(
    ("rm unlink rmdir", _K.DELETES_FILES, _S.MEDIUM),
    ("shred wipe srm", _K.DELETES_FILES, _S.HIGH),
    ("truncate", _K.DELETES_FILES, _S.MEDIUM),
    ("chmod chown chgrp setfacl chflags", _K.CHANGES_PERMISSIONS, _S.MEDIUM),
    ("systemctl service launchctl rc-service", _K.CHANGES_SERVICES, _S.MEDIUM),
    ("kill pkill killall skill", _K.ENDS_PROCESSES, _S.MEDIUM),
    ("renice", _K.ENDS_PROCESSES, _S.LOW),
    (
        "apt apt-get aptitude dpkg dnf yum rpm zypper snap flatpak pacman brew",
        _K.CHANGES_SOFTWARE,
        _S.MEDIUM,
    ),
    ("softwareupdate installer pkgutil pip pip3 npm", _K.CHANGES_SOFTWARE, _S.MEDIUM),
    (
        "ip ifconfig nmcli route resolvectl networksetup dhclient ipconfig iwconfig rfkill",
        _K.CHANGES_NETWORK,
        _S.MEDIUM,
    ),
    ("dscacheutil", _K.CHANGES_NETWORK, _S.LOW),
    (
        "useradd userdel usermod groupadd passwd chpasswd dscl sysadminctl visudo gpasswd",
        _K.CHANGES_ACCOUNTS,
        _S.HIGH,
    ),
    (
        "mkfs fdisk sfdisk parted wipefs diskutil mkswap lvremove vgremove cryptsetup",
        _K.CHANGES_DISKS,
        _S.HIGH,
    ),
    ("fsck mount umount", _K.CHANGES_DISKS, _S.MEDIUM),
    ("timedatectl chronyc ntpdate sntp hwclock systemsetup", _K.CHANGES_TIME, _S.LOW),
    ("reboot shutdown halt poweroff", _K.RESTARTS_DEVICE, _S.HIGH),
    ("curl wget fetch ftp scp sftp rsync nc ncat netcat socat ssh telnet", _K.DOWNLOADS, _S.MEDIUM),
    ("eval", _K.RUNS_DYNAMIC_CODE, _S.HIGH),
    ("python python3 perl ruby node osascript php", _K.RUNS_DYNAMIC_CODE, _S.MEDIUM),
    ("security secret-tool keyctl", _K.READS_CREDENTIALS, _S.MEDIUM),
    (
        "iptables nft ufw firewall-cmd pfctl setenforce aa-disable aa-teardown csrutil spctl auditctl",
        _K.DISABLES_SECURITY,
        _S.HIGH,
    ),
    ("crontab at", _K.PERSISTS, _S.HIGH),
    ("sudo doas su pkexec", _K.ELEVATES, _S.LOW),
    ("insmod modprobe rmmod kextload sysctl nvram", _K.WRITES_SYSTEM_FILES, _S.HIGH),
    ("kextunload kextutil", _K.WRITES_SYSTEM_FILES, _S.HIGH),
    ("ip6tables tccutil", _K.DISABLES_SECURITY, _S.HIGH),
    (
        "adduser deluser addgroup delgroup groupdel groupmod chsh chfn chage newusers dseditgroup pwpolicy dsenableroot vipw",
        _K.CHANGES_ACCOUNTS,
        _S.HIGH,
    ),
    (
        "swapon swapoff lvcreate lvextend lvresize pvcreate vgcreate vgextend resize2fs xfs_growfs e2fsck tune2fs hdparm nvme mdadm losetup blockdev partprobe fstrim hdiutil sgdisk gdisk newfs_apfs newfs_hfs",
        _K.CHANGES_DISKS,
        _S.HIGH,
    ),
    ("zpool zfs btrfs", _K.CHANGES_DISKS, _S.HIGH),
    (
        "defaults gsettings dconf xset PlistBuddy plutil lpadmin lpoptions cupsenable cupsdisable cupsaccept cupsreject localectl scutil",
        _K.CHANGES_PREFERENCES,
        _S.LOW,
    ),
    ("pmset fdesetup tmutil", _K.CHANGES_PREFERENCES, _S.MEDIUM),
    ("cancel lprm lp lpr", _K.CHANGES_SERVICES, _S.LOW),
    ("hostnamectl hostname", _K.CHANGES_NETWORK, _S.MEDIUM),
    ("dhcpcd ifup ifdown wpa_cli brctl ethtool tc arp iw iwlist", _K.CHANGES_NETWORK, _S.MEDIUM),
    ("loginctl journalctl socketfilterfw", _K.CHANGES_SERVICES, _S.MEDIUM),
    ("initctl chkconfig update-rc.d sv supervisorctl telinit init", _K.CHANGES_SERVICES, _S.MEDIUM),
    ("docker podman kubectl crictl jamf", _K.CHANGES_SOFTWARE, _S.MEDIUM),
    (
        "apt-mark apt-key add-apt-repository dpkg-reconfigure update-alternatives fwupdmgr snapper timeshift mas port gem easy_install pipx conda microdnf apk emerge rpm-ostree transactional-update unattended-upgrade dkms",
        _K.CHANGES_SOFTWARE,
        _S.MEDIUM,
    ),
    ("date", _K.CHANGES_TIME, _S.LOW),
    ("xattr SetFile chattr setcap chcon restorecon semanage", _K.CHANGES_PERMISSIONS, _S.MEDIUM),
    (
        "update-grub grub-mkconfig grub-install update-initramfs dracut bless efibootmgr mokutil",
        _K.WRITES_SYSTEM_FILES,
        _S.HIGH,
    ),
    ("update-ca-certificates update-ca-trust", _K.WRITES_SYSTEM_FILES, _S.MEDIUM),
    ("setsebool semodule", _K.DISABLES_SECURITY, _S.HIGH),
    ("ss fuser", _K.ENDS_PROCESSES, _S.MEDIUM),
    ("git", _K.CHANGES_SOFTWARE, _S.MEDIUM),
    ("dmesg history", _K.ERASES_TRACES, _S.MEDIUM),
    ("smartctl", _K.CHANGES_DISKS, _S.MEDIUM),
    ("aria2c axel lynx w3m elinks http https s3cmd smbclient lftp tftp", _K.DOWNLOADS, _S.MEDIUM),
    ("mail mailx sendmail mutt", _K.SENDS_DATA, _S.MEDIUM),
    ("wakeonlan etherwake", _K.REACHES_DEVICES, _S.LOW),
    ("gpg gpg2", _K.ENCRYPTS_FILES, _S.MEDIUM),
    ("wall write", _K.SENDS_DATA, _S.LOW),
    ("openssl", _K.ENCRYPTS_FILES, _S.LOW),
    ("screencapture scrot import xwd pbpaste xclip xsel", _K.CAPTURES_DATA, _S.HIGH),
    ("tcpdump tshark dumpcap", _K.CAPTURES_DATA, _S.HIGH),
    ("kinit realm adcli dsconfigad", _K.CHANGES_ACCOUNTS, _S.MEDIUM),
    ("atrm batch", _K.PERSISTS, _S.HIGH),
    ("nmap", _K.EXPLORES, _S.MEDIUM),
    ("kmutil", _K.WRITES_SYSTEM_FILES, _S.HIGH),
    ("ipmitool", _K.RESTARTS_DEVICE, _S.HIGH),
    ("hpssacli ssacli storcli megacli lvchange vgchange pvremove", _K.CHANGES_DISKS, _S.HIGH),
    ("xcode-select bootctl", _K.WRITES_SYSTEM_FILES, _S.MEDIUM),
    ("setfattr", _K.CHANGES_PERMISSIONS, _S.MEDIUM),
    ("networkctl bridge mii-tool udhcpc arping airport lldpctl", _K.CHANGES_NETWORK, _S.MEDIUM),
    ("hidutil", _K.CHANGES_PREFERENCES, _S.MEDIUM),
    ("mdutil odutil gpgconf", _K.CHANGES_SERVICES, _S.LOW),
    ("rpcinfo systemd-analyze", _K.CHANGES_SERVICES, _S.MEDIUM),
    ("trust mdatp falconctl fail2ban-client profiles", _K.DISABLES_SECURITY, _S.HIGH),
    ("rkhunter aide", _K.DISABLES_SECURITY, _S.MEDIUM),
    ("clamscan clamdscan", _K.DELETES_FILES, _S.MEDIUM),
    ("logrotate", _K.DELETES_FILES, _S.MEDIUM),
    ("freshclam", _K.CHANGES_SOFTWARE, _S.LOW),
    ("ubuntu-drivers pro", _K.CHANGES_SOFTWARE, _S.MEDIUM),
    ("exportfs sshd", _K.OPENS_NETWORK, _S.HIGH),
    ("logger", _K.SENDS_DATA, _S.MEDIUM),
    (
        "pactl pacmd amixer wpctl bluetoothctl powerprofilesctl cpupower tuned-adm xdg-mime xdg-settings duti lsregister lsappinfo sensors",
        _K.CHANGES_PREFERENCES,
        _S.LOW,
    ),
    ("kdestroy", _K.CHANGES_ACCOUNTS, _S.LOW),
    ("wbinfo", _K.CHANGES_ACCOUNTS, _S.MEDIUM),
    ("lastlog", _K.ERASES_TRACES, _S.HIGH),
    ("multipath hpasmcli", _K.CHANGES_DISKS, _S.HIGH),
    ("efivar", _K.WRITES_SYSTEM_FILES, _S.HIGH),
)
