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

from guardrails.command_effects import BASH_COMMANDS
from guardrails.program_rows import index_rows, read_names
from guardrails.unix_writers import WRITERS

# A program by path is the one that the tables know only in folders that the system owns.
SYSTEM_FOLDERS: Final = re.compile(
    r"/(?:usr/)?s?bin|/usr/(?:local/|X11/)?s?bin|/usr/libexec|/opt/(?:homebrew|local)/s?bin|/snap/bin"
    r"|/usr/libexec/ApplicationFirewall|/System/Library/[\w./ -]+|/usr/lib/(?:systemd|cups|apt)(?:/[\w-]+)?"
    r"|/usr/local/jamf/bin|/usr/share/[\w-]+/bin"
)

SHELL_BUILTINS: Final = read_names(
    ": true false echo printf print cd pushd popd pwd dirs exit logout return break continue shift wait jobs fg"
    " bg disown times ulimit umask getopts read let test [ type which whence where whereis local set"
    " history integer float vared typeset declare export readonly unset suspend unsetopt"
    " caller zparseopts zstyle help disable limit unlimit rehash pushln log"
)  # fmt: skip

# No argument makes these write, run or send anything, but for what `RUNS_CODE` names.
PLAIN_LOOKS: Final = read_names(
    # Text and files, read
    "cat tac head tail wc nl cut paste join comm tr rev fold fmt pr column expand unexpand tsort seq"
    " yes grep egrep fgrep zgrep zcat bzcat xzcat bzgrep xzgrep strings od hexdump hd cmp diff diff3 colordiff file stat"
    " ls dir vdir du df basename dirname realpath readlink pathchk"
    " md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum cksum sum md5 shasum base32 basenc"
    " zipinfo"
    " sync jq tput clear reset"
    " expr bc factor numfmt look printenv locale getconf envsubst namei cal ncal"
    " uuencode getopt gettext ngettext more tabs logname"
    # The system, looked at
    " uptime uname nproc hostid id whoami who w users groups last lastb finger getent tty"
    " stty sleep usleep ps pgrep pidof pstree pmap pwdx top htop iotop free vmstat iostat mpstat nfsstat pidstat slabtop"
    " lsblk lsof lscpu lsmem lspci lsusb lsmod modinfo lsns lsipc lslocks lslogins ipcs"
    " findmnt mountpoint acpi upower tlp-stat"
    " busctl systemd-detect-virt systemd-cgls systemd-cgtop systemd-path"
    " netstat ping ping6 traceroute traceroute6 tracepath mtr dig host nslookup whois iwgetid nmblookup"
    " ethstatus avahi-browse avahi-resolve mdfind mdls sw_vers system_profiler ioreg vm_stat"
    " fs_usage sc_usage nettop networkQuality"
    " dpkg-query apt-cache dpkg-architecture rpmquery repoquery needs-restarting checkrestart locate"
    " pvs vgs lvs pvdisplay vgdisplay lvdisplay lsscsi sg_inq dumpe2fs xfs_info"
    " getfacl getcap lsattr getfattr getsebool getenforce sestatus aa-status apparmor_status seinfo matchpathcon"
    " lpstat lpq lpinfo aplay xrandr xdpyinfo xprop glxinfo vainfo"
    " kextstat kextfind otool nm size codesign afplay"
    " pg_isready klist testparm ntpq ntpstat"
    " xdg-user-dir fc-list"
    " mandb ldconfig"
    " notify-send mesg showmount smbstatus nfsiostat"
    " lsb_release ubuntu-security-status"
    " ssh-keyscan purge"
    " path_helper dot_clean GetFileInfo"
    " chkrootkit lynis ausearch aureport"
    " man apropos whatis less"
)  # fmt: skip
# Judged by what is given to them to read: programs for awk and sed, what find runs, where dd writes.
READ_APART: Final = frozenset("awk gawk mawk nawk original-awk find dd".split())
# Whatever they are given, they run code that is not in the text.
ALWAYS_DOUBTED: Final = frozenset("svn hg open lesspipe".split())
KNOWN_PROGRAMS: Final = (
    SHELL_BUILTINS
    | PLAIN_LOOKS
    | READ_APART
    | ALWAYS_DOUBTED
    | WRITERS.keys()
    | BASH_COMMANDS.keys()
)

