# SPDX-License-Identifier: Apache-2.0
"""Programs that change the device, and the arguments with which each only looks.

Rows are `programs | pattern`, and closed: a pattern lists what looks, never what changes, so that
an option or a subcommand which it does not know leaves the effect of guardrails.command_effects. It
meets the arguments joined by spaces; blanks inside one argument are underscores.
"""
# ruff: noqa: E501 - a table

import re
from typing import Final

from guardrails.program_rows import index_rows

_ROWS: Final = r"""
nmcli | (?:(?:-[tgfempw]+|--\w+)(?: [\w,.:-]+)?? ){0,6}(?:(?:general|gen|g|device|dev|d|connection|con|c)(?: (?:status|show(?: .*)?|permissions|hostname))?|(?:networking|net|n)(?: connectivity(?: check)?)?|(?:radio|r)(?: (?:wifi|wwan|all))?|(?:device|dev|d) wifi(?: list(?: .*)?)?)?
iptables ip6tables | (?=.*(?:^| )-(?:[nvxw46]*[LS]|-list))(?:(?:-[nvxLSw46]+|-t \S+|--(?:list|list-rules|numeric|verbose|line-numbers|exact|table|wait)(?:=\S+)?|[A-Za-z]\S*|\d+)(?: |$))+
sysctl | (?:(?:-[naAebNq]+|--(?:all|values|names|ignore|quiet))(?: |$))*(?:[\w./][\w./-]*(?: |$))*
diskutil | (?:list|info|activity|listFilesystems|verifyVolume|verifyDisk|apfs list\w*|cs list|appleRAID list)(?: .*)?
chronyc | (?:-[nc46]+ )*(?:tracking|sources|sourcestats|activity|ntpdata|clients|serverstats|rtcdata)(?: .*)?
ip | (?:(?:-f(?:amily)? \w+|-n(?:etns)? \S+|-(?!b|f|n)[\w-]+) )*(?:(?:a|addr|address|l|link|r|ro|route|n|neigh|neighbou?r|rule|ru|maddr|maddress|tunnel|netns|nexthop|tcp_metrics|xfrm (?:state|policy)|mptcp \w+)(?: (?:show|sh|list|lst|ls|get)(?: .*)?)?)?
defaults | (?:-currentHost )?(?:read|read-type|find|domains|help)(?: .*)?
profiles | (?:list|show|status|-L|-P|-C|-H|-e|version|help)(?: (?!-[RDIiF])\S+)*
pmset | -g(?: \w+)*
scutil | (?:--(?:get|dns|proxy|nwi|nc (?:list|status|show))|-r|-w)(?: .*)?
fdesetup | (?:status|isactive|list|hasinstitutionalkey|haspersonalkey|supportsauthrestart|usingrecoverykey|version|show\w+)(?: .*)?
tmutil | (?:list\w*|latestbackup|destinationinfo|status|currentphase|isexcluded|machinedirectory|version|compare|calculatedrift|uniquesize)(?: .*)?
kmutil | (?:showloaded|inspect|find|check|libraries|print-diagnostics|help)(?: .*)?
plutil | -(?:lint|p|help|type \S+)(?: -s| -expect \S+)*(?: --)?(?: [^-\s]\S*)*|-extract \S+ raw(?: -n| -expect \S+| --)*(?: [^-\s]\S*)+|(?=.*(?:^| )-o -(?: |$)).*|[^-\s]\S*
PlistBuddy | (?i)(?:-[xhl]+ )*(?:-c (?:print|help|exit|quit)(?:_\S*)? )+(?:-[xhl]+ )*[^-\s]\S*(?: -[xhl]+)*
xattr | (?:-[lpvrxs]+ )*(?:[^-\s]\S*(?: |$))*
hdiutil | (?:info|imageinfo|verify|checksum|isencrypted|plugins|pmap|hfsanalyze)(?: .*)?
zpool zfs | (?:list|status|get|history|iostat|version)(?: .*)?|
mdadm | (?:--detail|-D|--examine|-E|--query|-Q|--version)(?: .*)?
docker podman | (?:ps|images|info|version|logs|inspect|top|stats|port|diff|history|events|search|system df|(?:container|image|volume|network) (?:ls|list|inspect))(?: .*)?
kubectl crictl | (?:get|describe|logs|version|cluster-info|top|api-resources|api-versions|explain|config (?:view|get-contexts|current-context)|ps|images|info|stats|inspect)(?: .*)?
git | (?:(?:-C \S+|--no-pager|--git-dir=\S+|--work-tree=\S+) )*(?:(?:status|log|rev-parse|rev-list|describe|ls-files|ls-tree|cat-file|show|diff|blame|shortlog|merge-base|for-each-ref|name-rev)(?: .*)?|branch(?: (?:--show-current|-[avr]+|--list(?: \S+)?|--contains(?: \S+)?))*|tag(?: (?:-l|--list|-n\d*|--sort=\S+|--points-at \S+)(?: [^-\s]\S*)?)*|remote(?: (?:-v|show \S+|get-url \S+))?|stash list|--version)
lpoptions | (?:(?:-[El]+|-[ph] \S+)(?: |$))*
hostnamectl localectl | (?:--(?:static|transient|pretty|json=\S+|no-pager|no-ask-password)(?: |$))*(?:status|hostname|icon-name|chassis|deployment|location|list-\S+(?: \S+)?|show)?
hostname | (?:-[fsdiIAay]+|--fqdn|--short|--ip-address|--all-ip-addresses|--domain)?
loginctl | (?:-\S+ )*(?:list-\w+|show-\w+|\w+-status)(?: .*)?|
journalctl | (?:(?:-[a-zA-Z]\S*|--(?:unit|user-unit|since|until|lines|no-pager|priority|boot|list-boots|output|follow|grep|disk-usage|dmesg|identifier|reverse|quiet|utc|field|fields|system|user|catalog|all|no-full|full|merge|directory|file|root|cursor|after-cursor|show-cursor|cursor-file|header|verify|output-fields|no-hostname|pager-end|case-sensitive|facility|namespace|version|help|list-catalog|dump-catalog|truncate-newline|no-tail|transport|image|machine)(?:=\S*)?|[^-\s]\S*|-\d+|-)(?: |$))*
gsettings dconf | (?:get|list-\S+|range|writable|describe|monitor|read|list|dump|help)(?: .*)?
chage | (?:-l|--list)(?: [^-\s]\S*)?
socketfilterfw | (?:--(?:get\w+|list\w*)(?: [^-\s]\S*)?(?: |$))+
update-alternatives | --(?:display|list|query|get-selections)(?: [^-\s]\S*)?
fwupdmgr snapper timeshift | (?:get-\S+|list|--list|security|status|--version)(?: .*)?
apt-mark | show\w*(?: .*)?
dpkg | (?:-[lsLSCpVI]\w*|--(?:list|status|listfiles|search|audit|print-\S+|get-selections|verify|compare-versions|info|contents|assert-\S+))(?: .*)?
rpm | (?:-q\w*|-V\w*|--query|--verify|-K|--checksig)(?: (?!.*(?:--eval|--pipe|--import)).*)?
apt | (?:-[qV]+ )*(?:list|show|search|policy|depends|rdepends|changelog)(?: .*)?
apt-get | check(?: -q+)?|(?!.* -- )(?=.*(?:^| )(?:-s|--simulate|--dry-run|--just-print|--recon|--no-act|--print-uris)(?: |$)).*
dnf yum | (?:-[qCy]+ )*(?:history(?: (?:list|info|userinstalled)(?: .*)?)?|(?:list|info|search|repolist|check-update|provides|deplist|updateinfo|check|repoquery|grouplist)(?: .*)?)
zypper | (?:--\S+ |-n )*(?:lr|repos|lu|list-updates|list-patches|lp|se|search|if|info|pchk|patch-check|ps)(?: .*)?
pacman | -Q\w*(?: .*)?|-S[si]+(?: .*)?
snap | (?:list|info|changes|find|services|version|refresh --list|connections|warnings)(?: .*)?
flatpak | (?:list|info|remotes|search|history|ps|remote-ls)(?: .*)?
brew | (?:list|info|doctor|outdated|config|deps|uses|leaves|--prefix|--version|search|services list)(?: .*)?
pip pip3 | (?:list|show|freeze|check|--version|index versions|cache (?:dir|info|list))(?: .*)?
npm | (?:list|ls|view|outdated|root|prefix|bin|--version|-v)(?: .*)?
softwareupdate | (?:--list|-l|--history|--list-full-installers)(?: --?(?:all|no-scan|verbose))*|--schedule
pkgutil | --(?:pkgs|pkgs-plist|pkg-info|pkg-info-plist|files|file-info|file-info-plist|volumes|packages|lsbom|check-signature|pkg-groups|groups|only-files|only-dirs|pkgs=\S+)(?: (?:--(?:volume|only-files|only-dirs|regexp|pkg-info|files)(?:=\S+)?|[^-\s]\S*))*
installer | -(?:pkginfo|dominfo|volinfo|query|vers)(?: .*)?
security | (?:find-certificate|verify-cert|list-keychains|show-keychain-info|find-identity|cms -D|dump-trust-settings)(?: (?!.*-s(?: |$)).*)?
dscl | (?:\S+ )?-?(?:list|read|readall|search|readpl|ls|cat)(?: .*)?
launchctl | (?:list|print|blame|print-disabled|managername|print-cache|dumpstate|version|hostinfo|manageruid|managerpid|procinfo|getenv)(?: .*)?
systemctl | (?:-[\w-]+(?:=\S*)? )*(?:is-\w[\w-]*|status|show|list-\S+|cat|get-default|show-environment|help)(?: .*)?|(?:(?:-[alq]+|--(?:all|failed|state=\S+|type=\S+|no-pager|no-legend|full|plain|user|quiet|recursive))(?: |$))*
service rc-service | --status-all|(?:[\w.@-]|\$\{?\w+\}?)+ status
sv | (?:-v )?(?:status|check)(?: [^-\s]\S*)*
supervisorctl | (?:status|avail|pid|version|maintail)(?: [^-\s]\S*)*
initctl | (?:list|status(?: [^-\s]\S*)?|show-config(?: [^-\s]\S*)?|version)
chkconfig | (?:--list)?(?: [^-\s]\S*)?
xset | -?q
crontab | -l(?: -u \S+)?|-u \S+ -l
firewall-cmd | (?:--(?:permanent|zone=\S+|state|direct|version|(?:list|get|query|info)(?:-\S*)?)(?: (?=--)|$))+
ufw | status(?: \w+)?|version|app (?:list|info)(?: .*)?
nft | (?:-[aNnSsypjtTu]+ )*list(?: [^;\s]+)*
pfctl | (?:(?:-[vqrPgN]+|-[vqrPgN]*s ?\w*|-a \S+|-i \S+)(?: |$))+
route | (?:-n ?|-4 ?|-6(?: |$))*(?:get .*|print.*)?
ifconfig | (?:(?:-a|-s|-l|-u)(?: |$))*(?:[\w:.$\"{}][\w:.$\"{}-]*)?
iwconfig | [\w.$\"{}]*
mount | (?:-[lvV]|-t \w+)?
swapon | (?:-s|--show\S*|--summary)?(?: .*)?
date | (?:(?:-[uRn]+|-I\S*|--(?:utc|universal|iso-8601|rfc-3339|rfc-email|rfc-822|debug|resolution)(?:=\S+)?|-[drvz] ?\S+|--(?:date|reference|file)[= ]\S+|\"?\+\S*)(?: |$))*|-[a-zA-Z]*j.*
dmesg | (?:(?:-[HLTdewWxrkutJPVh]+|-[lfsFK] ?\S+|--(?:level|facility|time-format|since|until|buffer-size|file|kmsg-file)[= ]\S+|--color(?:=\S+)?|--(?:ctime|human|follow|decode|show-delta|reltime|nopager|kernel|userspace|raw|follow-new|notime|json|syslog|noescape|force-prefix))(?: |$))*
ss | (?:(?:-[hVnraleomtupdwxSiZzNb046OEBHQMTs]+|-[fA] ?\S+|--(?:numeric|resolve|all|listening|options|extended|memory|processes|info|threads|contexts?|net|tos|cgroup|ipv4|ipv6|packet|tcp|mptcp|sctp|vsock|dccp|udp|raw|unix|xdp|summary|bpf|events|no-header|family|query|oneline|no-queues|inet-sockopt|tipc)(?:=\S+)?|[^-\s]\S*)(?: |$))*
fuser | (?:(?:-[amsuv46lVcf]+|-n \S+|[^-\s]\S*)(?: |$))*
visudo | -\w*c\w*(?: .*)?
passwd | (?:-S|--status)(?: [^-\s]\S*)?
parted | (?:-s |-l ?|-m |--script |--list(?: |$))*(?:[^-\s]\S* )?(?:(?:unit \w+ )?print(?: (?:devices|free|list|all|\d+))?)?
fdisk sfdisk gdisk sgdisk | (?:-l|--list|-s|-d|--dump|-p)(?: [^-\s]\S*)*
smartctl | (?:(?:-[aHixcA]+|-[ldTnPvrqfF] ?\S+|--(?:all|xall|health|info|capabilities|attributes|scan|scan-open|json|log|device|nocheck|format|quietmode|identify)(?:=\S+)?|[^-\s]\S*)(?: |$))+
tune2fs | -l [^-\s]\S*
hdparm | -[iItTgC]+(?: [^-\s]\S*)*
nvme | (?:list|smart-log|id-ctrl|id-ns|error-log|fw-log)(?: .*)?
kill | -(?:0|l|L)(?: .*)?
timedatectl | (?:status|show|timesync-status|show-timesync|list-timezones)?(?: .*)?
history | \d*
rfkill | (?:(?:-[nrJ]+|-o \S+|--(?:noheadings|raw|json|output=\S+|output-all|output \S+))(?: |$))*(?:list(?: \w+)?)?
auditctl | -[ls]
csrutil | (?:authenticated-root )?status
spctl | --status|(?:(?:-a|--assess|-v+|--verbose\S*|--?t(?:ype)? \S+|--ignore-cache|--no-cache|--context \S+|--raw|[^-\s]\S*)(?: |$))+
nvram | (?:-p|-x -p|-xp)|[\w%][\w:%-]*
systemsetup | -(?:get|list)\w+
ipconfig | (?:getifaddr|getpacket|getsummary|ifcount|getoption|getv6packet|waitall)(?: .*)?
openssl | (?:x509|crl2pkcs7|pkcs7|storeutl|version|verify|s_client|req|crl|dgst|list|ciphers|asn1parse|rand|prime|speed|errstr)(?: (?!.*-(?:out|keyout|signkey|CAkey|newkey|writerand|CAcreateserial)\b).*)?
semodule | (?:-v )?(?:-l\w*|--list\S*)
ipmitool | (?:-\S+ (?:[^-\s]\S* )?)*(?:sdr|sensor|fru|sel (?:list|elist|info)|mc info|lan print|chassis (?:status|power status)|user list)(?: .*)?
hpssacli ssacli | (?i)(?:ctrl|controller) (?:[\w=.:]+ )*show(?: (?:config|status|detail|all))*
storcli | (?i)(?:/\S+ )?show(?: all)?(?: (?:nolog|j))?
megacli | (?i)-(?:ShowSummary|LdPdInfo|AdpAllInfo|PDList|LDInfo|AdpBbuCmd)(?: -(?:aALL|LALL|Lall|a\d+|L\d+|NoLog|GetBbuStatus))*
bootctl | (?:status|list|is-installed)?(?: --no-pager)?
xcode-select | (?:-p|--print-path|-v|--version)
efibootmgr | (?:-v)?
mokutil | --(?:sb-state|list-\S+)
dkms | status(?: .*)?
realm | (?:list|discover)(?: .*)?
dsconfigad | -show
networksetup | -(?:get|list|show)\S*(?: .*)?
cryptsetup | (?:status|isLuks|luksDump|luksUUID)(?: (?!--dump)\S+)*
sntp | (?:(?:-t \S+|-d) )*[^-\s]\S*
hwclock | -r|--show|--get
resolvectl | (?:(?:--\S+ )*(?:status(?: .*)?|query (?:.*)|statistics|service .*|show-cache|show-server-state|(?:dns|domain|llmnr|mdns|dnssec|dnsovertls|nta|default-route)(?: [\w.-]+)?))?
networkctl | (?:-\S+ )*(?:(?:list|status|lldp|label|cat)(?: .*)?)?
bridge | (?:-[\w-]+ )*(?:link|fdb|vlan|mdb|vni)(?: (?:show|list|get)(?: .*)?)?
mii-tool | (?:-[vw]+(?: |$))*(?:[\w.]+)?
arping | (?:(?:-[qfbDV0]+|-[wIscCi] ?\S+|[^-\s]\S*)(?: |$))+
airport | (?:-(?:I|s|h)|--(?:getinfo|scan))(?: [^-\s]\S*)?
lldpctl | (?:(?:-[adv]+|-f \S+)(?: |$))*[\w.]*
hidutil | (?:list|dump)(?: .*)?|property --get \S+
mdutil | -[saL]+(?: [^-\s]\S*)*
trust | (?:list|dump|check-format)(?: .*)?
mdatp | (?:health|version|connectivity|threat list|exclusion list|definitions list|scan (?:quick|full|list|custom))(?: .*)?
falconctl | (?:-g(?: --\S+)+|stats|info)
fail2ban-client | (?:status|ping|version|get|banned)(?: .*)?
clamscan clamdscan | (?:(?:-[riavzo]+|-[dlf] \S+|--(?:recursive|infected|verbose|quiet|no-summary|stdout|bell|log|exclude|exclude-dir|include|include-dir|max-\w+|database|multiscan|fdpass|stream|allmatch|official-db-only|cross-fs|scan-\w+|file-list|suppress-ok-results)(?:=\S+)?|[^-\s]\S*)(?: |$))*
rkhunter aide | (?:(?:-c|-C|--check|--sk|--rwo|--nocolors|--list|--skip-keypress|--report-warnings-only|--config-check|--quiet)(?: |$))*
exportfs | -?[vs]*
sshd | -q?[tT]q?(?: -C \S+)?
rpcinfo | (?:(?:-[psmtublTa]|[^-\s]\S*)(?: |$))*
pactl pacmd amixer wpctl bluetoothctl | (?:-\S+ )*(?:list|info|get-\S+|stat|status|show|devices|scontrols|scontents|contents|sget|controls|get|cget|inspect|get-volume|paired-devices)(?: .*)?|
wbinfo | (?:-[ugtpPDmiSYGHnrsUN]|--(?:ping|ping-dc|domain-users|domain-groups|check-secret|trusted-domains|online-status|own-domain|user-info|name-to-sid|sid-to-name))(?:=\S+)?(?: [^-\s]\S*| --domain=\S+)*
odutil | show(?: .*)?
powerprofilesctl | (?:list|get|list-holds|version)?
cpupower | (?:frequency-info|idle-info|info|monitor|powercap-info)(?: .*)?
tuned-adm | (?:active|list|recommend|verify|profile_info|profile_mode)(?: .*)?
sensors | (?:(?:-[uAfjhv]+|--(?:allow-no-busses|fahrenheit|no-adapter|raw)|[^-\s]\S*)(?: |$))*
lastlog | (?:-[tub] ?\S+(?: |$))*
multipath | (?:-v\d )?(?:-ll?|-t|-T)(?: [^-\s]\S*)?
hpasmcli | (?i)-s (?:show)(?:_\S*)?
efivar | -(?:l|L)|--list|-[pd](?: .*)?
ubuntu-drivers pro | (?:list|devices|debug|status|version|security-status|help)(?: .*)?
gpg gpg2 | (?:(?:--(?:batch|no-tty|quiet|status-fd[= ]\d|keyid-format[= ]\S+|with-colons|with-fingerprint|no-default-keyring|keyring[= ]\S+|verbose|fixed-list-mode)|-[qv]+) )*(?:--(?:list-(?:keys|sigs|packets|public-keys|secret-keys)|fingerprint|check-sigs|verify|version)|-k|-K)(?: (?:--(?:batch|no-tty|quiet|status-fd[= ]\d|keyid-format[= ]\S+|with-colons|with-fingerprint|no-default-keyring|keyring[= ]\S+|verbose|fixed-list-mode)|-[qv]+|[^-\s]\S*))*
gpgconf | --(?:list-\S+|check-\S+|query-\S+|show-\S+|version)(?: .*)?
logger | (?:(?:-[ise]+|-[tpf] ?\S+|--(?:tag|priority|file)[= ]\S+|--id(?:=\S+)?|--stderr|--)(?: |$))*(?:[^-\s]\S*(?: [^-\s]\S*)*)?
xdg-mime xdg-settings | (?:query|get|check)(?: .*)?
duti | -[xled](?: .*)?
lsregister | -(?:dump|lint|h)(?: .*)?
lsappinfo | (?:list|info|front|find|metainfo|processList|visibleProcessList)?(?: .*)?
systemd-analyze | (?:--\S+ )*(?:(?:time|blame|critical-chain|dump|plot|dot|verify|security|cat-config|calendar|timespan|timestamp|unit-paths|unit-files|syscall-filter|exit-status|capability|condition)(?: .*)?|log-level|log-target|service-watchdogs)?
ethtool | (?:-[iSkgacmnTPl] )?[\w.]+
arp | -[aen]+(?: [^-\s]\S*)?
iw | (?:dev|list|phy|reg get|(?:dev )?[\w.]+ (?:link|info|station dump))
"""
LOOKS: Final[dict[str, re.Pattern[str]]] = index_rows(
    (names, re.compile(pattern))
    for row in _ROWS.strip().splitlines()
    for names, _, pattern in (row.partition(" | "),)
)
