# SPDX-License-Identifier: Apache-2.0
"""Signs in Windows programs: what attackers do with them that administrators seldom do.

One row a sign: technique, kind, severity, suspicion | words that call it up | pattern. The format
and the form of the text that patterns meet are those of guardrails.technique_effects. Written from
ATT&CK, the LOLBAS project's list of programs and Microsoft's command reference.
"""
# ruff: noqa: E501 - tables

from typing import Final

WINDOWS_SIGNS: Final = r"""
# Credentials
T1003.001 reads_credentials critical 9.5 | comsvcs | (?:minidump|#\+?-?\d+).*|comsvcs(?:\.dll)?.{0,40}full
T1003.001 reads_credentials critical 9 | lsass | (?:procdump|dump|-ma\b|rdrleakdiag|createdump|sqldumper|tttracer|out-minidump|openprocess|get-process|tasklist|processid|/p(?:id)?\b)
T1003.001 reads_credentials critical 8 | procdump procdump64 dumpert nanodump handlekatz rdrleakdiag sqldumper createdump out_minidump | (?:\b(?:procdump(?:64)?|rdrleakdiag|createdump|sqldumper)\b.*(?:-ma|-mm|/fullmemdmp|-f|\d+)|dumpert|nanodump|handlekatz)
T1003.002 reads_credentials critical 9 | sam system security | \breg\b(?:\.exe)?\s+(?:save|export)\s+(?:hklm|hkey_local_machine)\\(?:sam|security|system)\b
T1003.002 reads_credentials critical 9 | sam security system | (?:system32\\config|volumeshadowcopy\d*.{0,40}config|\brepair)\\(?:sam|security|system)\b
T1003.003 reads_credentials critical 9 | ntds ntdsutil ifm | (?:ntds\.dit|ntdsutil.*(?:ifm|ac(?:tivate)? i)|create full)
T1003.003 reads_credentials critical 7.5 | vssadmin diskshadow wmic shadowcopy shadow | (?:create\s+shadow|shadowcopy\s+call\s+create|diskshadow.*(?:/s|-s|exec)|win32_shadowcopy.*create|globalroot\\device\\harddiskvolumeshadowcopy)
T1003.003 reads_credentials high 7.5 | esentutl | esentutl.*/(?:y|vss)\b
T1003.004 reads_credentials critical 8 | secrets policy | hklm\\security\\policy\\secrets
T1003.005 reads_credentials medium 4.5 | cmdkey | cmdkey(?:\.exe)?\s+/list
T1552.002 reads_credentials high 7.5 | reg password putty sessions realvnc | reg(?:\.exe)?\s+query.*(?:/f\s+(?:password|passwd|pwd)|simontatham|putty\\sessions|winvnc|realvnc|defaultpassword)
T1552.001 reads_credentials high 5 | findstr password passwords select_string sls | (?:findstr.*/s.*pass|findstr.*pass.*/s|(?:select-string|\bsls\b).*pass(?:word|wd)?|dir.*/s.*\*?(?:pass|cred|vnc|\.config))
T1552.001 reads_credentials high 7.5 | unattend sysprep sitelist groups | (?:unattend(?:ed)?\.xml|sysprep\.(?:xml|inf)|sitelist\.xml|groups\.xml|web\.config.*connectionstring)
T1552.006 reads_credentials high 7.5 | sysvol cpassword | (?:findstr|select-string|get-gpppassword|cpassword).*(?:sysvol|cpassword)|cpassword
T1555.004 reads_credentials high 7.5 | vaultcmd keymgr | (?:vaultcmd.*/list|keymgr(?:\.dll)?,\s*krshowkeymgr)
T1555.003 reads_credentials high 6.5 | login logins | login data|logins\.json
T1555.003 reads_credentials high 7.8 | login cookies key4 logins formhistory | (?:(?:copy|cp|type|get-content|xcopy|robocopy|move|gc|sqlite3?)(?:-item)?(?:\.exe)?\s.*(?:login data|logins\.json)|\bcopy\S*\s.*\\cookies\b|key[34]\.db|copy.*cookies\.sqlite)
T1552.004 reads_credentials high 6.8 | pfx p12 ppk pem certutil exportpfx crypto | (?:dir|findstr|get-childitem|gci|where|find|xcopy|robocopy|copy).*\*?\.(?:pfx|p12|ppk|pem|kdbx?|cer|key|gpg|pgp|p7b|asc)\b|-exportpfx|export-pfxcertificate
T1555 reads_credentials high 5 | wlan key clear | netsh.*wlan.*(?:key\s*=\s*clear|export\s+profile)
T1558.003 reads_credentials critical 7.5 | setspn kerberosrequestorsecuritytoken | (?:setspn.*-q.*\*/\*|setspn.*-t|kerberosrequestorsecuritytoken)
T1558 explores low 2.5 | klist | klist(?:\.exe)?\s*(?:$|tickets|sessions|get|-)
T1187 reads_credentials high 7.5 | rpcping efsrpc petitpotam | rpcping.*-s|petitpotam
T1556.002 reads_credentials critical 8 | notification packages | notification packages
T1040 captures_data high 7.4 | netsh pktmon tshark windump dumpcap netmon wireshark neteventsession | (?:netsh.*trace.*(?:start|capture)|pktmon.*(?:start|filter)|\b(?:tshark|windump|dumpcap|rawcap)\b|new-neteventsession|packetcaptureprovider)
T1110 reads_credentials critical 7.5 | for net use | for\s+/f.*net(?:\.exe)?\s+use\s+\\+.*/u
# Proxies for code: programs of the system that run what they are given
T1218.005 runs_downloaded_code critical 8 | mshta | mshta(?:\.exe)?.*(?:https?:|javascript:|vbscript:|about:|\.hta|getobject|\\)
T1218.010 runs_downloaded_code critical 8.5 | regsvr32 scrobj | regsvr32.*(?:scrobj|/i:|https?:|\.(?:sct|jpg|txt|png|gif|log)\b)
T1218.010 injects_code high 5 | regsvr32 | regsvr32.*(?:temp|appdata|users|public|programdata|tools)
T1218.011 runs_downloaded_code critical 8 | rundll32 | rundll32.*(?:javascript:|vbscript|mshtml|url\.dll|openurl|fileprotocolhandler|shellexec_rundll|advpack|ieadvpack|launchinfsection|registerocx|installhinfsection|setupapi|syssetup|pcwutl|zipfldr|routethecall|dfshim|printhtml|desk\.cpl|shimflushcache|-sta|inetcpl|control_rundll|\.cpl|https?:|desktop_?host|,\s*#\d|shdocvw)
T1218.011 injects_code high 7.4 | rundll32 | rundll32(?:\.exe)?\s+\S*(?:temp|tmp|appdata|public|programdata|downloads|tools|\.(?:txt|log|dat|jpg|png|tmp|bin))
T1218.007 runs_downloaded_code critical 7.5 | msiexec | msiexec.*(?:/q\S*|/i|-i|/y|/z|-y|-z).*https?:|msiexec(?:\.exe)?\s+[/-][yz]\s|msiexec.*\b(?:dllregisterserver|dllunregisterserver)
T1218.003 runs_downloaded_code critical 8 | cmstp | cmstp(?:\.exe)?\s.*(?:/s|/au|\.inf|/ns)
T1218.004 runs_downloaded_code critical 7.5 | installutil | installutil.*(?:/u|/logfile|\.dll|\.exe|-u|=|assemblyinstaller)|configuration\.install
T1218.009 runs_downloaded_code critical 7.5 | regasm regsvcs | \b(?:regasm|regsvcs)\b.*(?:/u|\.dll|tmp|temp|users|appdata|\S\.exe)
T1218.008 runs_downloaded_code critical 7.5 | odbcconf | odbcconf.*(?:regsvr|/a|-a|/f|-f|installdriver|configsysdsn|\.rsp)
T1218.001 runs_downloaded_code critical 7.5 | hh chm | \bhh(?:\.exe)?\s+\S|\.chm\b
T1218.002 runs_downloaded_code high 6 | control cpl | \bcontrol(?:\.exe)?\s+\S*\.(?:cpl|dll|txt)\b
T1218.012 runs_downloaded_code high 7.5 | verclsid | verclsid.*(?:/s|/c)
T1218.013 injects_code critical 8 | mavinject | mavinject
T1218.014 runs_downloaded_code high 6.5 | mmc | \bmmc(?:\.exe)?\s+.*(?:-embedding|\.msc\b)
T1218.015 runs_downloaded_code high 7.4 | asar electron inspect | \.asar\b|--inspect-brk|--gpu-launcher|--utility-cmd-prefix|--renderer-cmd-prefix
T1220 runs_downloaded_code critical 8.5 | wmic msxsl format | (?:wmic.*(?:/|-)format\s*:\s*\S*(?:\.xsl|https?:|\\)|msxsl)
T1216 runs_downloaded_code high 8 | pubprn syncappvpublishingserver manage_bde wsf winrm slmgr cl_invocation cl_mutexverifiers cl_loadassembly utilityfunctions launch_vsdevshell | (?:pubprn\.vbs.*script:|pubprn|syncappvpublishingserver(?:\.vbs)?|manage-bde\.wsf|cl_(?:invocation|mutexverifiers|loadassembly)|utilityfunctions\.ps1|launch-vsdevshell|winrm\.vbs.*format)
T1127.001 runs_downloaded_code critical 7.5 | msbuild | msbuild(?:\.exe)?.*(?:\.xml|\.csproj|\.proj|\.tmp|\.rsp|\.txt|/noconsolelogger|inline)
T1127 runs_downloaded_code high 7.4 | csc vbc jsc ilasm rcsi csi dnx cdb fsi fsianycpu tracker bginfo windbg kd wfc workflow | \b(?:(?:csc|vbc|jsc|ilasm)(?:\.exe)?\s.*(?:/|-)(?:out|target|r:|reference)|(?:csc|vbc|jsc|ilasm)(?:\.exe)?\s+\S*\.(?:cs|vb|js|il)\b|\brcsi\b|\bcsi\s|\bdnx\s|\bcdb\s.*-cf|fsianycpu|tracker(?:\.exe)?\s+/d|workflow\.compiler)
T1202 runs_downloaded_code high 7.5 | pcalua forfiles scriptrunner conhost bash wsl ftp winword explorer hyper atbroker dxcap stordiag cmdl32 customshellhost ttdinject appvlp wlrmdr devinit pcwrun extexport replace presentationhost rdpclip bitsadmin gpscript register_cimprovider xwizard desktopimgdownldr runonce runscripthelper provlaunch infdefaultinstall mavinject dnscmd diantz deviceCredentialdeployment ssh | \b(?:pcalua(?:\.exe)?\s+-a|forfiles(?:\.exe)?\s.*/c\s*\S*\s*(?:c:|powershell|mshta|[a-z]:\\|0x)|scriptrunner.*-appvscript|conhost(?:\.exe)?\s+(?:--headless|cmd|\S+\.exe|[a-z]:)|atbroker.*/start|dxcap.*-c|ttdinject|appvlp\s|wlrmdr.*-u|pcwrun(?:\.exe)?\s|extexport|presentationhost\s|gpscript\s+/|register-cimprovider.*-path|xwizard.*runwizard|desktopimgdownldr|runscripthelper|provlaunch|infdefaultinstall|dnscmd.*serverlevelplugindll|devinit.*msi-install|explorer(?:\.exe)?\s*/root|stordiag|customshellhost|devicecredentialdeployment|ssh(?:\.exe)?\s.*proxycommand|ftp\s+-s:)
T1562.001 disables_security critical 8.5 | fltmc | fltmc(?:\.exe)?\s+(?:unload|detach)
T1047 runs_dynamic_code high 7.5 | wmic process | wmic.*process\s+call\s+create|wmic.*/node:
T1047 runs_dynamic_code high 7.4 | win32_process | (?:invoke-wmimethod|invoke-cimmethod|wmiclass|\[wmiclass\]|iwmi|icim|winmgmts).*win32_process|win32_process.*(?:create|::create)
T1047 changes_software medium 3 | wmic product | wmic.*product.*call\s+uninstall
T1559.002 runs_dynamic_code high 7.5 | ddeauto dde | ddeauto|=cmd\|
T1204.002 runs_dynamic_code high 7.5 | invoke_maldoc maldoc macro vba vbproject vbcomponents | (?:invoke-maldoc|vbproject|vbcomponents|addfromstring|\.run\(.*macro|accessvbom)
T1059.005 runs_dynamic_code medium 3 | cscript wscript | [cw]script(?:\.exe)?\s.*\.(?:vbs|vbe|js|jse|wsf|jpg|txt)\b
T1059.005 runs_dynamic_code high 7.4 | cscript wscript | [cw]script(?:\.exe)?\s.*(?://e:|temp|tmp|appdata|public|downloads|//b.*//nologo|https?:)
T1059.003 hides_activity high 7.5 | cmd comspec | %comspec:~|%(?!\w*(?:date|time|dt)\b)\w+:~-?\d+,1%[a-z]|%(?!\w*(?:date|time|dt)\b)\w+:~-?\d+,\d+%(?:.*%(?!\w*(?:date|time|dt)\b)\w+:~-?\d+,\d+%)+|cmd(?:\.exe)?\s+/v:on
T1027.010 hides_activity high 7.4 | set call | (?:%[a-z]+%){4,}|(?:![a-z]+!){3,}
# Downloads
T1105 downloads high 8 | certutil urlcache verifyctl | certutil.*(?:urlcache|verifyctl|-url\b|/url\b|-ping)
T1140 hides_activity high 7.5 | certutil decode decodehex encode | certutil.*[-/](?:decode|encode|decodehex|encodehex)\b
T1105 downloads high 6.8 | bitsadmin | bitsadmin.*(?:/transfer|/addfile|/create|/setnotifycmdline)
T1197 persists high 7.5 | setnotifycmdline bitsadmin | setnotifycmdline|/setminretrydelay
T1105 downloads high 7.5 | desktopimgdownldr esentutl expand extrac32 findstr hh ieexec makecab mpcmdrun replace certreq print cmdl32 finger imewdbld curl wget configsecuritypolicy protocolhandler msohtmed ldifde | (?:desktopimgdownldr|mpcmdrun.*-downloadfile|certreq.*-post|finger\s+\S*@|imewdbld|configsecuritypolicy\s.*https?|protocolhandler\s.*https?|ieexec|(?:winword|excel|powerpnt|mspub)(?:\.exe)?\s+https?:|ldifde.*-i)
T1105 downloads medium 2.5 | curl wget | \b(?:curl|wget)\b.*(?:-o\b|--output|-outfile|-o\s).*(?:temp|tmp|public|programdata|appdata)
T1105 runs_downloaded_code critical 6.8 | curl wget bitsadmin certutil | (?:curl|bitsadmin|certutil|wget)\b.*(?:&&?|;|\|)\s*(?:start\s|cmd|powershell|wscript|cscript|rundll32|%temp%|call\s)
T1564.004 hides_activity high 7.5 | type echo expand makecab findstr esentutl start wmic set_content stream print reg cmd mklink ads set add | (?:>\s*\S+\.\w{2,4}:[\w.]+|-stream\s+(?!zone)\S|::\$index_allocation|\\\S+\.\w{2,4}:[\w-]+\.(?:exe|dll|txt|vbs|ps1|bat))
# Services, tasks, persistence
T1543.003 persists high 5 | sc create binpath | \bsc(?:\.exe)?\s+(?:\\+\S+\s+)?(?:create|config)\b.*binpath
T1543.003 persists critical 7.5 | sc create config binpath failure new_service | (?:\bsc(?:\.exe)?\s.*(?:binpath|failure).*|new-service.*|failurecommand.*)(?:cmd|powershell|rundll32|comspec|mshta|temp|public)
T1543.003 hides_activity high 6.5 | sdset | \bsc(?:\.exe)?\s+(?:\\+\S+\s+)?sdset\s+(?!wuauserv|bits|cryptsvc|msiserver)
T1543.003 injects_code critical 7 | sc kernel | \bsc(?:\.exe)?\s.*type\s*=?\s*kernel
T1053.005 persists high 4.5 | schtasks | schtasks(?:\.exe)?\s.*/create
T1053.005 persists high 6.5 | schtasks | schtasks(?:\.exe)?\s.*(?:/create|/change).*(?:/tr|/xml)\s*\S*.*(?:cmd|powershell|mshta|rundll32|regsvr32|wscript|cscript|temp|public|appdata|http)
T1053.005 persists high 6.3 | schtasks | schtasks(?:\.exe)?\s.*/s\s+\S+|schtasks.*/create.*/sc\s+(?:onevent|onidle|onlogon|onstart)
T1053.002 persists high 7.5 | at | (?:^|[&|;]\s*|cmd\s+/c\s+)at(?:\.exe)?\s+(?:\\+\S+\s+)?\d{1,2}:\d\d
T1547.001 persists high 6.5 | startup start | (?:copy|move|echo|xcopy|mklink|>|out-file|set-content|\.save\(|createshortcut|copy-item).*(?:start menu\\programs\\startup|programs\\startup|shell:startup)
T1546.003 persists critical 8 | commandlineeventconsumer activescripteventconsumer __eventfilter __filtertoconsumerbinding mofcomp scrcons | (?:eventconsumer|__eventfilter|__filtertoconsumerbinding)
T1546.003 persists high 6 | mofcomp | mofcomp
T1546.003 persists critical 8 | mofcomp | mofcomp(?:\.exe)?\s+[^|]*(?:temp|users|appdata|public|[a-z]:\\(?!windows)\w+\\)
T1546.007 persists high 8 | netsh helper | netsh(?:\.exe)?\s+add\s+helper
T1546.008 persists critical 8 | sethc osk utilman magnify narrator displayswitch atbroker | (?:copy|move|takeown|icacls|del|ren|replace|debugger|reg).*(?:\\|options.*)(?:sethc|osk|utilman|magnify|narrator|displayswitch|atbroker)\b
T1546.011 persists high 8 | sdbinst sdb appcompatflags | sdbinst|apppatch.*\.sdb\b|appcompatflags\\(?:custom|installedsdb)
T1546.001 persists high 6.8 | assoc ftype | \b(?:assoc\s+\.\w+\s*=|ftype\s+\w+\s*=)
T1546.002 persists high 7.5 | scr | (?:copy|move)\S*\s.*\.scr\b
T1546.013 persists high 7.5 | profile | (?:add-content|set-content|out-file|>>?|new-item|copy-item|echo).*(?:\$profile\b|_profile\.ps1|profile\.ps1)
T1137 persists high 7.5 | xlstart startup office test wll xll otm vbaproject normal dotm outlook | (?:\\xlstart|word\\startup|\.(?:wll|xll|xlam|otm|dotm)\b|office test|vbaproject\.otm)
T1505.003 persists critical 7.5 | wwwroot inetpub jsp aspx webshell | (?:copy|xcopy|move|echo|>|out-file|invoke-webrequest|curl).*(?:wwwroot|inetpub).*|(?:cmd|shell|webshell|b)\.(?:aspx|jsp|asp|php)\b
T1505.004 persists critical 6.5 | appcmd gacutil webglobalmodule | (?:appcmd.*(?:install\s+module|add\s+module|set\s+config.*httplogging)|new-webglobalmodule|gacutil\s+/i)
T1505.002 persists critical 7.5 | transportagent | (?:install|enable)-transportagent
T1547.009 persists medium 4 | wscript shell createshortcut lnk | createshortcut.*|\.lnk.*targetpath
T1547.010 persists critical 8 | monitors | control\\print\\monitors
T1547.012 persists critical 8 | processors environments | control\\print\\environments.*print processors
T1037.001 persists high 7.5 | userinitmprlogonscript | userinitmprlogonscript
T1574.001 injects_code high 7.5 | dll | (?:copy|xcopy|move|copy-item)\b.*\.dll\b.*(?:system32|syswow64|appdata|public)|(?:copy|copy-item).*amsi\.dll
T1574.009 injects_code critical 7.5 | program | (?:copy|move|copy-item|cp)\b.*[a-z]:\\(?:program|program files\\\w+)\.exe
T1574.012 injects_code critical 8.5 | cor_enable_profiling cor_profiler cor_profiler_path coreclr_profiler appdomain_manager_asm complus_version | cor(?:eclr)?_(?:enable_profiling|profiler)|appdomain_manager
T1036.003 hides_activity high 7.5 | copy copy_item cp ren move rename_item xcopy | (?:copy|copy-item|cp|ren|move|rename-item|xcopy)\b.*(?:system32|syswow64|%comspec%|windowspowershell)\\?\S*\\?(?:cmd|powershell|cscript|wscript|calc|rundll32|mshta|svchost|lsass|notepad|certutil|regsvr32|msiexec|schtasks|wmic|whoami|taskmgr)\b
T1036.005 hides_activity high 7.5 | svchost lsass csrss explorer services spoolsv taskhost smss lsm winlogon | (?:copy|copy-item|move|ren|start|start-process|>|new-item|outfile|-o)\b.*(?:temp|tmp|appdata|public|programdata|%systemroot%\\|users|downloads)\\?\S*\\?(?:svchost|lsass|csrss|explorer|services|spoolsv|taskhostw?|smss|lsm|winlogon)\.(?:exe|txt)\b
T1036.007 hides_activity high 7.5 | exe | \.(?:pdf|docx?|xlsx?|pptx?|jpg|png|txt|rtf|vbs|ps1|zip|mp[34])\.(?:exe|scr|vbs|ps1|bat|cmd|hta|js)\b
T1036 hides_activity high 7.4 | u202e rlo 0x202e | \u202e\S*\w|\[char\]\s*0x202e
T1564.001 hides_activity medium 6.8 | attrib | attrib(?:\.exe)?\s.*\+[hs]\b
T1564.001 hides_activity medium 6.8 | attributes | attributes\s*(?:\+?=|-bor|,|\s-value)\s*\S*(?:hidden|system)
T1564.002 changes_accounts high 7.5 | net | net1?(?:\.exe)?\s+user\s+\S*\$\s.*/add
T1136.001 changes_accounts high 5 | net user | net1?(?:\.exe)?\s+user\s+(?:/add\b|\S+\s.*/add)
T1136.002 changes_accounts high 6.5 | net domain | net1?(?:\.exe)?\s+(?:user|group)\s.*(?:/add.*/domain|/domain.*/add|/do\b.*/add|/add.*/do\b)
T1098 changes_accounts high 5.5 | net localgroup | net1?(?:\.exe)?\s+localgroup\s.*(?:administrators?|remote desktop users|admins).*/add|net1?(?:\.exe)?\s+localgroup\s.*/add
T1078.001 changes_accounts high 6.5 | guest administrator defaultaccount | net1?(?:\.exe)?\s+user\s+(?:administrator|defaultaccount)\s.*(?:/active|/add)|enable-localuser.*(?:guest|administrator|defaultaccount)|net1?.*(?:guest|support_).*/add
T1531 changes_accounts high 5 | net user logoff | net1?(?:\.exe)?\s+user\s+\S+\s+(?!/domain\b)\S+\s*$|net1?(?:\.exe)?\s+user\s.*(?:/delete|/active:no)
T1098 changes_accounts high 5 | net accounts | net1?(?:\.exe)?\s+accounts\s.*/(?:lockout|minpwlen|maxpwage)|rename\s+.*(?:administrator)|wmic.*useraccount.*rename
# Access over the network
T1021.002 reaches_devices high 7 | net use admin c ipc | net1?(?:\.exe)?\s+use\b.*\\+\S+\\(?:admin|c|ipc|[a-z])\$|\\+[\w.%-]+\\(?:admin|c|ipc)\$
T1021.002 reaches_devices high 5 | net use | net1?(?:\.exe)?\s+use\b.*\s/u(?:ser)?:
T1570 reaches_devices high 8 | quic skipcertcheck skipcertificatecheck | /transport:quic|-transporttype quic|skipcertcheck
T1569.002 reaches_devices critical 7.5 | psexec psexec64 psexesvc paexec csexec remcom smbexec | \b(?:psexec(?:64)?|paexec|csexec|remcom|smbexec|psexesvc)\b
T1021.001 opens_network high 6.8 | tscon mstsc rdp termservice | (?:\btscon\b|mstsc(?:\.exe)?\s.*/(?:v|shadow)|termsrv\.dll|rdpwrap|portnumber)
T1563.002 elevates critical 7.5 | tscon | tscon\s+\S+\s+/dest
T1021.003 reaches_devices critical 8 | mmc20 shellwindows shellbrowserwindow gettypefromprogid gettypefromclsid activatemicrosoftapp | (?:mmc20|gettypefromprogid.*(?:excel|outlook|mmc|visio|internetexplorer|shell).*,|gettypefromclsid|executeshellcommand|activatemicrosoftapp|ddeinitiate|shellbrowserwindow)
T1021.006 reaches_devices high 5.5 | winrs winrm psremoting evil | (?:\bwinrs\b|winrm(?:\.cmd|\.vbs)?\s+(?:qc|quickconfig|set|invoke|create)|enable-psremoting|evil-winrm|trustedhosts)
T1021.004 reaches_devices high 7.4 | plink pscp putty kitty | \b(?:plink|pscp|kscp|klink)\b.*\s-pw\b
T1090.001 opens_network high 7.5 | portproxy | portproxy\s+add
T1572 opens_network high 7.5 | ngrok chisel plink ssh cloudflared frpc frps ligolo rpivot devtunnel gost | (?:\b(?:ngrok|chisel|cloudflared|frpc|frps|ligolo|rpivot|gost|revsocks|iox|nps)\b.*|devtunnel|code\s+tunnel|(?:^|[&|;]\s*)ssh\s.*\s-[a-z]*[rd]\s*\S*:?\d)
T1562.004 disables_security high 6.5 | netsh advfirewall firewall mpssvc | netsh.*(?:advfirewall|firewall)\s+set\s.*(?:state\s+off|mode\s+disable|opmode.*disable|allowinbound|firewallpolicy|logging)|netsh.*advfirewall\s+reset
T1562.004 opens_network high 4.5 | netsh firewall | netsh.*firewall\s+(?:add\s+rule|set\s+rule|add\s+(?:allowedprogram|portopening)).*(?:allow|enable)
T1219 opens_network high 5.5 | anydesk teamviewer rustdesk ammyy screenconnect logmein gotoassist ultraviewer splashtop netsupport remotepc dwagent meshagent ultravnc tightvnc vncviewer supremo quickassist radmin remoteutilities rutserv atera aeroadmin simplehelp tacticalrmm client32 winvnc connectwise zohoassist dameware | (?:(?:start|start-process|start-bitstransfer|invoke-webrequest|iwr|curl|wget|msiexec|bitsadmin|downloadfile|&|call)\b.*|^\s*&?\s*(?!hk|\$)\S*)(?:anydesk|teamviewer|rustdesk|ammyy|aa_v3|logmein|gotoassist|ultraviewer|splashtop|strwinclt|srserver|netsupport|remotepc|ultravnc|vncviewer|supremo|quickassist|radmin|rutserv|aeroadmin|simplehelp|client32|winvnc)\S*(?:\.exe|\.msi|\s+[-/]|\s*$)
# Switching defences off, wiping
T1490 erases_traces critical 9 | vssadmin wmic shadowcopy shadows wbadmin bcdedit diskshadow win32_shadowcopy | (?:delete\s+shadows|shadowcopy\s+delete|resize\s+shadowstorage|wbadmin(?:\.exe)?\s+(?:delete|disable)|recoveryenabled\s+no|bootstatuspolicy\s+ignoreallfailures|win32_shadowcopy.*(?:delete|remove)|(?:delete|remove).*win32_shadowcopy)
T1490 disables_security high 6.5 | reagentc disablesr disable_computerrestore systemrestore | (?:reagentc.*/disable|disablesr|disable-computerrestore|disableconfig|systemrestore.*schtasks|schtasks.*systemrestore\\sr.*(?:/disable|/delete))
T1688 disables_security critical 6.8 | bcdedit | bcdedit(?:\.exe)?\s.*/set\b.*(?:safeboot|testsigning\s+on|nointegritychecks|loadoptions|debug\s+on|disable-elam|hypervisorlaunchtype|disableelamdrivers|nx\s+alwaysoff)
T1070.001 erases_traces critical 6.5 | wevtutil | wevtutil(?:\.exe)?\s+(?:cl|clear-log)\b
T1562.002 disables_security critical 8.5 | wevtutil auditpol logman eventlog autologger auditd | (?:wevtutil.*(?:sl|set-log).*/e:(?:false|0)|auditpol.*(?:/clear|/remove|/set.*(?:disable|/restore))|logman\s+(?:stop|delete|update)|(?:stop|disable|config|set-service|delete|suspend).*\beventlog\b|autologger)
T1070.001 erases_traces critical 7.5 | evtx winevt | (?:del|remove-item|rm|erase|move|icacls)\b.*(?:\.evtx|winevt)
T1070.003 erases_traces high 7.5 | consolehost_history psreadline historysavestyle | (?:consolehost_history|historysavestyle|historysavepath|\(get-psreadlineoption\)|doskey.*/reinstall)
T1070.004 erases_traces high 6 | cipher sdelete sdelete64 | cipher(?:\.exe)?\s+/w|\bsdelete(?:64)?\b
T1070 erases_traces critical 7.5 | fsutil usn | fsutil.*usn.*deletejournal
T1070.004 erases_traces medium 4.5 | prefetch | (?:del|remove-item|rm)\b.*\\prefetch\b
T1070.005 erases_traces medium 4.5 | net delete share | net1?(?:\.exe)?\s+(?:use|share)\s.*/d(?:el(?:ete)?)?\b
T1485 deletes_files critical 7.5 | del rd rmdir format fsutil erase | (?:\b(?:del|erase)\b.*/s.*\s[a-z]:\\(?:\*|\s|$|users\\?(?:\*|\s|$)|windows\\?(?:\*|\s|$))|\b(?:rd|rmdir)\b.*/s.*(?:[a-z]:\\?(?:\s|$)|%systemdrive%|%windir%)|format(?:\.com)?\s+[a-z]:|\bdel\b.*\.(?:bak|vhd|bac|bkf|wbcat|backup)|fsutil\s+file\s+setzerodata)
T1489 changes_services high 5 | net sc taskkill stop | (?:(?:net1?|sc)(?:\.exe)?\s+stop|taskkill.*/im)\s+\S*(?:sql|vss|backup|veeam|exchange|mssql|oracle|acronis|mysql|sophos)\S*
T1562.001 disables_security high 7.5 | net sc taskkill stop_service set_service wmic windefend sense sysmon mbamservice cylance sentinel falcon csfalcon csagent carbonblack cb sophos symantec mcafee avast kaspersky avp msmpeng wdfilter wdnissvc securityhealthservice mpssvc wscsvc sysmon64 sysmondrv | ^(?!.*(?:-status\s+running|-startuptype\s+automatic|start=\s*auto|net1?\s+start)).*\b(?:net1?|sc|taskkill|stop-service|set-service|stop-process|wmic|reg\s+(?:add|delete)|fltmc|delete|uninstall(?=-|\.exe|\s+-|/)|pskill|remove-service|sysmon\S*\s+-u)\b.*(?:windefend|\bsense\b|sysmon|mbamservice|mbam|cylance|sentinel|falcon|csagent|carbonblack|cbdefense|sophos|symantec|mcafee|avast|kaspersky|\bavp\b|msmpeng|wdfilter|wdnissvc|wdboot|securityhealthservice|mpssvc|wscsvc)
T1562.001 disables_security high 7.5 | mpcmdrun | mpcmdrun.*(?:-removedefinitions|-disable|-restoredefaults)
T1562.001 disables_security high 7.5 | uninstall dism windows defender | (?:dism.*(?:disable-feature|remove).*defender(?!-app)|uninstall-windowsfeature.*defender|disable-windowsoptionalfeature.*defender(?!-app)|remove-windowsfeature.*defender)
T1562.001 disables_security high 7.5 | schtasks disable_scheduledtask | (?:schtasks.*/change.*|disable-scheduledtask.*)(?:defender|exploitguard|systemrestore|bitlocker)
T1562.001 disables_security high 6 | wuauserv usosvc waasmedicsvc bits wuauclt | (?:sc|net|stop-service|set-service|reg)\b.*(?:disabled|config|delete|start=\s*disabled).*(?:wuauserv|usosvc|waasmedicsvc)|(?:sc|set-service)\b.*(?:wuauserv|usosvc|waasmedicsvc).*(?:disabled|\b4\b)
T1484.001 disables_security high 6.2 | gpo secedit lgpo gpupdate | (?:lgpo(?:\.exe)?\s+/|new-gpo|set-gpregistryvalue|new-gplink|gpoimmediatetask|sharpgpoabuse|invoke-gpupdate)
T1222.001 changes_permissions high 5 | icacls takeown cacls | (?:icacls.*(?:everyone|\*s-1-1-0).*|icacls.*[a-z]:\\?\*?\s.*/grant|icacls.*\.\s*/grant|cacls.*everyone|takeown.*/r\b.*|icacls.*/grant.*/t\b|icacls.*/setintegritylevel)
T1134 elevates critical 7.5 | nsudo runas advancedrun incognito trustedinstaller token | (?:\bnsudo|advancedrun|sexec|runasti|superuser64|-s\s+-i\s+cmd|psexec.*-s\b)|start.*trustedinstaller
T1134 elevates medium 4 | runas | \brunas(?:\.exe)?\s.*/(?:user|netonly|savecred|trustlevel)
T1548.002 elevates critical 8 | fodhelper eventvwr sdclt computerdefaults wsreset slui silentcleanup cmlua dccw mocksettings uacme akagi akagi64 changepk cliconfg | (?:\b(?:fodhelper|sdclt|computerdefaults|wsreset|slui|changepk|cliconfg|akagi\d*|uacme)\b|eventvwr(?:\.msc|\.exe)?(?:$|\s*[&;]|.*mscfile)|silentcleanup|windows \\system32)
T1055 injects_code critical 8 | virtualalloc virtualallocex writeprocessmemory createremotethread queueuserapc ntmapviewofsection rtlcreateuserthread setwindowshookex ntunmapviewofsection shellcode | (?:virtualalloc|writeprocessmemory|createremotethread|queueuserapc|ntmapviewofsection|rtlcreateuserthread|setwindowshookex|ntunmapviewofsection|shellcode)
T1546 persists high 7.5 | setup scripts setupcomplete errorhandler | (?:copy|move|echo|>|set-content|out-file|new-item)\S*\s.*windows\\setup\\scripts
T1546.018 persists high 7.5 | sitecustomize usercustomize getusersitepackages pth | sitecustomize|usercustomize|getusersitepackages|site-?packages.*\.pth
T1091 reaches_devices medium 5.5 | drivetype removable | drivetype\s*(?:=|-eq)\s*2|drivetype.*removable
T1564.003 hides_activity high 7.5 | conhost | conhost(?:\.exe)?\s+--headless
T1053.005 persists high 7.4 | schtasks | schtasks(?:\.exe)?\s.*/create.*/tr.*(?:%temp%|%tmp%|appdata|\\public\\|\\temp\\|programdata|http)
T1542.001 persists critical 8.5 | wpbbin | wpbbin
T1567.002 sends_data high 7.4 | rclone | rclone(?:\.exe)?\s+(?:copy|sync|move|config)
T1484 disables_security high 6.5 | secedit | secedit.*/configure
# Programs and libraries from folders that are neither the system's nor where applications are
T1204.002 runs_dynamic_code medium 7.1 | exe bat cmd ps1 psm1 dll vbs js com hta py jar msi iso inf sct cpl | (?:^|[&;|({]\s?|\b(?:start-process|saps|start|call|invoke-item|ii|import-module|ipmo|powershell|pwsh|-file\w*|-command|-c|cmd|/c|regsvr32|rundll32|cscript|wscript|\.)(?:\.exe)? (?:-filepath |-path |/\w+ )?(?:& )?)[a-z]:\\(?!windows\b|program files|programdata|users\b|progra~|windows |te?mp\b)[^\s;|&]{1,200}\.(?:exe|bat|cmd|ps1|psm1|dll|vbs|js|com|hta|py|jar|msi|iso|inf|sct|cpl)\b
T1006 reads_credentials critical 8 | c d physicaldrive filestream | (?:filestream|createfile|openread|open)\S*\W.*\\\\\.\\[a-z]:
T1518 explores low 3 | driverquery | driverquery
T1574.002 injects_code high 6 | dll | (?:copy|xcopy|copy-item)\b.*\.dll\b.*program files
T1221 runs_downloaded_code high 7.4 | winword excel powerpnt mspub | \b(?:winword|excel|powerpnt|mspub)(?:\.exe)?\s+\S*(?:\.do[ct]m?x?|\.xls[mb]?|https?:)
T1550.002 reaches_devices critical 9 | pth sekurlsa crackmapexec invoke_wmiexec | sekurlsa::pth|\bpth-\w+
T1557.001 captures_data critical 8 | llmnr inveigh nbns | inveigh|llmnr
T1649 reads_credentials high 7.4 | get_childitem cert pkinit | certreq.*-submit|certutil.*-exportpfx
T1003.003 reads_credentials critical 7.8 | globalroot harddiskvolumeshadowcopy1 harddiskvolumeshadowcopy2 | globalroot\\device\\harddiskvolumeshadowcopy
T1543.003 persists high 7.1 | sc create new_service | (?:\bsc\s.*(?:create|config).*binpath\s*=?\s*|new-service.*-binarypathname\s+)[a-z]:\\(?!windows|program|users)
T1053.005 persists high 7.4 | schtasks | schtasks(?:\.exe)?\s.*/create.*/rp\s|schtasks(?:\.exe)?\s.*/create.*/s\s+\S+.*/ru
T1562.001 disables_security critical 8 | sysmon sysmon64 | sysmon(?:64)?(?:\.exe)?\s+[-/]u\b
T1070.001 erases_traces critical 7.4 | wevtutil clear_eventlog | (?:wevtutil(?:\.exe)?\s+(?:cl|clear-log)|clear-eventlog)\b.*(?:\bsecurity\b|sysmon|powershell)
T1562.002 disables_security high 7.4 | win32_service eventlog | win32_service.*like\s+eventlog
T1486 encrypts_files high 7 | cipher | cipher\s+/e
T1078.001 changes_accounts high 7.4 | guest | net1?\s+user\s+guest\s.*/active|add-localgroupmember.*\bguest\b|net1?\s+localgroup\s+administrators\s+guest
T1105 downloads high 7.2 | public | (?:curl|wget|downloadfile|iwr|invoke-webrequest|bitsadmin|certutil|start-bitstransfer)\b.*users\\public\\\S+\.(?:dll|exe|ps1|bat|vbs|cmd|js|hta)
T1105 downloads high 7 | http https | (?:curl|wget|downloadfile|downloadstring|iwr|invoke-webrequest|irm|bitsadmin|certutil|start-bitstransfer)\b.*https?://(?!10\.|127\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|(?:8\.8|1\.1|1\.0)\.)\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}[:/]
T1137.006 persists high 7.5 | addins xlstart startup templates | (?:copy|cp|move|mv|xcopy|robocopy|set-content|out-file|>)\S*\s.*microsoft\\(?:addins|excel\\xlstart|word\\startup|templates\\normal\.dotm)
T1059.003 runs_dynamic_code high 7.1 | cmd powershell | (?:^|[\s\\/&|])(?:cmd|powershell)(?:\.exe)?(?:\s+/\w+|\s+-\w*)*\s*<\s*[^\s<]
T1059.005 persists high 7.5 | createobject getobject | echo\b.*\b(?:createobject|getobject)\(.*>
T1059.003 ends_processes medium 7 | for start | for\s+/l\s.*\bdo\s+\(?@?start\b
# Looking around
T1033 explores low 3.5 | whoami quser qwinsta query | (?:\bwhoami\b|\bquser\b|\bqwinsta\b|query\s+(?:user|session))
T1033 explores medium 5 | whoami | whoami(?:\.exe)?\s+/(?:priv|all|groups)
T1087.001 explores low 4 | net wmic useraccount get_localuser | net1?(?:\.exe)?\s+(?:users?|localgroup)(?:\s+\S+)?\s*(?:$|[>&|])|wmic.*useraccount
T1087.002 explores medium 5 | net domain dsquery dsget csvde ldifde | net1?(?:\.exe)?\s+(?:users?|groups?|accounts|view|localgroup)\b.*/do(?:main)?|\bdsquery\b|\bdsget\b|csvde\s|ldifde\s
T1482 explores medium 6 | nltest dsquery | nltest(?:\.exe)?\s.*/|getalltrustrelationships|get-adtrust|getforest\(|getcurrentforest
T1018 explores medium 4.5 | net nltest arp nbtstat ping for nslookup | net1?(?:\.exe)?\s+(?:view|group.*domain (?:computers|controllers))|nbtstat\s+-|arp\s+-a|for\s+/l.*ping|ping\s.*%%?i|remote.*arp
T1016 explores low 2.5 | ipconfig nbtstat route netsh arp | ipconfig(?:\.exe)?\s+/(?:all|displaydns)|nbtstat|netsh.*(?:show|dump)|route\s+print
T1049 explores low 3 | netstat net sessions | \bnetstat\b|net1?(?:\.exe)?\s+(?:sessions?|use)\s*(?:$|[>&|])
T1069 explores medium 5 | groups domain admins enterprise administrators | net1?(?:\.exe)?\s+(?:local)?groups?\b.*(?:admin|domain|enterprise|operators)
T1057 explores low 2.5 | tasklist wmic qprocess | \btasklist\b|wmic\s+process\s+(?:get|list)
T1007 explores low 2.5 | net sc tasklist | net1?(?:\.exe)?\s+start\s*(?:$|[>&|])|\bsc(?:\.exe)?\s+query\s*(?:$|[>&|]|state)|tasklist(?:\.exe)?\s+/svc
T1518.001 explores medium 5.5 | antivirusproduct securitycenter2 firewallproduct fltmc | (?:wmic.*(?:antivirusproduct|securitycenter)|\bfltmc\b|tasklist.*findstr.*(?:virus|cb|defender|cylance|sysmon)|netsh.*firewall\s+show)
T1082 explores low 2.5 | systeminfo wmic hostname ver mountvol | \bsysteminfo\b|wmic\s+(?:os|computersystem|bios|cpu|logicaldisk|diskdrive)\s+get|reg\s+query.*services\\disk\\enum
T1012 explores low 3 | reg | reg(?:\.exe)?\s+query
T1083 explores low 3.5 | dir tree where | \bdir\b.*/s\b.*(?:[>|]|[a-z]:\\)|\btree\s+/f
T1135 explores medium 4.5 | net share view | net1?(?:\.exe)?\s+(?:share|view)\s*(?:$|[>&|\\])
T1201 explores low 4 | net accounts secpol secedit | net1?(?:\.exe)?\s+accounts\s*(?:$|[>&|/])|secedit(?:\.exe)?\s+/export
T1615 explores low 3.5 | gpresult | gpresult\b
T1614 explores low 3 | systeminfo nls language tzutil chcp | control\\nls\\language|tzutil\s+/g
T1560.001 captures_data medium 5 | rar winrar 7z 7za makecab compress diantz | \b(?:rar|winrar|7za?)(?:\.exe)?\s+a\b.*(?:-hp|-p|\.docx?|-r)|makecab\s|diantz\s
T1113 captures_data high 7.5 | psr screencapture nircmd savescreenshot | \bpsr(?:\.exe)?\s+/start|savescreenshot|nircmd
T1115 captures_data medium 4.5 | clip | \|\s*clip(?:\.exe)?\b
T1123 captures_data high 7.4 | soundrecorder | soundrecorder(?:\.exe)?\s+/
T1041 sends_data high 6.5 | curl | curl(?:\.exe)?\s.*(?:-t\s|--upload-file|-f\s+\S*=@|--data-binary\s+@|-d\s+@|--data\s+@)
T1048 sends_data high 7.4 | ftp tftp rclone megacmd bitsadmin certreq datasvcutil scp sftp pscp winscp | (?:(?:^|[;&|]\s*)t?ftp(?:\.exe)?\s+-|\brclone(?:\.exe)?\s+(?:copy|sync|move|config)|megacmd|mega-put|/upload\b|certreq.*-post|datasvcutil|winscp.*put)
T1529 restarts_device high 3.5 | shutdown | shutdown(?:\.exe)?\s.*/(?:r|s|l)\b|logoff\b
T1200 changes_software high 4.5 | pnputil | pnputil.*(?:-i|/install|-a|/add-driver)
T1072 reaches_devices high 7.4 | radmin pdq sccm psexec | radmin|pdqdeploy
T1491 hides_activity medium 4.5 | wallpaper desktop | control panel\\desktop.*wallpaper|systemparametersinfo
T1059.003 persists medium 3 | echo | echo\s.*>{1,2}\s*\S+\.(?:bat|cmd|vbs|ps1|js|hta|inf|xml|reg)\b
T1129 injects_code medium 3 | wmic start | \bstart\s+/b\s+\S*(?:temp|public)
T1204.002 runs_downloaded_code medium 3 | temp tmp public downloads appdata | (?:^|[&|;]\s*|start\s+(?:/\w+\s+)*|cmd\s+/c\s+|call\s+|start-process\s+(?:-filepath\s+)?|-command\s+|&\s*)\(?(?:%te?mp%|\$env:te?mp|c:\\users\\public|%public%|c:\\windows\\temp|c:\\te?mp|%appdata%|\$env:public|\$env:appdata|%userprofile%\\downloads)\\[^\s;|]+\.(?:exe|bat|cmd|ps1|vbs|js|hta|scr|com)?\b
T1010 explores low 3.5 | mainwindowtitle | mainwindowtitle
T1124 explores low 3 | w32tm net time tzutil | net1?(?:\.exe)?\s+time\b|w32tm\s+/tz
T1217 explores medium 4.5 | bookmarks places favorites | (?:bookmarks|places\.sqlite|\\favorites)\b
T1120 explores low 3 | fsutil pnpentity diskdrive | fsutil\s+fsinfo|wmic.*path\s+\w*pnp
T1497 explores medium 4.5 | vmware virtualbox vbox qemu hyperv temperature | (?:findstr|match|-like|-eq|contains|grep).*(?:vmware|virtualbox|vbox|qemu|xen)|msacpi_thermalzonetemperature
T1689 hides_activity high 7.5 | powershell version | powershell(?:\.exe)?\s.*-v(?:ersion)?\s+2
T1564.006 hides_activity high 7.5 | vboxmanage vboxsvc virtualbox qemu windowssandbox wsb | (?:vboxmanage.*(?:createvm|startvm)|vboxsvc.*reg|qemu-system|\.wsb\b)
T1564.003 hides_activity high 7.4 | headless | (?:chrome|msedge|firefox|conhost)\S*\s.*--headless
T1091 reaches_devices high 7.4 | autorun drivetype | autorun\.inf
T1543.003 persists high 6 | devcon winsw nssm srvany | \b(?:nssm\s+install|srvany|instsrv)
T1496 captures_data high 7.5 | xmrig minerd stratum cryptonight | xmrig|minerd|stratum\+tcp|cryptonight
T1068 elevates critical 8 | printnightmare zerologon eternalblue juicypotato | printnightmare|zerologon|eternalblue|potato
T1553.004 disables_security high 5.5 | certutil addstore import_certificate | certutil.*-addstore.*(?:root|-f)|import-certificate.*root|certmgr.*-add.*root
T1127.002 runs_downloaded_code high 7.5 | clickonce dfsvc appref | dfsvc|\.appref-ms
T1176 persists high 5.5 | chrome load extension extensions | --load-extension|extensioninstallforcelist
T1562.001 disables_security high 7 | priorityclass processoraffinity setpriority | (?:msmpeng|mssense|windefend|\bsense\b|csfalcon|sentinel|cbdefense|carbonblack|cylance|sophos|tanium|elastic-?agent|wazuh|sysmon).*(?:priorityclass|processoraffinity|setpriority)
T1056.002 reads_credentials medium 1 | read_host | read-host\b.*(?:-assecurestring|-maskinput)
# The lock of the screen
T1562 disables_security medium 2 | powercfg | powercfg\S*\s.*(?:monitor-timeout-[ad]c\s+0|(?:videoidle|consolelock|3c0bc021-c8a8-4e07-a973-6b14cbcb2b7e|0e796bdb-100d-47d6-a2d5-f7d2daa51f51)\s+(?:0x)?0+\b)
"""
