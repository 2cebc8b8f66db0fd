# SPDX-License-Identifier: Apache-2.0
"""The programs and builtins of Linux and macOS that analysis knows: a closed world.

What stands in none of these tables, in guardrails.command_effects or among the wrappers, and is not
defined in the script itself, is an unknown program: a doubt. A program stands under
`HARMLESS_PROGRAMS` when no argument makes it run code or change what others depend on; a program
that some argument makes run code has that argument in `RUNS_CODE`, as a pattern over its arguments.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from typing import Final

# A program by path is the one that the tables know only in folders that the system owns.
SYSTEM_FOLDERS: Final = re.compile(
    r"/(?:usr/)?s?bin|/usr/(?:local/|X11/)?s?bin|/usr/libexec|/opt/(?:homebrew|local)/s?bin|/snap/bin"
    r"|/usr/libexec/ApplicationFirewall|/System/Library/[\w./ -]+|/usr/lib/(?:systemd|cups|apt)(?:/[\w-]+)?"
    r"|/usr/local/jamf/bin|/usr/share/[\w-]+/bin"
)

SHELL_BUILTINS: Final = frozenset(
    ": true false echo printf print cd pushd popd pwd dirs exit logout return break continue shift wait jobs fg"
    " bg disown times ulimit umask getopts read let test [ type which whence where whereis local set"
    " history integer float vared typeset declare export readonly unset suspend unsetopt"
    " caller zparseopts zstyle help disable limit unlimit rehash pushln log".split()
)  # fmt: skip

HARMLESS_PROGRAMS: Final = SHELL_BUILTINS | frozenset(
    # Text and files, read or made
    "cat tac head tail wc nl cut paste join comm uniq tr rev fold fmt pr column expand unexpand tsort shuf seq"
    " yes sort grep egrep fgrep zgrep zcat bzcat xzcat zstdcat bzgrep xzgrep strings od hexdump xxd hd cmp diff diff3 sdiff colordiff file stat"
    " ls dir vdir tree du df basename dirname realpath readlink pathchk mktemp touch mkdir mkfifo cp mv ln install tee"
    " md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum base64 base32 basenc"
    " gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd lz4 compress uncompress zip unzip zipinfo cpio ar"
    " split csplit dd sync sed awk gawk mawk nawk find jq yq xmllint iconv dos2unix unix2dos tput clear reset"
    " expr bc factor numfmt look printenv locale getconf envsubst rename patch mknod namei cal ncal"
    " uuencode uudecode getopt gettext ngettext msgfmt column lesspipe more tabs logname unlink rmdir"
    # The system, looked at
    " date uptime uname arch nproc hostname hostnamectl hostid id whoami who w users groups last lastb lastlog finger getent tty"
    " stty sleep usleep ps pgrep pidof pstree pmap pwdx top htop atop iotop free vmstat iostat mpstat sar nfsstat pidstat slabtop"
    " lsblk blkid lsof fuser lscpu lsmem lspci lsusb lshw hwinfo inxi dmidecode dmesg lsmod modinfo lsns lsipc lslocks lslogins ipcs"
    " findmnt mountpoint smartctl nvme hdparm sensors acpi upower tlp-stat powertop ethtool mii-tool"
    " journalctl systemd-analyze loginctl busctl systemd-detect-virt systemd-cgls systemd-cgtop systemd-path coredumpctl bootctl localectl"
    " ss netstat networkctl udhcpc ping ping6 traceroute traceroute6 tracepath mtr dig host nslookup whois arp arping iw iwlist iwgetid nmblookup"
    " ethstatus bridge tc lldpctl avahi-browse avahi-resolve mdfind mdls sw_vers system_profiler ioreg vm_stat"
    " fs_usage sc_usage sample spindump heap leaks vmmap powermetrics nettop networkQuality airport hidutil"
    " dpkg-query apt-cache apt-mark dpkg-architecture rpmquery repoquery needs-restarting checkrestart locate mdutil"
    " zpool zfs pvs vgs lvs pvdisplay vgdisplay lvdisplay mdadm multipath lsscsi sg_inq tune2fs dumpe2fs xfs_info btrfs"
    " hpasmcli hpssacli ssacli ipmitool storcli megacli"
    " getfacl getcap lsattr getfattr getsebool getenforce sestatus aa-status apparmor_status semodule seinfo matchpathcon"
    " lpstat lpq lpoptions lpinfo pactl pacmd amixer aplay wpctl bluetoothctl xrandr xdpyinfo xset xprop glxinfo vainfo"
    " kextstat kextfind kmutil otool nm size codesign stapler xcode-select PlistBuddy plutil say afplay system_profiler"
    " pg_isready klist kinit kdestroy wbinfo realm adcli testparm dsconfigad odutil opendirectoryd ntpq ntpstat chage"
    " caffeinate open osascript_version tmutil fdesetup tccutil profiles jamf sysdiagnose log powerprofilesctl cpupower tuned-adm"
    " gsettings dconf xdg-mime xdg-settings xdg-user-dir update-alternatives update-desktop-database gtk-update-icon-cache fc-cache fc-list"
    " update-mime-database mandb updatedb ldconfig depmod cancel cupsenable cupsdisable cupsaccept cupsreject lpadmin lp lpr lprm"
    " notify-send wall write logger mesg zenity_version showmount exportfs rpcinfo smbclient smbstatus nfsiostat"
    " lsb_release dkms mokutil efibootmgr efivar fwupdmgr ubuntu-drivers pro ubuntu-security-status unattended-upgrade snapper timeshift"
    " openssl certtool trust update-ca-certificates update-ca-trust ssh-keyscan ssh-keygen gpgconf scutil pmset taskpolicy purge"
    " pathhelper path_helper dot_clean SetFile GetFileInfo xattr ditto hdiutil lsregister lsappinfo launchctl_version duti"
    " socketfilterfw mdatp falconctl clamscan clamdscan freshclam rkhunter chkrootkit aide lynis ausearch aureport fail2ban-client"
    " docker podman kubectl crictl git svn hg tar rsync man apropos whatis info less".split()
)  # fmt: skip

_TAR: Final = r"(?:^|\s)(?:--(?:checkpoint-action|to-command|use-compress-program|rsh-command|info-script|new-volume-script|rmt-command)|-[A-Za-z]*[IF](?:[\s=./]|$))"
# Arguments that make a program run code which is not in the text, or which is not followed here.
RUNS_CODE: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for names, pattern in (
        ("tar bsdtar gtar", _TAR),
        ("sort", r"--compress-prog"),
        ("split", r"--filter"),
        ("zip", r"(?:^|\s)(?:-\w*T|--unzip-command|-TT|--test)"),
        ("rsync", r"(?:^|\s)(?:-[A-Za-z]*e|--rsh|--rsync-path|--files-from=-|--debugger)|::?\S*/"),
        ("man apropos whatis", r"(?:^|\s)(?:-[A-Za-z]*[PHXTC]|--(?:pager|html|gxditview|troff-device|config-file|preprocessor|p|h))"),
        ("less more", r"(?:^|\s)(?:\+|-[A-Za-z]*[kPtTo]|--lesskey|--cmd)"),
        ("git", r"(?:^|\s)(?:-c|--exec-path|--upload-pack|--receive-pack|--config-env|-u|-x|-O|--open-files-in-pager|--extcmd|--exec|config|bisect|rebase|filter-branch|submodule|difftool|mergetool|daemon|help|hook|am|commit|maintenance|clone|pull|checkout|merge|gc|fetch|push|remote|archive|stash|switch|restore|reset)\b"),
        ("svn hg", r"(?s).*"),
        ("journalctl loginctl busctl coredumpctl localectl bootctl", r"(?:^|\s)(?:debug|gdb|--debugger|-H|--host|call|set-property|emit)\b"),
        ("openssl", r"(?:^|\s)(?:engine|-engine|-provider(?:-path)?|-config|-sign|s_server|s_client|s_time|ts|-passin\s+\S*file|-load)\b"),
        ("patch", r"(?:^|\s)(?:-[A-Za-z]*e|--ed)"),
        ("cpio ar", r"--rsh-command|(?:^|\s)-[A-Za-z]*I"),
        ("docker podman", r"(?:^|\s)(?:run|exec|build|compose|create|start|buildx|plugin|load|import|--config|-H|--host|cp|commit|swarm|service|stack|container\s+(?:run|exec|create|start|cp))\b"),
        ("kubectl crictl", r"(?:^|\s)(?:exec|run|apply|create|debug|cp|attach|plugin|edit|--kubeconfig|delete|patch|replace|port-forward|proxy)\b"),
        ("ssh-keygen ssh-keyscan", r"(?:^|\s)(?:-[A-Za-z]*D|-\w*w)"),
        ("dkms depmod dracut", r"(?:^|\s)(?:build|install|autoinstall|add|mkdeb)\b"),
        ("smbclient", r"(?:^|\s)(?:-[A-Za-z]*c|--command)|!"),
        ("open", r"(?s).*"),
        ("sdiff diff3", r"--diff-program"),
        ("systemd-analyze", r"\bunit-shell\b"),
        ("xcode-select", r"(?:^|\s)(?:-s|--switch|-r|--reset|--install)\b"),
        ("log", r"(?:^|\s)(?:erase|config)\b"),
        ("codesign", r"(?:^|\s)(?:-s|--sign|--remove-signature|-f)\b"),
        ("gpg gpg2", r"(?:^|\s)--(?:exec-path|photo-viewer|agent-program|dirmngr-program|pinentry|gpgconf|options|homedir)"),
        ("wpa_cli", r"(?:^|\s)-a"),
        ("dhclient dhcpcd", r"(?:^|\s)(?:-sf|-cf|-c|-f|--script|--config)\b"),
        ("mount", r"(?:^|\s)-\w*t\s*(?:fuse\S*|\S*fs\.\w+)|helper="),
        ("tftp lftp ftp", r"(?:^|\s)(?:-[ecf]|!)"),
        ("mail mailx mutt sendmail", r"(?:^|\s)(?:-[A-Za-z]*[SCOX]|-e|-F)"),
        ("jamf", r"(?:^|\s)(?:policy|runScript|install|recon\s+-\S*\s*script|runSoftwareUpdate)\b"),
        ("mdadm", r"(?:^|\s)(?:-p|--program|--alert)|--config"),
        ("powertop", r"(?:^|\s)(?:-w|--workload)"),
        ("ipmitool", r"(?:^|\s)exec\b"),
        ("fail2ban-client", r"(?:^|\s)set\b"),
        ("freshclam clamdscan clamscan", r"--on-\w+-execute|--config-file|(?:^|\s)-d\b"),
        ("unattended-upgrade snapper timeshift", r"--script|--config"),
        ("update-alternatives", r"(?:^|\s)--(?:install|set|config)\b"),
        ("gsettings dconf", r"(?:^|\s)(?:set|write|load|reset)\b.*(?:command|exec|extensions)"),
        ("yq", r"(?:^|\s)(?:-f|--from-file)\b|\bsystem\b|load\("),
        ("jq", r"(?:^|\s)(?:-L|--library-path)"),
        ("envsubst rename", r"[$@{(;]|\bsystem\b|-e"),
        ("xmllint", r"(?:^|\s)--(?:shell|load-trace|plugin)"),
        ("ss", r"(?:^|\s)(?:-[A-Za-z]*K|--kill|-\w*F)"),
        ("ip", r"(?:^|\s)-(?:b|batch|force)\b|\bnetns\s+exec\b|\bvrf\s+exec\b"),
        ("tc bridge", r"(?:^|\s)-b(?:atch)?\b|\bexec\b"),
        ("hostname", r"(?:^|\s)-[A-Za-z]*F"),
        ("curl", r"(?:^|\s)(?:-[A-Za-z]*K|--config|--libcurl|--engine|--proto-default)"),
        ("wget", r"(?:^|\s)(?:-e|--execute|--use-askpass|--config|--input-file|-i)\b"),
        ("scp sftp ssh", r"(?:^|\s)(?:-[A-Za-z]*[FSDo]|-o\S*)\s*\S*(?i:\S*command|\S*include|pkcs11|\S*provider|\S*exec|\$)|(?:^|\s)-[A-Za-z]*[FSb]"),
        ("apt apt-get aptitude", r"(?:^|\s)(?:-o|--option|-c|--config-file|source|build-dep)\b|::"),
        ("dpkg", r"--(?:pre-invoke|post-invoke|status-logger|root|instdir|admindir)"),
        ("rpm", r"(?:^|\s)(?:--eval|-E|--define|-D|--pipe|--rcfile|--macros|--load|--root|--dbpath)\b"),
        ("dnf yum zypper", r"(?:^|\s)(?:-c|--config|--setopt|--installroot|shell|--plugin\w*)\b"),
        ("brew", r"(?:^|\s)(?:sh|ruby|irb|edit|create|bundle|exec|test|--file|tap|command|developer|bump)\b|[/~]"),
        ("snap flatpak", r"(?:^|\s)(?:run|build|override|try|--dangerous|--command)\b"),
        ("npm pip pip3 gem", r"(?:^|\s)(?:run|run-script|exec|test|start|explore|--script-shell|x|init|create|config|set)\b"),
        ("systemctl", r"(?:^|\s)(?:edit|set-environment|import-environment|-H|--host|link|enable\s+\S*/|--root|import)\b"),
        ("launchctl", r"(?:^|\s)(?:submit|asuser|bsexec|config|setenv|debug|load\s|bootstrap\s|unsetenv|exec)"),
        ("sysctl", r"(?:core_pattern|modprobe|hotplug|poweroff_cmd)"),
        ("nc ncat netcat socat", r"(?:^|\s)(?:-[A-Za-z]*[ec]|--(?:exec|sh-exec|lua-exec)|exec:|system:)|(?i:\bEXEC:|\bSYSTEM:|SHELL:)"),
        ("mount", r"(?:^|\s)(?:-[A-Za-z]*o\S*\s*\S*(?:helper|exec=)|-t\s*fuse|-[A-Za-z]*i)|--types=fuse"),
        ("lpadmin", r"(?:^|\s)-[A-Za-z]*(?:P|i)|file:"),
        ("update-ca-certificates", r"--hooksdir|--etccertsdir"),
        ("vared zstyle", r"(?s).*"),
        ("lesspipe", r"(?s).*"),
        ("zfs zpool", r"(?:^|\s)(?:program|iostat\s+-c|status\s+-c|receive|recv|-c)\b"),
        ("btrfs", r"(?:^|\s)receive\b"),
        ("semodule", r"(?:^|\s)-[A-Za-z]*[irB]"),
        ("install", r"--strip-program"),
        ("file", r"(?:^|\s)-[A-Za-z]*[mC]"),
    )
    for name in names.split()
}  # fmt: skip

# Variables that make programs or the shell itself run code.
SENSITIVE_VARIABLE: Final = re.compile(
    r"(?:BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_(?:LOADABLES_PATH|XTRACEFD|COMPAT|FUNC\w*)|PROMPT_COMMAND|PS[0-4]|PROMPT\d?|RPROMPT|R?PS1"
    r"|(?:LD|DYLD|_RLD)_\w+|GCONV_PATH|NLSPATH|PYTHON(?:PATH|HOME|STARTUP|BREAKPOINT|INSPECT|USERBASE|WARNINGS|EXECUTABLE)"
    r"|PERL5?(?:LIB|OPT|5LIB|5OPT|5DB|IO)|PERL5(?:LIB|OPT|DB)|RUBY(?:LIB|OPT|SHELL)|NODE_(?:OPTIONS|PATH)|LUA_\w*(?:PATH|INIT)\w*|GEM_\w+|BUNDLE_\w+"
    r"|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|GIT_\w+|(?:MAN|SYSTEMD_|GIT_)?PAGER|(?:SYSTEMD_|SUDO_|GIT_)?EDITOR|VISUAL|BROWSER"
    r"|LESS(?:OPEN|CLOSE|KEY\w*)?|TAR_OPTIONS|ZIPOPT|UNZIP|RSYNC_\w+|CVS_RSH|(?:SSH|SUDO|GIT)_ASKPASS|MAKEFLAGS|FPATH|ZDOTDIR"
    r"|NULLCMD|READNULLCMD|FCEDIT|OPENSSL_\w+|PKCS11\w*"
    r"|APT_CONFIG|DPKG_\w+|RPM_CONFIGDIR|npm_config_\w+|NPM_CONFIG_\w+|PIP_\w+|CURL_HOME|WGETRC|INPUTRC|TERMCAP|TERMINFO\w*|MAGIC|GREP_OPTIONS|SHELL"
    r"|DOCKER_\w+|KUBECONFIG|XDG_(?:CONFIG|DATA)_\w+|HOME|EXECIGNORE|FUNCNEST|BASH_ALIASES|BASH_CMDS|BASH_SOURCE|BASH_ARGV0|GLOBIGNORE|command_not_found\w*|DEBUGINFOD\w*|AWKPATH|AWKLIBPATH|HOSTALIASES|NODE_\w+)"
)
SENSITIVE_IN_ZSH: Final = re.compile(
    r"fpath|path|module_path|functions|aliases|galiases|saliases|dis_\w+|commands|options|\w+_functions|builtins"
)
# With `export`, in front of a command or with `env`, also what looks like one of them.
EXPORTED_SENSITIVE: Final = re.compile(
    r"(?i:\w*(?:_OPTS?|_OPTIONS|FLAGS|_COMMAND|_CMD|PAGER|EDITOR|PRELOAD|ASKPASS|_RSH|_SHELL|_HOOKS?|_INIT|_STARTUP|LIBPATH|_PLUGINS?|_RC|_PATH|_WRAPPER|_EXEC))"
)
SAFE_PATHS: Final = re.compile(
    r"(?:\$\{?PATH\}?|/(?:usr/)?s?bin|/usr/local/s?bin|/usr/libexec|/opt/(?:homebrew|local)/s?bin|/usr/local/munki|/usr/games|/snap/bin|/usr/X11/bin|/Library/Apple/usr/bin|/usr/local/jamf/bin)/?"
)

# The arguments, joined by spaces, that make a command a mere look; stricter than first words.
LOOKS: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile(pattern)
    for names, pattern in (
        ("nmcli", r"(?:(?:-[tgfempw]+|--\w+)(?: [\w,.:-]+)?? ){0,6}(?:(?:general|g|networking|n|radio|r|connection|con|c|device|dev|d)(?: (?:status|show|list|connectivity|permissions|hostname|wifi)(?!.* (?:add|modify|up|down|delete|connect|disconnect|on|off|rescan|hotspot)\b).*)?)"),
        ("iptables ip6tables", r"(?!.*(?:^| )-(?:[FADIRPNXEZ]|-(?:flush|append|delete|insert|replace|policy|new|zero)))(?=.*(?:-\w*[LS]|--list)).*"),
        ("sysctl", r"(?!.*[=]|.*(?:^| )(?:-w|-p|--load|--system|--write)).*"),
        ("diskutil", r"(?:list|info|activity|listFilesystems|verifyVolume|verifyDisk|apfs list\w*|cs list|appleRAID list)(?: .*)?"),
        ("chronyc", r"(?:-[nc46]+ )*(?:tracking|sources|sourcestats|activity|ntpdata|clients|serverstats|rtcdata)(?: .*)?"),
        ("ip", r"(?!.* (?:add|del|delete|set|flush|replace|change|append|exec|save|restore)\b)(?:-[\w-]+ )*(?:a|addr|address|l|link|r|ro|route|n|neigh|rule|maddr|tunnel|netns|xfrm|mptcp)(?: (?:show|list|get|s|ls|dev|to|table|[\w.:/$\"{}-]+).*)?|"),
        ("defaults", r"(?:-currentHost )?(?:read|read-type|find|domains|help)(?: .*)?"),
        ("profiles", r"(?:list|show|status|-L|-P|-C|-H|-e|version|help)(?: .*)?"),
        ("pmset", r"-g(?: .*)?"),
        ("scutil", r"(?:--(?:get|dns|proxy|nwi|nc (?:list|status|show))|-r|-w)(?: .*)?"),
        ("fdesetup", r"(?:status|isactive|list|hasinstitutionalkey|haspersonalkey|supportsauthrestart|usingrecoverykey|version|show\w+|verify)(?: .*)?"),
        ("tmutil", r"(?:list\w*|latestbackup|destinationinfo|status|currentphase|isexcluded|machinedirectory|version|compare|calculatedrift|uniquesize)(?: .*)?"),
        ("kextstat kextfind kmutil", r"(?!load|install|unload|clear)(?:.*)"),
        ("plutil", r"(?!.*-(?:replace|insert|remove|convert \S+(?! .*-o -)|create)).*"),
        ("PlistBuddy", r"(?!.*(?i:\b(?:set|add|delete|merge|import|clear|copy|save|revert)\b)).*"),
        ("xattr", r"(?:-[lpvrx]+ )*(?!.*(?:^| )-\w*[wdc]).*"),
        ("hdiutil", r"(?:info|imageinfo|verify|checksum|isencrypted|plugins|pmap|hfsanalyze)(?: .*)?"),
        ("zpool zfs", r"(?:list|status|get|history|iostat|version)(?: .*)?|"),
        ("mdadm", r"(?:--detail|-D|--examine|-E|--query|-Q|--version)(?: .*)?|"),
        ("docker podman", r"(?:ps|images|info|version|logs|inspect|top|stats|port|diff|history|events|search|system df|(?:container|image|volume|network) (?:ls|list|inspect))(?: .*)?"),
        ("kubectl crictl", r"(?:get|describe|logs|version|cluster-info|top|api-resources|api-versions|explain|config (?:view|get-contexts|current-context)|ps|images|info|stats|inspect)(?: .*)?"),
        ("git", r"(?:-C \S+ )?(?:status|log|rev-parse|describe|branch(?: --show-current| -[avr]+)?|ls-files|show|diff|blame|tag|remote -v|--version)(?: .*)?"),
        ("lpadmin cupsenable cupsdisable cupsaccept cupsreject cancel lprm lp lpr", r"(?!)"),
        ("lpoptions", r"(?!.*-[odx] ?).*|-[pl].*"),
        ("hostnamectl localectl", r"(?:status|--static|--transient|--pretty|list-\S+|show)?(?: .*)?(?<!set-hostname)|"),
        ("hostname", r"(?:-[fsdiIAay]+|--fqdn|--short|--ip-address|--all-ip-addresses|--domain)?"),
        ("loginctl", r"(?!.*(?:kill|terminate|enable-linger|lock|attach)).*"),
        ("journalctl", r"(?!.*--(?:vacuum|rotate|flush|relinquish|update-catalog|setup-keys|sync)).*"),
        ("gsettings dconf", r"(?:get|list-\S+|range|writable|describe|monitor|read|list|dump|help)(?: .*)?"),
        ("chage", r"(?:-l|--list)(?: .*)?"),
        ("loginctl", r"(?!.*(?:kill|terminate|enable-linger|lock|attach)).*"),
        ("socketfilterfw", r"(?:--(?:get\w+|list\w*))(?: .*)?"),
        ("update-alternatives", r"--(?:display|list|query|get-selections)(?: .*)?"),
        ("fwupdmgr snapper timeshift", r"(?:get-\S+|list|--list|security|status|--version)(?: .*)?"),
        ("apt-mark", r"show\w*(?: .*)?"),
        ("dpkg", r"(?:-[lsLSCpVI]\w*|--(?:list|status|listfiles|search|audit|print-\S+|get-selections|verify|compare-versions|info|contents|assert-\S+))(?: .*)?"),
        ("rpm", r"(?:-q\w*|-V\w*|--query|--verify|-K|--checksig)(?: (?!.*(?:--eval|--pipe|--import)).*)?"),
        ("apt", r"(?:-[qV]+ )*(?:list|show|search|policy|depends|rdepends|changelog)(?: .*)?"),
        ("apt-get", r"(?=.*(?:^| )(?:-s|--simulate|--dry-run|--just-print|--print-uris|check)\b).*"),
        ("dnf yum", r"(?:-[qCy]+ )*(?:list|info|search|repolist|check-update|history(?: (?:list|info))?|provides|deplist|updateinfo|check|repoquery|grouplist)(?: .*)?"),
        ("zypper", r"(?:--\S+ |-n )*(?:lr|repos|lu|list-updates|list-patches|lp|se|search|if|info|pchk|patch-check|ps|ve)(?: .*)?"),
        ("pacman", r"-Q\w*(?: .*)?|-S[si]+(?: .*)?"),
        ("snap", r"(?:list|info|changes|find|services|version|refresh --list|connections|warnings)(?: .*)?"),
        ("flatpak", r"(?:list|info|remotes|search|history|ps|remote-ls)(?: .*)?"),
        ("brew", r"(?:list|info|doctor|outdated|config|deps|uses|leaves|--prefix|--version|search|services list)(?: .*)?"),
        ("pip pip3", r"(?:list|show|freeze|check|--version|index versions|cache (?:dir|info|list))(?: .*)?"),
        ("npm", r"(?:list|ls|view|outdated|root|prefix|bin|--version|-v)(?: .*)?"),
        ("softwareupdate", r"(?:--list|-l|--history|--list-full-installers|--schedule)(?: .*)?"),
        ("pkgutil", r"--(?:pkgs?|pkg-info|files|file-info|volumes|packages|lsbom|check-signature|pkg-groups|groups)(?:[ =-].*)?"),
        ("installer", r"-(?:pkginfo|dominfo|volinfo|query|vers)(?: .*)?"),
        ("security", r"(?:find-certificate|verify-cert|list-keychains|show-keychain-info|find-identity|cms -D|dump-trust-settings)(?: (?!.*-s ).*)?"),
        ("dscl", r"(?:\S+ )?-?(?:list|read|readall|search|readpl|ls|cat)(?: .*)?"),
        ("launchctl", r"(?:list|print|blame|print-disabled|managername|print-cache|dumpstate|version|hostinfo|manageruid|managerpid|procinfo|getenv)(?: .*)?"),
        ("systemctl", r"(?!.* (?:stop|start|restart|reload|disable|enable|mask|kill|isolate|reset-failed)\b)(?:-[\w-]+(?:=\S*)? )*(?:is-\w[\w-]*|status|show|list-\S+|cat|get-default|help)(?: .*)?|(?:-[\w-]+(?:=\S*)? ?)*"),
        ("crontab", r"-l(?: -u \S+)?|-u \S+ -l"),
        ("firewall-cmd", r"(?!.*--(?:add|remove|set|reload|panic|complete|delete|new|change|runtime)).*--(?:state|list\S*|get\S*|query\S*|info\S*)\b.*"),
        ("ufw", r"status(?: .*)?|version|app (?:list|info).*"),
        ("nft", r"(?:-\w+ )*list(?: .*)?"),
        ("pfctl", r"(?!.*(?:^| )-\w*[edfFkKoOtTz])-\w*s\b.*"),
        ("route", r"(?:-n ?|-4 ?|-6 ?)*(?:get .*|print.*)?"),
        ("ifconfig", r"(?:-a|-s|-l|-u)?(?: ?[\w:.$\"{}-]+)?"),
        ("iwconfig", r"[\w.$\"{}]*"),
        ("mount", r"(?:-[lvV]|-t \w+)?"),
        ("swapon", r"(?:-s|--show\S*|--summary)?(?: .*)?"),
        ("date", r"(?!.*(?:^| )(?:-s|--set)).*"),
        ("dmesg", r"(?!.*(?:^| )(?:-\w*[CcDEn]|--(?:clear|read-clear|console))).*"),
        ("ss", r"(?!.*(?:^| )(?:-\w*K|--kill)).*"),
        ("lsof", r".*"),
        ("fuser", r"(?!.*(?:^| )(?:-\w*k|--kill)).*"),
        ("visudo", r"-\w*c\w*(?: .*)?"),
        ("passwd", r"(?:-S|--status)(?: .*)?"),
        ("parted", r"(?:-s |-l ?|-m |--script |--list ?)*(?:\S+ )?(?:print.*|)"),
        ("fdisk sfdisk gdisk sgdisk", r"(?:-l|--list|-s|-d|--dump|-p)(?: .*)?"),
        ("smartctl", r"(?!.*(?:^| )(?:-t|-s|--test|--set|-X)).*"),
        ("tune2fs", r"-l .*"),
        ("hdparm", r"-[iItTgC]+(?: .*)?"),
        ("nvme", r"(?:list|smart-log|id-ctrl|id-ns|error-log|fw-log)\S*(?: .*)?"),
        ("kill", r"-(?:0|l|L)(?: .*)?"),
        ("timedatectl", r"(?:status|show|timesync-status|show-timesync|list-timezones)?(?: .*)?"),
        ("history", r"(?!.*-\w*[cdwa]).*"),
        ("rfkill", r"(?:list|-n|-o|--noheadings|--output)?(?: .*)?(?<!block)"),
        ("setfacl", r"(?!)"),
        ("auditctl", r"-[ls]"),
        ("csrutil", r"(?:authenticated-root )?status"),
        ("spctl", r"--?(?:status|assess|a|v)+(?: .*)?"),
        ("nvram", r"(?:-p|-x -p|-xp)|[\w:%-]+"),
        ("aa-status", r".*"),
        ("systemsetup", r"-(?:get|list)\w+"),
        ("ipconfig", r"(?:getifaddr|getpacket|getsummary|ifcount|getoption|getv6packet|waitall)(?: .*)?"),
        ("openssl", r"(?:x509|crl2pkcs7|pkcs7|storeutl|version|verify|s_client|req|crl|dgst|list|ciphers|asn1parse|rand|prime|speed|errstr)(?: (?!.*-(?:out|keyout|signkey|CAkey)\b).*)?"),
        ("tccutil", r"(?!)"),
        ("getsebool sestatus semodule", r"(?!.*-[irBed]).*"),
        ("klist", r".*"),
        ("ipmitool", r"(?:-\S+ (?:\S+ )?)*(?:sdr|sensor|fru|sel (?:list|elist|info)|mc info|lan print|chassis (?:status|power status)|user list)(?: .*)?"),
        ("hpssacli ssacli storcli megacli", r"(?i)(?!.*\b(?:delete|create|modify|add|remove|set|del|start|stop|init|erase)\b)(?=.*(?:show|info|-ShowSummary|-LdPdInfo|-AdpAllInfo)).*"),
        ("bootctl", r"(?:status|list|is-installed)?(?: .*)?"),
        ("xcode-select", r"(?:-p|--print-path|-v|--version)"),
    )
    for name in names.split()
}  # fmt: skip
