# SPDX-License-Identifier: Apache-2.0
"""Signs in commands of Linux, BSD and macOS. Rows as in guardrails.windows_effects."""
# ruff: noqa: E501 - tables

from typing import Final

UNIX_SIGNS: Final = r"""
# Credentials
T1003.008 reads_credentials high 8.5 | shadow gshadow passwd master | (?:/etc/g?shadow|/etc/master\.passwd|unshadow|/etc/security/(?:passwd|opasswd))
T1003.008 explores medium 3.5 | passwd | (?:cat|grep|cp|cut|awk|less|more|tail|head|strings|sed)\s.*/etc/passwd
T1003.007 reads_credentials critical 8.5 | proc maps mem gcore dump_memory ptrace | /proc/\S*/(?:mem|maps|environ)|\bgcore\b|gdb\s.*(?:-p|--pid|dump)|dump memory
T1552.004 reads_credentials high 7.5 | id_rsa id_dsa id_ecdsa id_ed25519 ssh pem gnupg key p12 pfx | ^(?!.*-perm\b).*(?:\.ssh/(?:id_|\*)|(?:cat|cp|tar|zip|scp|curl)\s.*\.ssh\b|id_(?:rsa|dsa|ecdsa|ed25519)|\.gnupg|find\s.*-i?name\s+\S*\.(?:pem|key|ppk|p12|pfx|gpg)|find\s.*-name\s+\S*(?:id_[rd]sa|\.ssh\b|\.gnupg))
T1552.004 reads_credentials medium 5 | private grep rg ack | grep\b.*(?:begin.*private|private key)
T1552.003 reads_credentials high 7.5 | bash_history zsh_history history | (?:cat|grep|strings|less|head|tail|cp|find)\b.*\.(?:bash|zsh|sh|mysql|psql|python)_?history
T1552.001 reads_credentials high 7.5 | password passwd pass credentials netrc secret aws azure gcloud kube | (?:grep\b.*-\w*r\w*.*(?:pass|secret|token|cred)|(?:find|locate|cat)\b.*(?:\.netrc|\.aws|\.azure|gcloud|\.kube|credentials|passw(?!d\b)|\.docker/config|\.pgpass|wp-config)|grep\b.*(?:pass|pwd|secret)\S*\s.*(?:/etc|/var|/home|\*|-r))
T1552.005 reads_credentials critical 8 | 169 metadata | 169\.254\.169\.254|metadata\.google
T1552.007 reads_credentials critical 7.5 | kubectl secrets serviceaccount | kubectl\s+(?:get|describe)\s+secrets?|serviceaccount/token
T1555.001 reads_credentials critical 8 | security keychain dump_keychain login chainbreaker | security\s+(?:dump-keychain|export|find-(?:generic|internet)-password|unlock-keychain|default-keychain|list-keychains?|set-keychain\S*)|login\.keychain|keychains?/
T1555.003 reads_credentials high 7.5 | login cookies key4 logins chrome firefox safari | (?:login data|cookies(?:\.sqlite|\.binarycookies)?\b.*(?:cp|cat|chrome|firefox|safari|sqlite)|(?:chrome|firefox|safari|mozilla).*(?:cookies|login data|key[34]\.db|logins\.json)|key4\.db|logins\.json)
T1556.003 persists critical 8 | pam pam_permit pam_unix pam_exec pam_succeed_if authorization | (?:/etc/pam\.d|/usr/lib/pam|pam_(?:unix|permit|exec|succeed_if|tally)|/library/security/securityagentplugins|authorizationdb)
T1110 reads_credentials high 6.5 | su sudo sshpass passwords | sshpass|(?:for|while)\b.*(?:\bsu\b|sudo\s+-s|ssh\s)
T1040 captures_data high 7.4 | tcpdump tshark dumpcap wireshark ngrep bpf | \b(?:tcpdump|tshark|dumpcap|ngrep)\b|/dev/bpf
T1056.001 captures_data high 7.5 | pam_tty_audit script prompt_command logkeys xinput evtest auditctl | pam_tty_audit|prompt_command=|\bscript\s+-\w*[qf]|xinput\s+test|logkeys|trap\s.*debug|typeset\s+-r\s+prompt
T1056.002 captures_data critical 8 | osascript display dialog hidden zenity | display dialog.*(?:hidden answer|password|default answer)|zenity.*password
T1113 captures_data high 7.4 | screencapture import xwd scrot gnome_screenshot | \b(?:screencapture|xwd|scrot|gnome-screenshot)\b|\bimport\s+-window
T1115 captures_data medium 5 | pbpaste xclip xsel | \bpbpaste\b|xclip\s.*-o|\bxsel\b
T1123 captures_data high 7.4 | arecord ffmpeg sox | \barecord\b|ffmpeg\s.*(?:avfoundation|alsa|pulse)
T1125 captures_data high 7.4 | imagesnap video0 | imagesnap|/dev/video
# Code from elsewhere
T1059.004 runs_downloaded_code critical 6.8 | curl wget fetch base64 nc | (?:curl|wget|fetch|lwp-download|aria2c|\bnc\b)\s.*\|\s*(?:sudo\s+)?(?:-s\s+)?(?:/\S*/)?(?:ba|z|da|k|c)?sh\b|(?:ba|z|da)?sh\s+(?:-c\s+)?<?\(?\$?\(?\s*(?:curl|wget|fetch)|(?:curl|wget).*\|\s*(?:sudo\s+)?(?:python|perl|ruby|osascript|node)|(?:source|eval|\.)\s+<?\(?\$?\(?(?:curl|wget)
T1105 runs_downloaded_code high 6.3 | curl wget fetch | (?:curl|wget|fetch)\b.*(?:&&|;).*(?:chmod\s+\S*(?:x|7)|\./|\bba?sh\s)
T1105 downloads medium 3.5 | curl wget scp sftp fetch rsync ftp | (?:curl|wget|fetch)\b.*(?:/tmp|/var/tmp|/dev/shm|githubusercontent|pastebin|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b)|(?:scp|sftp|rsync)\s+\S*@
T1105 runs_dynamic_code high 4 | chmod | chmod\s+(?:\S*\+\S*x|[0-7]{3,4})\s+\S*(?:/tmp|/dev/shm|/var/tmp)
T1059.004 runs_downloaded_code medium 4 | tmp shm | (?:^|[;&|]\s*|sudo\s+|nohup\s+|\bsh\s+|bash\s+)(?:\./)?/?(?:tmp|var/tmp|dev/shm)/\S+
T1027 hides_activity high 7.4 | base64 b64decode openssl uudecode xxd rev printf b64encode gzip od | (?:base64\s+(?:-d|-D|--decode|-di)|b64decode|openssl\s+(?:enc|base64).*-d|uudecode|xxd\s+-\w*r)\b.*(?:\||>|\)|sh)|(?:printf|echo)\s.*(?:\\x[0-9a-f]{2}){4}|\|\s*rev\s*\|
T1140 hides_activity high 6 | base64 b64decode openssl uudecode b64encode xxd | base64\s+(?:-d|--decode)|b64decode|uudecode|base64.*b64decode|b64encode
T1059.004 opens_network critical 9.5 | tcp udp mkfifo mknod telnet inet dup2 | (?:\bsh|bash)\s+-i\b.*/dev/(?:tcp|udp)/|/dev/(?:tcp|udp)/\S*\s.*(?:0>&1|<&\d)|0<&\d|mkfifo.*\b(?:nc|ncat|openssl|telnet)\b|socket.*(?:dup2|subprocess|/bin/\w*sh)|mknod.*\bp\b.*(?:nc|telnet)|/inet/(?:tcp|udp)|telnet.*\|\s*\S*sh
T1095 opens_network medium 4.5 | tcp udp | /dev/(?:tcp|udp)/
T1095 opens_network critical 8.5 | nc ncat netcat socat | \b(?:nc|ncat|netcat)\s+(?:\S+\s+){0,4}-\w*[elkc]\w*(?<!z)|\bsocat\b|\b(?:nc|ncat|netcat)\s+\S+\s+\d+
T1059.006 runs_dynamic_code high 7.5 | python python3 python2 perl ruby php node lua pty | \b(?:python[23]?(?:\.\d+)?|perl|ruby|php|node|lua)\s+-\w*[cer]\s.*(?:exec|eval|system|subprocess|socket|pty|spawn|base64)|pty\.spawn
T1059.002 runs_dynamic_code high 5 | osascript | osascript\s.*(?:do shell script|tell application|-l\s+javascript|https?:)
T1059.002 runs_downloaded_code critical 7.5 | osascript osacompile | (?:osascript|osacompile).*(?:curl|http|administrator privileges|eval\(|objc\.import)
T1620 injects_code critical 8.5 | ld_preload memfd_create dyld_insert_libraries ld_library_path memfd | ld_preload|memfd|dyld_insert_libraries|/etc/ld\.so\.preload
T1055.008 injects_code critical 8 | ptrace gdb dlopen | gdb.*(?:-batch|call|dlopen)|dd\s+.*of=/proc/\S+/mem
T1129 injects_code high 5.5 | so dylib | \bgcc\b.*-shared|\bcc\b.*-shared|-dynamiclib
T1027.004 runs_dynamic_code high 5.5 | gcc cc clang go | \b(?:gcc|cc|clang|g\+\+)\s.*(?:/tmp|\.c\b|-o\s)|go\s+(?:build|run)
T1220 runs_downloaded_code high 7.5 | xsltproc | xsltproc
T1202 runs_dynamic_code high 7.3 | awk vim vi tar busybox emacs cpan | (?:awk\s.*system\(|\bvim?\s.*(?:-c\s|:!)|tar\s.*--checkpoint-action|busybox\s+\S*sh\b|emacs\s.*--eval|perl_mm_use_default.*cpan)
T1059.004 runs_dynamic_code high 7.5 | sh bash zsh | \b(?:echo|printf|cat)\s.*\|\s*(?:sudo\s+)?(?:/\S*/)?(?:ba|z|da|k)?sh\s*(?:-s\s*)?(?:$|[;&|)])
T1059.004 runs_downloaded_code high 6.8 | tmp shm | (?:^|[;&|{]\s?|(?<!\w)\(\s?|\b(?:sudo|nohup|exec) )/(?:tmp|var/tmp|dev/shm)/[\w-]{1,80}(?=\s|$|[;&|)])
T1529 restarts_device high 6.8 | sysrq trigger sysrq_trigger | >\s*/proc/sysrq-trigger
T1204.002 runs_dynamic_code medium 7.1 | opt mnt media srv home | (?:^|[&;|{]\s?|(?<!\w)\(\s?|\b(?:sudo|sh|bash|python3?|perl|nohup|source) )/(?:opt|mnt|media|srv|home/[\w.]+)/[^\s;|&]{1,200}/[^\s;|&/]+\.?(?:sh|py|pl|out|elf|bin)?(?=\s|$|;)
T1609 runs_dynamic_code high 7.4 | kubectl | kubectl\s+exec\b
T1612 runs_dynamic_code high 6 | docker | docker\s+build\b
T1578 changes_software high 7.4 | gcloud az aws | \b(?:gcloud|az|aws)\s+\S+.*\b(?:create|delete|start|stop|snapshots?|detach|run-instances|terminate-instances|create-\w+|delete-\w+|update-\w+)\b
T1030 sends_data high 6 | split curl | \bsplit\s+-b.*|split\s.*curl
T1573 opens_network high 8 | openssl | openssl\s+s_(?:client|server).*(?:\||<|-quiet)
T1055.009 injects_code critical 8 | proc mem | (?:>|dd\s.*of=)\s*\S*/proc/\S+/mem\b|/proc/(?:\$\S+|\d+|self)/maps\b
T1059.004 runs_downloaded_code critical 7.4 | curl wget fetch | ^(?=.*(?:raw\.githubusercontent|gist\.github|pastebin|bit\.ly|transfer\.sh|https?://\d{1,3}\.\d)).*(?:\|\s*(?:sudo\s+)?(?:/\S*/)?(?:ba|z|da|k)?sh\b|\bba?sh\s.*(?:curl|wget)|&&.*(?:ba)?sh\s)
T1572 opens_network high 7.4 | code tunnel cloudflared devtunnel | \bcode\s+tunnel|cloudflared\s+tunnel|devtunnel\s+host
T1140 hides_activity high 6.5 | xxd | xxd\s+-r
T1056.001 captures_data critical 7.8 | ps2 prompt_command logger | (?:ps2|prompt_command)=.*(?:logger|history)
T1555.001 reads_credentials medium 5 | security | security\s+(?:find-certificate|import)\b
T1105 downloads high 7 | http https | (?:curl|wget|fetch)\b.*https?://(?!10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|(?:8\.8|1\.1|1\.0)\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}[:/]
T1048.002 sends_data high 7 | ssh | \bssh\s.*\btar\s.*>\s*\S|\bcurl\s.*-f\s+\S*=?@
# Staying
T1053.003 persists high 5 | cron crontab cron_d daily hourly weekly monthly anacron spool | (?:crontab\s+(?:-\s|-$|/|\S*tmp|\$|\S+\.\w+)|>\s*/?\S*(?:/etc/cron|/var/spool/cron)|(?:cp|mv|tee|echo|install)\b.*(?:/etc/cron|/var/spool/cron|/usr/lib/cron)|\|\s*crontab)
T1053.002 persists high 7.5 | at atd atq batch | \|\s*at\s+(?:now|-|\d)|\bat\s+(?:now|-f|-m|\d{1,2}:)
T1053.006 persists high 6 | systemd timer systemd_run | systemd-run|\.timer\b.*(?:>|enable|tee|cp|start)|(?:>|tee|cp)\b.*\.timer
T1543.002 persists high 5.5 | systemd service init rc update_rc chkconfig sysrc systemctl | (?:>|tee|cp|mv|echo|cat|ln|touch|install)\b.*(?:/etc/systemd/(?:system|user)|/lib/systemd/system|\.config/systemd)/\S+|(?:>|tee|cp|mv|ln|install|echo)\s.*/etc/(?:init\.d|rc\d?\.d|rc\.d|init)/|(?:>|cp|echo)\s.*/usr/local/etc/rc\.d|update-rc\.d
T1037.004 persists high 7.5 | rc local startupitems common | (?:>|tee|cp|echo|chmod|sed)\b.*(?:/etc/rc\.(?:local|common|d)|rc\.local|/library/startupitems|startupparameters)
T1546.004 persists high 7.4 | bashrc zshrc profile bash_profile bash_login zprofile zshenv shrc bash_logout cshrc login bash_completion kshrc | (?:>{1,2}|tee|sed\s+-i|cp|echo|printf)\s.*(?:\.(?:bashrc|zshrc|bash_profile|bash_login|zprofile|zshenv|shrc|profile|bash_logout|cshrc|kshrc|login|zlogin)\b|/etc/(?:profile(?:\.d)?|bashrc|bash\.bashrc|zshrc|zshenv|zprofile|csh\.\w+))
T1546.005 persists high 7.4 | trap | trap\s+\S.*(?:nohup|curl|wget|\bsh\s+\S*/|\.sh\b)|trap\s.*\bdebug\b
T1546.016 persists high 5 | postinst postinstall preinst dpkg_deb rpmbuild fpm installer | postinst|preinst|%post|dpkg-deb\s|rpmbuild
T1546.018 persists high 7.5 | sitecustomize usercustomize pth site | sitecustomize|usercustomize|site_?packages.*\.pth|getusersitepackages|\.pth\b
T1547.013 persists high 6.5 | autostart xdg desktop | (?:>|tee|cp|mv|out-file)\b.*autostart/|/etc/xdg/autostart
T1547.006 injects_code critical 8 | insmod modprobe kextload depmod kextutil kmutil kldload | \b(?:insmod|kextload|kextutil|kmutil\s+load|kldload)\b|modprobe\s+(?!-r|-n)\S|/etc/modules
T1098.004 persists critical 8 | authorized_keys | (?:>|tee|echo|cat|cp|sed|ssh-copy-id)\b.*authorized_keys|ssh-copy-id
T1136.001 changes_accounts high 6 | useradd adduser sysadminctl dscl pw | \b(?:useradd|adduser)\s+\S|pw\s+useradd|sysadminctl.*-adduser|dscl\s.*-?create\s+/users
T1136.001 changes_accounts critical 7.5 | useradd usermod adduser o uid 0 | (?:useradd|usermod|adduser)\b.*(?:-o\b.*-u\s*0|-u\s*0|-g\s*(?:0|root|sudo|wheel|admin)|-ag\s*(?:sudo|wheel|root|admin|docker))|pw\s+usermod
T1098 changes_accounts high 6 | usermod gpasswd dseditgroup chpasswd passwd | usermod\s.*-[a-z]*g|gpasswd\s+-a|dseditgroup\s.*-a|chpasswd|passwd\s+(?:-[dlu]|--stdin|\w+\s*<)|\|\s*passwd
T1564.002 hides_activity critical 8 | ishidden uniqueid hide500users hiddenuserslist gdm | ishidden|uniqueid\s+[1-4]?\d{1,2}\b|hide500users|hiddenuserslist|accountsservice.*systemaccount
T1078.003 changes_accounts high 6.8 | root enable dsenableroot | dsenableroot|passwd\s+root|passwd\s+-u\s+root|sysadminctl.*-guestaccount\s+on
T1531 changes_accounts high 5.5 | userdel deluser chage usermod pkill | (?:userdel|deluser)\s|chage\s.*-e\s*0|usermod\s.*(?:-l|-e)\b|passwd\s+-l
# Rights
T1548.001 elevates critical 7.5 | chmod setuid setcap cap_setuid s 4755 2755 install perm | chmod\s+(?:\S*[ug]\S*\+\S*s|0?[246]\d{3})\b|setcap\s|find\b.*-perm\s+\S*(?:4000|2000|6000|u=s|g=s)|install\s.*-m\s*[246]\d{3}
T1548.003 elevates critical 8 | sudoers timestamp_timeout tty_tickets nopasswd visudo sudo | sudoers|timestamp_timeout|tty_tickets|nopasswd|sudo\s+-[ln]*l\b
T1548.004 elevates critical 8 | authopen security_authtrampoline authorizationexecutewithprivileges administrator | authopen|authorizationexecutewithprivileges|with administrator privileges|security_authtrampoline
T1068 elevates critical 9 | pwnkit dirtycow dirtypipe cve gconv pkexec | pwnkit|dirty_?(?:cow|pipe|sock)|gconv_path|cve-?\d{4}|exploit
T1611 elevates critical 8.5 | docker nsenter privileged chroot release_agent cgroup unshare | docker\s+run\s.*(?:--privileged|-v\s*/:|--pid=host)|nsenter\s|release_agent|unshare\s.*-\w*[ur]|privileged:\s*true|chroot\s+/(?:host|mnt)
T1610 runs_dynamic_code medium 3.5 | docker podman kubectl crictl | (?:docker|podman|crictl)\s+(?:run|exec|build)\b|kubectl\s+(?:create|run|apply|exec)\b
T1222.002 changes_permissions high 5 | chmod chown chattr setfacl | chmod\s+(?:-\w+\s+)*(?:0?777|a\+rwx|ugo\+rwx|o\+w|\S*a\+w)|chattr\s+-i|chown\s+-r\s+\S+\s+/\S*\s*$|chmod\s+-r
T1222.002 hides_activity high 6 | chattr | chattr\s+\+i
# Defences
T1562.001 disables_security high 7.5 | systemctl service launchctl setenforce auditd apparmor falcon_sensor falconctl cbdaemon cbagentd clamav clamd osqueryd wazuh crowdstrike sophos sentinelctl sentinelone selinux opendirectory mdatp esets auditctl syslog rsyslog syslogd openbsm littlesnitch opensnitch xprotect opensnitchd carbonblack cbosxsensorservice jamf santa avast tanium | (?:stop|disable|mask|kill|unload|bootout|remove|uninstall|rm|onestop|off|pkill|killall|purge)\b.*(?:auditd|apparmor|falcon|cbdaemon|cbagentd|clam(?:av|d)|osqueryd|wazuh|crowdstrike|sophos|sentinel|mdatp|esets|r?syslogd?|syslog-ng|littlesnitch|opensnitch|xprotect|carbon\s?black|cbosx|santad?|avast|tanium|journald)|setenforce\s+(?:0|permissive)|selinux\s*=\s*(?:disabled|permissive)|auditctl\s+-(?:e\s*0|d)|aa-(?:teardown|disable|complain)|mdatp.*disabled
T1562.001 disables_security critical 7.4 | spctl csrutil gatekeeper quarantine lsquarantine | spctl\s+(?:--master-disable|--global-disable|--add|kext-consent|--disable)|csrutil\s+disable|lsquarantine|xattr\s.*(?:-d\s+com\.apple\.quarantine|-\w*c\w*\s)|com\.apple\.quarantine
T1553.001 disables_security critical 6.8 | xattr quarantine | xattr\s+-\w*[rdc]\w*\s.*(?:quarantine|\S+\.app|\*)
T1562.004 disables_security high 6.3 | ufw iptables firewalld pf nft firewall_cmd socketfilterfw ip6tables pfctl alf globalstate | ufw\s+(?:--force\s+)?(?:disable|reset|delete)|iptables\s.*(?:-f\b|-d\s|-p\s+\w+\s+accept|--flush)|(?:stop|disable|mask)\s+(?:firewalld|ufw|iptables|nftables)|service\s+(?:firewalld|iptables|ufw|pf|ipfw)\s+\S*stop|pfctl\s+-(?:d|f)|nft\s+flush|socketfilterfw.*(?:--setglobalstate\s+off|--add|unblock)|globalstate\s+-int\s+0|ufw\.rules|/etc/ufw|ufw\s+logging\s+off|echo.*>\s*/etc/(?:ufw|pf)
T1562.003 disables_security high 7.5 | histfile histignore histcontrol histsize histfilesize hist_ignore history savehist | unset\s.*hist(?:file|size|control|filesize)|export\s.*histcontrol|histfile\s*\+?=\s*(?!(?:~|\$\{?home\}?|/root|/home/[\w.]+|/users/[\w.]+)/\.(?:bash|zsh|sh|k?sh)_history(?:\s|$|;))|(?:hist(?:file)?size|savehist)\s*=\s*(?!-1\b|\d{3,}|$|[\s;])|histignore\s*=\s*\S|histcontrol\s*=\s*ignore|set\s+\+o\s+history|histfile=/dev/null
T1562.006 disables_security high 6.8 | rsyslog auditd audit rules syslog logrotate newsyslog | (?:sed|echo|>|rm|mv|cp)\b.*(?:/etc/audit|rsyslog\.conf|auditd?\.(?:conf|rules)|/etc/libaudit|/etc/syslog|audit_control|newsyslog)
T1562.012 disables_security critical 8 | auditctl audit | auditctl\s+-[ed]|audit\s+-t
T1070.002 erases_traces critical 8 | log wtmp btmp utmp lastlog secure auth syslog messages journal system journalctl | (?:rm|shred|truncate|unlink|cat\s+/dev/null|srm|dd|rmdir|sed\s+-i|vi|cp\s+/dev/null|ln\s+-s\S*\s+/dev/null)\s.*(?:/var/(?:log|audit|spool/mail)|/private/var/(?:log|audit)|\b[wbu]tmpx?\b|/library/logs)|(?:(?:^|[^>])>\|?|\btee)\s*(?:\S*/var/(?:log|audit|spool/mail)|\S*\b[wbu]tmpx?\b|\S*/library/logs)|journalctl\s.*--vacuum-(?!(?:size=(?:\d{2,}m|\d+g)|time=\d+(?:d|w|m|y|days?|weeks?|months?|years?))(?:\s|$))|log\s+erase
T1070.002 erases_traces medium 4 | journalctl | journalctl\s.*--vacuum
T1070.003 erases_traces critical 8 | bash_history zsh_history history sh_history histfile | (?:rm|shred|truncate|unlink|>|ln|cat|echo|set|export|sed|cp)\s.*(?:bash|zsh|sh)_history|history\s+-[cdw]|history\s*-c|sessions/.*history
T1070.006 erases_traces high 6.8 | touch | touch\s+(?:-\w+\s+)*-\w*[rdtam]\w*\s|debugfs.*mi\s
T1070.004 erases_traces high 6.8 | shred srm wipe | \b(?:shred|srm|wipe)\s
T1070.006 erases_traces high 6 | date timedatectl systemsetup hwclock | (?:^|;|\s)date\s+(?:-s|--set)|settimeofday|-setdate|timedatectl\s.*set-(?:time|ntp\s+(?:false|no|0|off))|hwclock\s.*--set|hwclock\s+-\w*w\b
T1027.001 hides_activity high 7.5 | dd urandom zero truncate | dd\s+if=/dev/(?:zero|urandom|random).*>>|dd.*if=/dev/zero.*count.*>>\s
T1564.001 hides_activity medium 6.8 | chflags setfile hidden mkdir mv | chflags\s.*hidden|setfile\s.*-a\s*v|(?:mkdir|touch|mv|cp|echo.*>)\s+\S*(?:/tmp|/var/tmp|/dev/shm)/\.\w
T1564 hides_activity high 6 | appleshowallfiles | appleshowallfiles
T1036.003 hides_activity high 7.5 | cp mv ln | \b(?:cp|mv)\s+\S*(?:/bin/(?:sh|bash|sleep|nc|true)|\$\(which\s+\w+\)|`which\s+\w+`)\s
T1036.006 hides_activity high 7.4 | kworker kthreadd crond | exec\s+-a|\[k(?:worker|thread)
T1014 hides_activity critical 9 | rootkit preload | ld\.so\.preload|rootkit
T1497.001 explores medium 5 | dmidecode systemd_detect_virt hypervisor vboxguest virtualbox vmware ioreg sysctl | systemd-detect-virt|(?:grep|egrep)\b.*(?:vmware|virtualbox|vbox|qemu|hypervisor|oracle|parallels)|dmidecode.*(?:vm|virt)|hw\.model|iokit
T1497.003 explores medium 5 | ping sleep | ping\s+-c\s*[2-9]\d\d
# The lock of the screen
T1562 disables_security medium 4 | gsettings dconf | ^(?!.*(?:(?:lock-enabled|idle-activation-enabled|lock-on-suspend\S*)\s+true|(?:idle-delay|lock-delay)\s+(?:uint32\s+)?[1-9]\d{0,3}|disable-lock-screen\s+false)\s*(?:$|[;&|])).*(?:gsettings\s+(?:set|reset\S*)|dconf\s+(?:write|reset|load))\b.*(?:screensaver|idle-delay|idle-activation|lock-(?:enabled|delay|on-suspend|screen)|sleep-inactive|ubuntu-lock)
T1562 disables_security medium 4 | xset xautolock xscreensaver_command light_locker_command swayidle xss_lock | xset\s.*(?:\bs\s+(?:off|noblank|noexpose|default|0)|-dpms|dpms\s+(?:0|force))|xautolock\s+-(?:disable|exit)|xscreensaver-command\s+-(?:exit|deactivate)|(?:pkill|killall|kill)\b.*(?:xscreensaver|light-locker|xautolock|swayidle|xss-lock|gnome-screensaver)
T1562 disables_security medium 4 | screensaver askforpassword idletime loginwindowidletime screenlock displaysleep autologoutdelay | ^(?!.*askforpassword\s+(?:-int\s+|-bool\s+)?(?:1|true|yes)\b).*(?:write|delete|import|add|set)\b.*(?:askforpassword|loginwindowidletime|com\.apple\.screensaver\b.*idletime|autologoutdelay)|screenlock\s+(?:off|\d{4,})|pmset\b.*displaysleep\s+0
T1562 changes_preferences medium 2 | caffeinate systemd_inhibit systemd | caffeinate(?=\s+(?:\S+\s+)*-\w*[du])|systemd-inhibit\s(?!.*--what=(?:sleep|shutdown|handle-[\w-]+)(?::(?:sleep|shutdown|handle-[\w-]+))*(?:\s|$))
# Moving, sending
T1048 sends_data high 6.6 | curl wget scp ftp dig nslookup nc tar ssh rsync rclone openssl http_server simplehttpserver | curl\s.*(?:-f\s+\S*=?@|-t\s|--upload-file|--data(?:-binary|-raw)?\s+@|-d\s+@|-d\s+\$|-xput)|(?:tar|cat|cpio|gzip|zip|dd)\b.*\|\s*(?:ssh|nc|curl|openssl|base64|xxd)|wget\s.*--post-(?:file|data)|rclone\s|(?:^|[;&|]\s*|do\s+)(?:dig|nslookup)\s+\S*[$`(]|simplehttpserver|http\.server|scp\s.*\S+@\S+:|mail\s+-s.*<|lftp|tftp
T1071.001 sends_data medium 3.5 | user_agent a | (?:curl|wget)\s.*(?:-a\s|--user-agent|-u\s+mozilla)
T1132.001 hides_activity medium 4 | base64 xpost curl | curl\s.*-xpost
T1572 opens_network high 7.5 | ssh autossh sshuttle | (?:^|[;&|]\s*|sudo\s+|nohup\s+)ssh\s.*\s-[a-z]*[rdl]\s*\S*\d+:?|autossh|sshuttle
T1021.004 reaches_devices high 5 | ssh sshd remotelogin systemsetup vim_cmd | \bssh\s+\S*(?:-o\s*stricthost|\w+@)|systemsetup.*-setremotelogin\s+on|sshd\s.*-p|enable_ssh|permitrootlogin
T1021.005 opens_network high 6.6 | ardagent kickstart screensharing vnc x11vnc remotedesktop | kickstart\b.*-activate|screensharing|x11vnc|vncserver|setvnc
T1090.001 changes_network medium 7.4 | http_proxy https_proxy all_proxy setwebproxy setsecurewebproxy setsocksfirewallproxy | (?:export\s+)?(?:https?|all)_proxy=\S|-set(?:secure)?webproxy\s|-setsocksfirewallproxy\s
T1571 opens_network high 7.4 | sshd port listen listener python python3 http server | -m\s+(?:http\.server|simplehttpserver)|nc\s+-l
T1219 opens_network high 6 | anydesk teamviewer rustdesk | anydesk|teamviewer|rustdesk
T1565 changes_network high 5.5 | hosts | (?:>>|tee|sed\s+-i\S*|echo)\s.*/etc/hosts\b
T1557 captures_data high 7.5 | ip_forward arpspoof | ip_forward
T1090 opens_network high 6 | iptables nat redirect socat tor | iptables\s.*-t\s+nat|service\s+tor\b|start\s+tor\b|script\s+tor\b|tor_enable
# Destroying
T1485 deletes_files critical 8.5 | dd rm mkfs | dd\s+.*of=/dev/(?:sd|nvme|vd|hd|disk|rdisk|mapper)|rm\s+-\w*[rf]\w*\s+(?:-\S+\s+)*(?:/\*?|~|/home/?\*?|/etc/?\*?|/var/?|/usr/?|/boot/?|--no-preserve-root.*)(?:\s|$)|dd\s+.*of=\$?\w*overwrite
T1485 deletes_files high 6 | dd urandom zero | dd\s.*of=\S+.*if=/dev/(?:zero|urandom|random)|dd\s.*if=/dev/(?:zero|urandom|random)
T1486 encrypts_files critical 7.5 | openssl gpg ccrypt 7z zip aescrypt | openssl\s+(?:enc|rsautl|pkeyutl)\b.*(?:-e\b|-encrypt|-in\s)|gpg\s.*(?:-c\b|--symmetric|-e\b|--encrypt|--batch)|\bccrypt\b|7z\s+a\s.*-p|zip\s.*(?:--password|-p\s|-e\s)
T1490 erases_traces high 6.8 | tmutil timemachine | tmutil\s+(?:delete|disable)
T1496 captures_data high 7.5 | yes | \byes\s*>\s*/dev/null|stratum
T1499 restarts_device critical 8 | fork | :\(\)\s*\{
T1529 restarts_device high 3.5 | reboot shutdown halt poweroff init telinit | (?:^|;|&|\|\s*|sudo\s+)(?:reboot|halt|poweroff|shutdown)\b|\binit\s+[06]\b
T1489 changes_services medium 2 | kill pkill killall | kill(?:all)?\s+(?:-9|-kill)\s
T1491 hides_activity high 6 | motd issue wallpaper desktop | (?:>|tee)\s*/etc/(?:motd|issue)|desktop picture
# Looking around
T1087.001 explores low 3.5 | passwd groups id lastlog last dscl dscacheutil lsof users | (?:cat|grep|cut|awk)\b.*/etc/passwd|\blastlog\b|\blastlogin\b|dscl\s.*-?list|dscacheutil\s+-q\s+(?:user|group)|lsof\s+-u
T1033 explores low 3 | whoami w who users id finger last | (?:^|[;&|]\s*|\$\()(?:whoami|who|w|users|id|finger)\s*(?:$|[;&|>)])
T1082 explores low 3 | uname lsb_release hostname sw_vers system_profiler dmidecode lscpu hostnamectl lsmod | \buname\s+-a|system_profiler|\bdmidecode\b|\blsmod\b|kextstat|ioreg\s
T1016 explores low 2.5 | ifconfig arp netstat route ip networksetup | (?:^|[;&|]\s*)(?:ifconfig|arp\s+-a|netstat\s+-\w*[rn])|defaults\s+read\s.*alf
T1018 explores medium 5 | arp ping seq nmap ip | for\s.*(?:seq|\{1\.\.).*ping|arp\s+-a|ip\s+(?:neigh|tcp_metrics)|/proc/net/arp
T1046 explores medium 6.5 | nmap nc seq telnet | for\s.*(?:seq|\{1).*(?:/dev/tcp|nc\s+-z|telnet)|nc\s+-\w*z|\bnmap\b
T1049 explores low 3 | netstat ss sockstat lsof | \b(?:netstat|sockstat)\b|\bss\s+-\w|lsof\s+-i
T1057 explores low 2.5 | ps | \bps\s+(?:aux|-ef|-e)\w*\s*(?:$|>|\|\s*(?:tee|grep.*(?:falcon|audit|av)))
T1069 explores low 3.5 | groups dscacheutil dscl ldapsearch | (?:^|[;&|]\s*)groups\b|-q\s+group|list\s+/groups
T1087.002 explores medium 6.5 | ldapsearch rpcclient wbinfo net ldapwhoami | ldapsearch|wbinfo|rpcclient|\bnet\s+(?:ads|rpc)
T1518.001 explores medium 5 | ps grep falcon cbosx littlesnitch santad | (?:ps\s.*|pgrep\s.*|grep\s.*)(?:falcon|cbosx|carbon|little\s?snitch|santad|sentinel|osquery|auditd|clamav)
T1083 explores low 3 | find locate ls tree | (?:^|[;&|]\s*)(?:locate\s|ls\s+-\w*r|find\s+[./~]\S*\s+(?:-type\s+\w\s*(?:$|>|\|)|-print))
T1135 explores medium 4.5 | smbutil showmount findmnt smbclient | smbutil\s+view|showmount\s|findmnt\s+-t\s+(?:nfs|cifs)|smbclient\s
T1201 explores medium 4.5 | pwquality login chage pwpolicy common_password | (?:cat|chage\s+-l|pwpolicy).*(?:pwquality|login\.defs|common-password|accountpolicies|system-auth)|pwpolicy\s|chage\s+(?:-l|--list)
T1217 explores medium 5 | bookmarks places history | places\.sqlite|bookmarks(?:\.plist|\.bak)?\b
T1580 explores medium 6 | aws gcloud az s3api iam ec2 sts | \b(?:aws|gcloud|az|doctl|oci)\s+(?:s3|s3api|iam|ec2|sts|compute|storage|account|ad|vm|lambda|ssm|cloudtrail|logs|secretsmanager|guardduty|login|projects|logging)\b
T1613 explores medium 4 | kubectl docker crictl | kubectl\s+(?:get|describe|cluster-info)|docker\s+(?:ps|images|info|inspect)
T1560.001 captures_data medium 4 | tar zip gzip bzip2 7z | (?:tar|zip|7z|gzip|bzip2)\s.*(?:/home|\$home|~|/users|/etc|\.ssh|documents|desktop)
T1560.001 captures_data low 2.5 | tar zip gzip | (?:^|[;&|]\s*)(?:gzip|zip|tar\s+-?\w*c\w*)\s
T1005 captures_data medium 5 | find cp sqlite3 notestore chat | find\s.*-name\s+\S*\.(?:docx?|pdf|xlsx?|kdbx|pst).*(?:cp|tar|zip|exec)|notestore|chat\.db
T1074.001 captures_data medium 3.5 | cat cp tmp discovery | (?:cp|cat)\s.*(?:/etc/\S+|\.ssh\S*)\s+>?\s*\S*/tmp
T1562.008 disables_security critical 8 | cloudtrail guardduty delete_trail stop_logging update_trail logging | delete-trail|stop-logging|delete-detector|update-trail|delete-flow-logs|logging\s+sinks?\s+(?:delete|update)|put-event-selectors
T1098 changes_accounts critical 7.5 | iam create_user create_access_key attach_user_policy | iam\s+(?:create|attach|put|add|update)-|create-login-profile
T1651 reaches_devices critical 7.5 | ssm | ssm\s+(?:send-command|start-session)
# macOS
T1543.001 persists high 6.5 | launchagents launchdaemons launchctl | (?:cp|>|tee|ln|echo|launchctl\s+(?:load|bootstrap|submit))\b.*(?:launch(?:agents|daemons)/|\.plist)|launchctl\s+submit
T1546.014 persists high 8.5 | emond | emond
T1547.015 persists high 6.8 | login item loginitems | loginitems?|login item|loginhook|logouthook
T1037.002 persists high 7.5 | loginhook logouthook | log(?:in|out)hook
T1547.007 persists high 7.5 | tallogoutsavesstate loginwindow | (?:loginwindow|talappstorelaunch).*plist.*(?:add|write|set)|talappstorelaunch
T1543.004 persists critical 6.6 | launchdaemons | (?:cp|tee|>|ln|echo)\b.*launchdaemons/
T1569.001 runs_dynamic_code high 7.5 | launchctl | launchctl\s+submit
T1176 persists high 7.5 | extensions chrome_extension load_extension | --load-extension|chrome/extensions
T1647 changes_preferences high 4 | plutil plistbuddy lsuielement lsenvironment | (?:plutil\s+-(?:replace|insert)|plistbuddy\s.*(?:add|set)|lsuielement|lsenvironment)
T1553.004 disables_security high 7 | add_trusted_cert update_ca_certificates trustroot ca_trust | add-trusted-cert|trustroot|update-ca-(?:certificates|trust)|ca-bundle
T1553.006 disables_security critical 8 | nvram boot_args csr_active_config | nvram\s.*(?:boot-args|csr-active|amfi)
T1059.002 hides_activity high 4.5 | osascript app terminal | tell application .?(?:terminal|system events|finder)
T1564.003 hides_activity medium 4 | nohup disown | nohup\s.*&\s*$|&\s*disown
T1543.003 changes_preferences medium 2 | defaults | defaults\s+write\s
T1204 runs_dynamic_code medium 4 | open | \bopen\s+(?:-\w+\s+)*\S*(?:/tmp|calculator|terminal)
T1074 captures_data medium 3 | ditto hdiutil | hdiutil\s+(?:create|attach|mount)
T1072 reaches_devices high 7.4 | ansible salt puppet | ansible\s+\S+\s.*-m\s+(?:shell|command)
T1195 changes_software medium 4.5 | pip npm gem brew | (?:pip3?|npm|gem)\s+install\s.*(?:--index-url|--extra-index|git\+|http)
T1574.006 injects_code critical 8.5 | ld_preload dyld_insert_libraries | .
"""