_MAX_ARGUMENTS: Final = 32_768  # characters: not every pattern is linear
_TAR: Final = r"(?:^|\s)(?:--(?:checkpoint-action|to-command|use-compress-program|rsh-command|info-script|new-volume-script|rmt-command)|-[A-Za-z]*[IF](?:[\s=./]|$))"
# Arguments that make a program run code which is not in the text, or which is not followed here.
RUNS_CODE: Final[dict[str, re.Pattern[str]]] = index_rows(
    (names, re.compile(pattern))
    for names, pattern in (
        ("tar bsdtar gtar", _TAR),
        ("sort", r"--compress-program"),
        ("split", r"--filter"),
        ("zip", r"(?:^|\s)(?:-\w*T|--unzip-command|-TT|--test)"),
        ("rsync", r"(?:^|\s)(?:-[A-Za-z]*e|--rsh|--rsync-path|--files-from=-|--debugger)|::?\S*/"),
        ("man apropos whatis", r"(?:^|\s)(?:-[A-Za-z]*[PHXTC]|--(?:pager|html|gxditview|troff-device|config-file|preprocessor|p|h))"),
        ("less more", r"(?:^|\s)(?:\+|-[A-Za-z]*[kPtToO]|--lesskey|--cmd|--log-file|--LOG-FILE)"),
        ("git", r"(?:^|\s)(?:-c|--exec-path|--upload-pack|--receive-pack|--config-env|-u|-x|-O|--open-files-in-pager|--extcmd|--exec|config|bisect|rebase|filter-branch|submodule|difftool|mergetool|daemon|help|hook|am|commit|maintenance|clone|pull|checkout|merge|gc|fetch|push|remote|archive|stash|switch|restore|reset)\b"),
        ("svn hg", r"(?s).*"),
        ("nm size", r"--plugin"),
        ("lsof", r"(?:^|\s)-[A-Za-z]*D"),
        ("chkrootkit", r"(?:^|\s)-\w*p"),
        ("lynis", r"--(?:plugindir|profile)"),
        ("mandb", r"(?:^|\s)-\w*C|--config-file"),
        ("needs-restarting", r"(?:^|\s)-\w*c|--(?:config|setopt|installroot)"),
        ("journalctl loginctl busctl coredumpctl localectl bootctl", r"(?:^|\s)(?:debug|gdb|--debugger|-H|--host|--address|call|set-property|emit)\b"),
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
        ("dpkg-architecture", r"(?:^|\s)(?:-\w*c|--command)"),
        ("rpmquery repoquery", r"--(?:eval|pipe|define|load|macros|rcfile|root|setopt|config|installroot)|(?:^|\s)-[A-Za-z]*[EDc]\b"),
        ("apt-cache apt-mark", r"(?:^|\s)(?:-\w*c|--config-file|-\w*o(?! ?[\w:]+=(?:\s|$))|--option(?![ =][\w:]+=(?:\s|$)))"),
        ("pvs vgs lvs pvdisplay vgdisplay lvdisplay", r"--config"),
        ("powerprofilesctl", r"\blaunch\b"),
        ("pactl pacmd", r"\bload-module\b|\bupload-sample\b"),
        ("udhcpc", r"(?:^|\s)(?:-\w*s|--script)"),
        ("ldconfig", r"(?:^|\s)(?:-\w*[fCrnl]|--(?:cache|conf|format)|[/$\"~.])"),
        ("gpgconf", r"--(?:change-options|apply-defaults|apply-profile|launch|chuid|homedir)"),
        ("certtool", r"--(?:provider|p11-provider)"),
        ("systemd-analyze", r"\bunit-shell\b"),
        ("xcode-select", r"(?:^|\s)(?:-s|--switch|-r|--reset|--install)\b"),
        ("log", r"(?:^|\s)(?:erase|config)\b"),
        ("codesign", r"(?:^|\s)(?:-s|--sign|--remove-signature|-f)\b"),
        ("gpg gpg2", r"(?:^|\s)--(?:exec-path|photo-viewer|agent-program|dirmngr-program|pinentry|gpgconf|options|homedir)"),
        ("wpa_cli", r"(?:^|\s)-a"),
        ("dhclient dhcpcd", r"(?:^|\s)(?:-sf|-cf|-c|-f|--script|--config)\b"),
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
        ("gsettings dconf", r"(?:^|\s)(?:set|write|load|reset)\b.*(?:command|exec|extensions)|(?:^|\s)load\b"),
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
        ("scp sftp ssh", r"(?:^|\s)-(?=[A-Za-z]*[FSDo])(?:\S*|\S+\s+\S*)(?i:command|include|pkcs11|provider|exec|\$)|(?:^|\s)-[A-Za-z]*[FSb]"),
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
        ("mount", r"(?:^|\s)(?:-(?=[A-Za-z]*o)(?:\S*|\S+\s+\S*)(?:helper|exec=)|-\w*t\s*(?:fuse|\S*fs\.\w)|-[A-Za-z]*i)|--types[=\s]\S*fuse|helper="),
        ("logrotate", r"(?:^|\s)(?:-\w*[mls]|--(?:mail|log|state))|(?:^|\s)(?!-|/etc/logrotate(?:\.conf|\.d/[\w.-]+)(?:\s|$))\S"),
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
)  # fmt: skip


def may_run_code(name: str, arguments: str) -> bool:
    """Say whether a program may run code by its arguments; so may more than can be searched."""
    pattern = RUNS_CODE[name]
    return len(arguments) > _MAX_ARGUMENTS or pattern.search(arguments) is not None


_LONG_OPTION: Final = re.compile(r"--(?:\(\?:([^()]*)\)|([a-z][\w-]+))")
# The long options in `RUNS_CODE`: what a program is given may be the beginning of one.
RUNS_CODE_LONG: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(
        f"--{option}"
        for match in _LONG_OPTION.finditer(pattern.pattern)
        for option in (match[1] or match[2]).split("|")
    )
    for name, pattern in RUNS_CODE.items()
}

# Variables that make programs or the shell itself run code.
SENSITIVE_VARIABLE: Final = re.compile(
    r"(?:BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_(?:LOADABLES_PATH|XTRACEFD|COMPAT|FUNC\w*)|PROMPT_COMMAND|PS[0-4]|PROMPT\d?|RPROMPT|R?PS1"
    r"|(?:LD|DYLD|_RLD)_\w+|GCONV_PATH|NLSPATH|PYTHON(?:PATH|HOME|STARTUP|BREAKPOINT|INSPECT|USERBASE|WARNINGS|EXECUTABLE|PYCACHEPREFIX|PLATLIBDIR)"
    r"|PERL5?(?:LIB|OPT|5LIB|5OPT|5DB|IO)|PERL5(?:LIB|OPT|DB)|RUBY(?:LIB|OPT|SHELL)|NODE_(?:OPTIONS|PATH)|LUA_\w*(?:PATH|INIT)\w*|GEM_\w+|BUNDLE_\w+"
    r"|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH|GIT_\w+|(?:MAN|SYSTEMD_|GIT_)?PAGER|(?:SYSTEMD_|SUDO_|GIT_)?EDITOR|VISUAL|BROWSER"
    r"|LESS(?:OPEN|CLOSE|KEY\w*)?|TAR_OPTIONS|ZIPOPT|UNZIP|RSYNC_\w+|CVS_RSH|(?:SSH|SUDO|GIT)_ASKPASS|MAKEFLAGS|FPATH|ZDOTDIR"
    r"|CDPATH|NULLCMD|READNULLCMD|FCEDIT|OPENSSL_\w+|PKCS11\w*"
    r"|APT_CONFIG|DPKG_\w+|RPM_CONFIGDIR|npm_config_\w+|NPM_CONFIG_\w+|PIP_\w+|CURL_HOME|WGETRC|INPUTRC|TERMCAP|TERMINFO\w*|MAGIC|GREP_OPTIONS|SHELL"
    r"|DBUS_\w+_ADDRESS|GLIBC_TUNABLES|LOCALDOMAIN|RES_OPTIONS|KRB5_\w+|GNUPGHOME|TMPDIR|DOCKER_\w+|KUBECONFIG|XDG_(?:CONFIG|DATA)_\w+|HOME|EXECIGNORE|FUNCNEST|BASH_ALIASES|BASH_CMDS|BASH_SOURCE|BASH_ARGV0|GLOBIGNORE|command_not_found\w*|DEBUGINFOD\w*|AWKPATH|AWKLIBPATH|HOSTALIASES|NODE_\w+)"
)
# Variables that the shell itself gives the attribute of integers: it evaluates what they are given.
INTEGER_VARIABLES: Final = frozenset(
    ("RANDOM", "SRANDOM", "SECONDS", "OPTIND", "HISTCMD", "BASHPID", "UID", "EUID", "PPID")
)
SENSITIVE_IN_ZSH: Final = re.compile(
    r"fpath|path|module_path|functions|aliases|galiases|saliases|dis_\w+|commands|options|\w+_functions|builtins"
)
# With `export`, in front of a command or with `env`, also what looks like one of them.
EXPORTED_SENSITIVE: Final = re.compile(
    r"(?i:\w*(?:_OPTS?|_OPTIONS|FLAGS|_COMMAND|_CMD|PAGER|EDITOR|PRELOAD|ASKPASS|_RSH|_SHELL|_HOOKS?|_INIT|_STARTUP|LIBPATH|_PLUGINS?|_RC|_PATH|_WRAPPER|_EXEC|_LESS|_MODULES?|_MODULE_DIR|_HELPER|_PACKET|_CA_?(?:BUNDLE|FILE|PATH|CERTS?)|SSL_CERT_(?:FILE|DIR)|KEYLOGFILE|HISTFILE|PASSFILE|AUTH_SOCK|AGENT_INFO|CCNAME|KTNAME|_TRACE|_RESPONDER)|MANOPT|LOCPATH|MANPATH|NODE_EXTRA_CA_CERTS|LESSHSTFILE|LOGIN_PATH|[EF]?GREP)"
)
# They switch off that programs check whom they talk to: whatever their values are.
TRUSTS_ANYBODY: Final = re.compile(
    r"GIT_SSL_NO_VERIFY|NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY|\w*_(?:INSECURE|NO_VERIFY|SKIP_VERIFY|TLS_VERIFY|SSL_VERIFY|VERIFY_SSL|ALLOW_INSECURE\w*)|HTTPLIB_\w*|PERL_LWP_SSL_VERIFY_HOSTNAME"
)
SAFE_PATHS: Final = re.compile(
    r"(?:\$\{?PATH\}?|/(?:usr/)?s?bin|/usr/local/s?bin|/usr/libexec|/opt/(?:homebrew|local)/s?bin|/usr/local/munki|/usr/games|/snap/bin|/usr/X11/bin|/Library/Apple/usr/bin|/usr/local/jamf/bin)/?"
)
