# SPDX-License-Identifier: Apache-2.0
"""Signs in PowerShell and .NET. Rows as in guardrails.windows_effects."""
# ruff: noqa: E501 - tables

from typing import Final

POWERSHELL_SIGNS: Final = r"""
# Code that is fetched, decoded or hidden
T1059.001 runs_downloaded_code high 4 | iex invoke_expression | (?:iex|invoke-expression)\b.*(?:aka\.ms|chocolatey\.org|microsoft\.com|get\.scoop\.sh)
T1059.001 runs_downloaded_code critical 6.8 | iex invoke_expression | ^(?!.*(?:aka\.ms/|chocolatey\.org/|get\.scoop\.sh))(?:.*\b(?:iex|invoke-expression)\b.*(?:downloadstring|downloaddata|iwr|irm|invoke-webrequest|invoke-restmethod|curl|wget|webclient|webrequest|https?:|openread|getresponse|readtoend)|.*(?:downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod|readtoend|webclient).*\|\s*\(?(?:iex|invoke-expression))
T1059.001 runs_downloaded_code critical 7.5 | iex invoke_expression | ^(?=.*\b(?:iex|invoke-expression)\b).*(?:raw\.githubusercontent|github\.com/\S+/raw/|gist\.github|pastebin|bit\.ly|tinyurl|transfer\.sh|https?://\d{1,3}\.\d)
T1059.001 runs_downloaded_code high 5 | downloadstring downloaddata openread | downloadstring|downloaddata|\.openread\(
T1105 downloads medium 3 | downloadfile bitstransfer start_bitstransfer downloadfileasync | downloadfile|start-bitstransfer
T1105 runs_downloaded_code high 5 | downloadfile invoke_webrequest iwr start_bitstransfer | (?:downloadfile|invoke-webrequest|iwr|start-bitstransfer)\b.*;.*(?:start-process|invoke-item|\bii\b|&|saps|rundll32|regsvr32)
T1105 downloads medium 4.5 | githubusercontent pastebin gist transfer discordapp anonfiles ngrok duckdns onion temp mega dropbox ipfs | (?:raw\.githubusercontent\.com|gist\.github|pastebin\.com/raw|transfer\.sh|cdn\.discordapp|anonfiles|ngrok|duckdns|\.onion|mega\.nz|dropboxusercontent|ipfs\.io)
T1071.001 downloads low 2.5 | useragent user_agent | -useragent|user-agent
T1027.010 hides_activity high 7.4 | encodedcommand enc encoded e ec en frombase64string | (?:powershell|pwsh)(?:\.exe)?\b.*\s[-/\u2013\u2014]e(?:n?c?|nc\w*)?\s+(?:\$\w|\S{8})
T1027 hides_activity high 7.4 | frombase64string | frombase64string.*(?:iex|invoke|load|scriptblock|&|createdecryptor|gzipstream|deflate|getstring)|(?:gzipstream|deflatestream).*frombase64
T1140 hides_activity medium 4 | frombase64string | frombase64string
T1027 hides_activity high 7.5 | gzipstream deflatestream | (?:gzipstream|deflatestream).*(?:iex|invoke|decompress.*readtoend)
T1059.001 runs_dynamic_code high 5 | scriptblock newscriptblock invokescript executioncontext | (?:scriptblock\]?::create|newscriptblock|invokescript|executioncontext\.invokecommand)
T1620 injects_code critical 8 | reflection assembly loadwithpartialname | (?:assembly\]?::(?:load\((?!system\.|microsoft\.)|unsafeload|loadfile)|getmethod\(.*invoke\(|\.entrypoint\.invoke)
T1127 runs_dynamic_code high 4 | add_type dllimport | (?:dllimport|add-type.*(?:-memberdefinition|-typedefinition|kernel32|user32|ntdll|advapi32))
T1106 injects_code high 7.5 | kernel32 ntdll advapi32 dbghelp samlib vaultcli | (?:dllimport.*)?(?:virtualprotect|virtualalloc|minidumpwritedump|adjusttokenprivileges|logonuser|ntqueryinformationprocess|rtlmovememory|createprocess(?!asuser|withtoken)|credenumerate|amsiscanbuffer|etweventwrite)
T1059.001 hides_activity medium 4 | windowstyle hidden w noprofile nop | (?:powershell|pwsh|start-process|saps)\b.*\s-w(?:i\w*)?\s+(?:hidden|1|h)\b
T1059.001 hides_activity high 6.3 | windowstyle hidden w nop noprofile noni ep exec bypass | (?:powershell|pwsh)\b(?=.*\s-(?:nop|noprofile))(?=.*\s-(?:w\S*\s+(?:hidden|1|h)|windowstyle\s+hidden))
T1059.001 runs_dynamic_code medium 2.5 | bypass unrestricted | (?:powershell|pwsh)\b.*\s-(?:ep|ex\w*)\s+(?:bypass|unrestricted)
T1059.001 disables_security medium 3.5 | executionpolicy set_executionpolicy | set-executionpolicy\b.*(?:bypass|unrestricted)
T1059.001 downloads high 7.4 | msxml2 xmlhttp winhttprequest internetexplorer | (?:msxml2|xmlhttp|winhttprequest|internetexplorer\.application)
T1564.003 hides_activity medium 4 | showwindow createnowindow windowstyle | (?:showwindow(?:async)?\(.*0|createnowindow\s*=|windowstyle\s*=\s*hidden)
T1562.001 disables_security critical 10 | amsiutils amsiinitfailed amsicontext amsiscanbuffer amsisession | amsi(?:utils|initfailed|context|scanbuffer|session)
T1562.001 disables_security critical 9 | etwprovider psetwlogprovider | psetwlogprovider|etwprovider|m_enabled
T1562.002 disables_security critical 8.5 | cachedgrouppolicysettings utils scriptblocklogging enablescriptblocklogging | cachedgrouppolicysettings|signatures.*hashset
T1562.010 hides_activity high 7.5 | version | (?:powershell|pwsh)(?:\.exe)?\s.*-v(?:er\w*)?\s+2\b
T1562.001 disables_security high 7.4 | set_mppreference mppreference | mppreference\b.*-disable(?:realtime|behavio|ioav|script|blockat|intrusion|archive)\w*\s*:?\s*(?:\$?true|1\b)
T1562.001 disables_security high 5.5 | set_mppreference mppreference | mppreference\b.*-disable\w*\s*:?\s*(?:\$?true|1\b|\$(?!false)\w)|mppreference.*-(?:enablecontrolledfolderaccess|puaprotection|mapsreporting|submitsamplesconsent|enablenetworkprotection|attacksurfacereductionrules_actions)\s+(?:0|disabled|neversend|2)
T1562.001 disables_security high 4.5 | add_mppreference set_mppreference | mppreference\b.*-(?:exclusion\w+|attacksurfacereductiononlyexclusions)
T1562.001 disables_security high 7.5 | add_mppreference set_mppreference | mppreference\b.*-exclusion(?:path\s+\(?[a-z]:\\?(?:\s|$)|extension\s+\S*(?:exe|dll|ps1)|process\s+\S*(?:powershell|cmd|outlook|rundll32))|mppreference.*threat\w*defaultaction\s+(?:6|allow|9|noaction)
T1562.004 disables_security high 6 | set_netfirewallprofile netfirewallprofile | netfirewallprofile\b.*-enabled\s+(?:\$?false|0|off)|netfirewallprofile.*default(?:in|out)boundaction\s+allow
T1562.004 opens_network high 4 | new_netfirewallrule set_netfirewallrule | netfirewallrule\b.*-action\s+allow
T1562.004 disables_security high 5 | disable_netfirewallrule remove_netfirewallrule enable_netfirewallrule | (?:disable|remove)-netfirewallrule|enable-netfirewallrule.*remote
T1562.002 disables_security high 7.5 | eventlog limit_eventlog remove_eventlog new_eventlog suspend thread httplogging web | (?:remove-eventlog|limit-eventlog.*-maximumsize\s+(?:64kb|1mb|\d{1,6}\b)|(?:stop-service|set-service|stop-process).*\beventlog\b|dontlog|httplogging|set-ettwrace|remove-etwtraceprovider|set-etwtraceprovider|isenabled\s*=\s*\$false|winevent.*isenabled)
T1070.001 erases_traces critical 6.5 | clear_eventlog remove_eventlog clearlog | clear-eventlog|clearlog\(|\.clear\(\).*eventlog
T1070.003 erases_traces high 7.5 | clear_history psreadlineoption historysavepath | (?:clear-history|set-psreadlineoption.*(?:savenothing|historysavepath)|(?:remove-item|rm|del|ri)\b.*historysavepath)
T1070.006 erases_traces high 6.8 | creationtime lastwritetime lastaccesstime timestomp | (?:\.(?:creationtime|lastwritetime|lastaccesstime)(?:utc)?\s*=|-name\s+(?:creationtime|lastwritetime|lastaccesstime)|set(?:creation|lastwrite|lastaccess)time)
T1490 erases_traces critical 8.5 | win32_shadowcopy | win32_shadowcopy.*(?:remove|delete)
T1553.005 hides_activity medium 4 | mount_diskimage unblock_file zone | mount-diskimage
T1553.005 hides_activity low 2.5 | unblock_file | unblock-file
T1553.004 disables_security high 5.5 | selfsigned import_certificate certstore addtrust | import-certificate.*root|(?:x509store|certstore).*root|new-selfsignedcertificate.*-type\s+codesigning
# Credentials
T1003 reads_credentials critical 5 | convertfrom_securestring securestringtobstr ptrtostringauto networkcredential getnetworkcredential | getnetworkcredential\(\)|securestringtobstr
T1056.002 captures_data high 7.5 | promptforcredential get_credential | promptforcredential|\$host\.ui\.prompt
T1555.003 reads_credentials high 7.4 | passwordvault retrieveall unprotect protecteddata | passwordvault|retrieveall|\.retrievepassword
T1552.004 reads_credentials high 6.5 | export_pfxcertificate cert export_certificate exportpfx mailbox adfs azureadconnect | export-pfxcertificate|cert:.*export|export-adfs
T1555.004 reads_credentials high 5.5 | credentialmanager vaultcmd get_storedcredential | get-storedcredential|cred(?:read|enumerate)
T1552.001 reads_credentials high 7.4 | consolehost_history | consolehost_history
T1558.003 reads_credentials critical 8.5 | kerberosrequestorsecuritytoken | kerberosrequestorsecuritytoken
T1558.004 reads_credentials high 7.5 | doesnotrequirepreauth serviceprincipalname | doesnotrequirepreauth|serviceprincipalname=\*|-filter.*serviceprincipalname
T1110 reads_credentials critical 6.5 | validatecredentials directoryentry passwordspray | (?:foreach|for|%|while).*(?:validatecredentials|directoryentry\()|validatecredentials|passwordspray
T1649 reads_credentials critical 7.5 | certify certreq get_certificate | certify\s|certipy
T1003.006 reads_credentials critical 9 | dcsync get_adreplaccount drsr replicat | dcsync|get-adreplaccount
T1207 changes_accounts critical 9 | dcshadow | dcshadow
T1555 reads_credentials high 5 | wlan wifi | netsh.*wlan.*key
T1539 reads_credentials high 7.5 | cookies | (?:copy|get-content|sqlite|readall)\S*\s.*(?:\\cookies\b|cookies\.sqlite)
# Persistence
T1053.005 persists high 3.5 | register_scheduledtask registertaskdefinition | register-scheduledtask|registertaskdefinition
T1053.005 persists high 6 | register_scheduledtask new_scheduledtaskaction registertaskdefinition ps_scheduledtask invoke_cimmethod | (?:new-scheduledtaskaction|register-scheduledtask).*(?:cmd|mshta|rundll32|regsvr32|-enc|temp|public|iex|hidden.*http)|ps_scheduledtask
T1053.005 persists high 5.5 | register_scheduledjob new_jobtrigger | register-scheduledjob
T1546.003 persists critical 8.5 | wmieventsubscription commandlineeventconsumer activescripteventconsumer __eventfilter register_wmievent register_cimindicationevent | (?:eventconsumer|__eventfilter|__filtertoconsumer|register-wmievent|register-cimindicationevent)
T1543.003 persists high 5 | new_service set_service | new-service\b
T1543.003 persists critical 6.8 | new_service win32_service | new-service.*(?:cmd|powershell|temp|public)|win32_service.*create
T1547.001 persists high 6.5 | createshortcut startup | (?:createshortcut|copy-item|out-file|set-content|new-item).*startup
T1098 changes_accounts high 4.5 | add_localgroupmember | add-localgroupmember.*(?:admin|remote|s-1-5-32-544|s-1-5-32-555)
T1136.001 changes_accounts high 4 | new_localuser | new-localuser
T1136.002 changes_accounts high 5.5 | new_aduser add_adgroupmember new_adcomputer | new-aduser|accountmanagement\.userprincipal|add-adgroupmember|new-adcomputer
T1098 changes_accounts critical 7.5 | set_aduser set_adaccountcontrol set_adobject dsacls add_domainobjectacl sidhistory adminsdholder msds | (?:set-aduser|set-adobject|set-adaccountcontrol|set-adcomputer).*(?:sidhistory|serviceprincipalname|msds|doesnotrequirepreauth|trustedfordelegation)|dsacls|adminsdholder|sidhistory
T1484 changes_accounts critical 7.5 | new_gplink new_gpo set_gpregistryvalue set_addefaultdomainpasswordpolicy new_adtrust federation domainauthentication | new-gplink|new-gpo|set-gpregistryvalue|set-addefaultdomainpasswordpolicy|convertto-.*federat|set-msoldomainauthentication|msoldomain
T1136.003 changes_accounts high 6 | new_azureaduser new_mguser azureaduser iam | new-azureaduser|new-mguser|new-msoluser|iam\s+create-user|az\s+(?:ad\s+)?user\s+create
T1098.001 changes_accounts critical 7.5 | azureadserviceprincipalpasswordcredential azureadapplicationpasswordcredential mgserviceprincipalpassword create_access_key | (?:new-azuread\w*(?:credential)|add-mg\w*password|create-access-key|new-azadserviceprincipal|new-azureadapplication|new-azureadserviceprincipal)
T1098.003 changes_accounts high 6 | azureaddirectoryrolemember new_azroleassignment mgdirectoryrole attach_user_policy | (?:add-azureaddirectoryrolemember|new-azroleassignment|az\s+role\s+assignment|directoryrolememberbyref|attach-user-policy)
T1098.002 changes_accounts high 5.5 | add_mailboxpermission inboxrule add_recipientpermission transportrule | add-mailboxpermission|add-recipientpermission|add-mailboxfolderpermission
T1114.003 captures_data high 7.5 | inboxrule new_inboxrule forwardingsmtpaddress new_transportrule | (?:new|set)-inboxrule|forwardingsmtpaddress|new-transportrule
T1562.008 disables_security high 7.5 | adminauditlogconfig mailboxauditbypassassociation auditbypassenabled delete_trail stop_logging azdiagnosticsetting | unifiedauditlogingestionenabled|auditbypassenabled|delete-trail|stop-logging|remove-azdiagnosticsetting|remove-azeventhub|antiphish.*disable|disable-(?:antiphish|safelinks|malwarefilter)
T1562.001 disables_security high 7.5 | set_antiphishrule safelinks malwarefilterrule disable_antiphishrule | (?:disable|remove|set)-(?:antiphish|safelinks|safeattachment|malwarefilter)\w*
# Reaching other machines, sending data
T1021.006 reaches_devices high 6 | enable_psremoting new_pssession enter_pssession trustedhosts | enable-psremoting|(?:new|enter)-pssession|trustedhosts
T1021.006 reaches_devices high 5 | invoke_command icm | (?:invoke-command|\bicm)\b.*-(?:computername|cn|session|hostname)
T1021.003 reaches_devices high 7.5 | createinstance gettypefromprogid gettypefromclsid | gettypefrom(?:progid|clsid).*,|\[activator\].*gettypefrom(?:clsid)
T1021.004 reaches_devices high 6 | new_sshsession vmhostservice connect_viserver powercli esxcli | new-sshsession|connect-viserver|get-esxcli|start-vmhostservice
T1021.002 reaches_devices medium 5 | new_psdrive new_smbmapping | new-(?:psdrive|smbmapping)\b.*\\\\\S+\\\w+\$?
T1048.003 sends_data high 6 | send_mailmessage smtpclient uploadfile uploadstring uploaddata ftpwebrequest | send-mailmessage.*-attach|upload(?:file|string|data|values)\b|ftpwebrequest
T1041 sends_data high 5.5 | infile invoke_webrequest invoke_restmethod iwr irm | (?:invoke-webrequest|invoke-restmethod|iwr|irm)\b.*-infile|(?:invoke-webrequest|iwr)\b.*-method\s+put
T1041 sends_data medium 3.5 | post | (?:invoke-webrequest|invoke-restmethod|iwr|irm)\b.*-method\s+(?:put|post)\b.*-body
T1567 sends_data high 6.5 | discord discordapp telegram sendmessage dropboxapi | api\.telegram\.org|discord(?:app)?\.com/api/webhooks|content\.dropboxapi
T1567.003 sends_data high 7.4 | pastebin api_post termbin 0x0 | pastebin\.com/api|termbin\.com|0x0\.st|api_paste_code
T1048 sends_data high 7.5 | resolve_dnsname ping nslookup | (?:foreach|for|while|%)\s*[({].*(?:resolve-dnsname|nslookup)\s.*\$|networkinformation\.ping.*send|ping\.send\(.*(?:bytes|\$)
T1071.004 downloads medium 4 | resolve_dnsname nslookup | (?:resolve-dnsname|nslookup).*-(?:type|querytype|q)[\s=]+txt
T1095 opens_network medium 3 | tcpclient udpclient sockets | (?:new-object|::new|\])\S*.*(?:tcpclient|udpclient|sockets\.socket)
T1571 opens_network high 6.8 | tcplistener httplistener | (?:new-object|::new|\])\S*.*(?:tcplistener|httplistener)
T1095 opens_network high 5.5 | getstream | \.getstream\(
T1059.001 opens_network critical 9.5 | tcpclient getstream | (?:tcpclient|getstream).*(?:\biex\b|invoke-expression)
T1090 changes_network medium 3 | winhttp | winhttp\s+set\s+proxy
T1560.001 captures_data medium 3 | compress_archive createfromdirectory | (?:compress-archive|createfromdirectory).*(?:userprofile|desktop|documents|users|home|temp)
T1560.002 captures_data medium 3.5 | createfromdirectory rijndael aes | createfromdirectory
T1486 encrypts_files high 5 | rijndaelmanaged aescryptoserviceprovider createencryptor | createencryptor|rijndaelmanaged|aescryptoserviceprovider
T1486 encrypts_files critical 8 | encrypt_file encryptfile encryptfiles gpg gpg4win | encrypt-?files?\b|gpg(?:\.exe)?\s.*(?:-c\b|--symmetric|-e\b|--encrypt)
T1485 deletes_files critical 7.5 | remove_item ri rm del | (?:remove-item|ri|rm|del)\b.*(?:[a-z]:\\\*|-path\s+[a-z]:\\\s|users\\\*?\s|\$env:userprofile\\?\*?\s).*-r|remove-vm\b|remove-azresourcegroup|remove-azstorage
T1561 changes_disks high 6 | physicaldrive0 physicaldrive | \\\\\.\\physicaldrive
# Collection
T1056.001 captures_data critical 8.5 | getasynckeystate setwindowshookex keylogger keystrokes getkeyboardstate | getasynckeystate|setwindowshookex|get-keystrokes|keylog
T1113 captures_data high 6.5 | copyfromscreen bitmap screenshot | copyfromscreen|get-screenshot|get-timedscreenshot
T1115 captures_data medium 5 | get_clipboard clipboard gettext | get-clipboard|clipboard\]?::get
T1123 captures_data high 6 | audiorecord waveinopen microphone soundvolume windowsaudiodevice | get-microphoneaudio|windowsaudiodevice|wavein
T1125 captures_data high 7.5 | webcam webcamimage get_webcam avicap32 | avicap32|webcamimage|get-webcam
T1114.001 captures_data high 7.5 | outlook mapi getdefaultfolder namespace | getdefaultfolder|getnamespace\(.?mapi
T1119 captures_data medium 4.5 | docx xlsx pdf doc | (?:get-childitem|gci|ls|dir)\b.*-recurse.*\.(?:docx?|xlsx?|pdf|kdbx).*(?:copy|compress|xcopy)|(?:get-childitem|gci|dir).*-(?:include|filter)\s+\S*\.(?:docx?|pdf|kdbx|xls)
T1074.001 captures_data low 2.5 | compress_archive | compress-archive
T1005 captures_data medium 4 | compress_archive | compress-archive.*(?:users|documents|desktop)
# Elevation, injection
T1134 elevates critical 7.8 | setthreadtoken impersonate logonuser sedebugprivilege impersonateloggedonuser | setthreadtoken|impersonateloggedonuser|sedebugprivilege|\.impersonate\(
T1134 elevates high 6 | duplicatetokenex createprocesswithtoken createprocessasuser | duplicatetoken|createprocesswith|createprocessasuser
T1134.004 hides_activity critical 8 | parentpid ppid parentprocessid start_athprocessunderspecificparent | ppid\s*spoof|parent.?process.*spoof|-parentprocessid|start-ath
T1548.002 elevates critical 7.5 | runas | start-process\b.*-verb\s+runas.*(?:hidden|-enc)
T1068 elevates critical 8 | installdriver addprinterdriver | addprinterdriverex
T1574 injects_code high 7 | dll | (?:copy-item|copy|cp|move-item|invoke-webrequest|iwr)\b.*\.dll\b.*(?:system32|appdata|syswow64)
T1136.001 changes_accounts high 7 | new_localuser | new-localuser.*-nopassword
T1021.004 reaches_devices high 6.8 | connect_viserver | connect-viserver.*-password
T1047 reaches_devices high 5 | new_cimsession new_cimsessionoption | new-cimsession\b.*(?:-computername|dcom)
T1562.004 opens_network high 7 | msft_netfirewallrule | msft_netfirewallrule.*(?:enable|invoke)
T1564.003 hides_activity high 5.5 | windowstyle | (?:start-process|saps)\s+(?:-filepath\s+)?(?:powershell|pwsh|cmd)\S*\s.*-windowstyle\s+hidden
T1059.001 downloads high 7.4 | load xmldocument xslcompiledtransform | \.load\(\s*\(?https?:
T1059.010 runs_dynamic_code high 7.5 | autoit3 autohotkey autohotkeyu64 ahk au3 | \b(?:autoit3?|autohotkey\w*)(?:\.exe)?\b.*\.(?:ahk|au3|a3x)
T1566.001 runs_downloaded_code high 7.4 | outfile downloadfile | (?:-outfile|downloadfile\().*\.(?:xlsm|docm|lnk|hta|js|jse|vbs|vbe|iso|scr|chm|one)\b
T1572 opens_network high 7.4 | resolve dns query dns_query doh | /resolve\?name=|/dns-query|-dohserver
T1555.003 reads_credentials high 6.8 | profiles user data default | (?:copy|copy-item|xcopy|robocopy|compress-archive)\b.*(?:firefox\\profiles|chrome\\user data|edge\\user data)
T1055 injects_code critical 7.8 | createremotethread createremotethreadnative createthreadnative ntqueueapcthread ntqueueapcthreadex etwpcreateetwthread uuidfromstringa createprocesswithpipe ntcreatesection start_hollow rtlcreateuserthread | .
T1056 captures_data medium 5.5 | sendkeys keybd_event | sendkeys|keybd_event
# Looking around
T1087.002 explores medium 4.5 | get_aduser directorysearcher adsisearcher get_adgroupmember get_adcomputer get_addomaincontroller get_addomain get_adgroup get_adforest | (?:directorysearcher|adsisearcher|get-ad(?:user|groupmember|computer|domaincontroller|domain|group|object|forest|trust|organizationalunit|defaultdomainpasswordpolicy)\b)
T1482 explores medium 5.5 | getcurrentdomain getcurrentforest getalltrustrelationships activedirectory | getcurrent(?:domain|forest)|getalltrust|directoryservices\.activedirectory
T1087.001 explores low 3 | get_localuser get_localgroupmember get_localgroup | get-local(?:user|group)
T1069 explores low 3.5 | get_localgroup get_localgroupmember | get-localgroup\b
T1018 explores medium 4 | test_connection 1 254 | 1\.\.25[45].*(?:test-connection|ping|tcpclient|%|foreach)
T1046 explores medium 6 | portscan test_netconnection tcpclient connect | (?:foreach|for|%|\.\.).*(?:tcpclient|test-netconnection|\.connect\()|portscan
T1135 explores medium 4 | get_smbshare win32_share | get-smbshare|win32_share
T1518.001 explores low 3 | antivirusproduct securitycenter2 get_mpcomputerstatus firewallproduct | antivirusproduct|securitycenter2|firewallproduct
T1518.001 explores medium 5 | where_object match processname | (?:processname|\.name|description).*-(?:match|like)\s+\S*(?:virus|carbonblack|defender|cylance|sysmon|crowdstrike)
T1082 explores low 2 | get_computerinfo systeminfo win32_operatingsystem | get-computerinfo|systeminfo
T1033 explores low 3 | windowsidentity username getcurrent | windowsidentity\]?::getcurrent\(\)\s*(?:\||$|>)|environment\]::username
T1615 explores medium 4.5 | get_gporeport get_gpo get_domaingpo resultantset | get-gpo\w*|get-gpresultantset
T1622 explores high 6.5 | isdebuggerpresent checkremotedebugger isattached | isdebuggerpresent|checkremotedebugger|debugger\]::isattached
T1497 explores medium 5 | win32_fan thermal vmware virtualbox msacpi_thermalzonetemperature win32_cachememory | (?:manufacturer|model|bios|win32_).*-(?:match|like|eq)\s+\S*(?:vmware|virtual|vbox|qemu)|thermalzone
T1010 explores low 3 | mainwindowtitle | mainwindowtitle.*(?:\||-ne|where)
T1083 explores low 3 | get_childitem gci ls | (?:get-childitem|gci|\bls)\s+-recurse\s*(?:$|[>|])
T1007 explores low 2 | get_service | ^get-service\s*(?:$|\||>)
T1057 explores low 2 | get_process | ^get-process\s*(?:$|>|\|\s*(?:out-file|ft|select))
T1619 explores medium 6 | get_azstorageblob get_azstorageaccount storage s3 s3api | get-azstorage\w+|az\s+storage|aws\s+s3
T1526 explores medium 6 | get_azureaduser get_azresource get_msoluser get_azvm connect_azaccount connect_azuread | get-(?:azuread|msol|azresource|azvm|mg(?:user|group|directory))\w*
T1580 explores medium 6 | describe_instances get_azvm gcloud | describe-(?:instances|snapshots|volumes)|gcloud\s+compute
T1530 captures_data high 6 | get_azstorageblobcontent get_azkeyvaultsecret list_storagekeys secretsmanager runbook automation | get-azstorageblobcontent|get-azkeyvault|get-azstorageaccountkey|secretsmanager\s+get|get-azautomation
T1651 reaches_devices critical 7.5 | invoke_azvmruncommand send_command run_command ssm azautomationrunbook | invoke-azvmruncommand|ssm\s+send-command|vm\s+run-command|new-azautomation
T1201 explores low 4 | get_addefaultdomainpasswordpolicy | passwordpolicy
T1529 restarts_device high 3 | restart_computer stop_computer | (?:restart|stop)-computer\b
T1489 changes_services high 5 | stop_service | stop-service\b.*(?:sql|vss|backup|veeam|exchange)
T1531 changes_accounts high 4.5 | disable_localuser remove_localuser set_localuser | (?:disable|remove)-localuser|set-localuser.*-password
T1222.001 changes_permissions medium 4 | set_acl addaccessrule | everyone.*(?:fullcontrol|modify)
T1036.003 hides_activity high 7.5 | copy_item copy cp | (?:copy-item|copy|cp)\b.*(?:powershell|cmd|cscript|rundll32|certutil|mshta|wscript)\.exe\s
T1078.001 changes_accounts high 7.4 | guest | (?:enable-localuser|set-localuser).*guest
T1110 explores high 7 | rockyou wordlist passwords passwordlist | (?:wordlist|passwordlist)\S*\.txt|rockyou|passwords?\.txt
T1555.006 reads_credentials high 6 | keyvault | get-azkeyvaultsecret|keyvault\s+secret
T1528 reads_credentials high 6.2 | get_azaccesstoken accesstoken refreshtoken | get-azaccesstoken|get-mgaccesstoken|account\s+get-access-token
"""

TOOL_SIGNS: Final = r"""
# Names of offensive tools and of their commands
T1003.001 reads_credentials critical 10 | mimikatz sekurlsa lsadump mimipenguin mimilib pypykatz invoke_mimikatz lazagne nanodump safetykatz dumpertnet sharpkatz gsecdump pwdump fgdump wce lsassy procdumplsass xordump | \b(?:invoke-)?(?:mimikatz|sekurlsa|lsadump|mimipenguin|mimilib|pypykatz|lazagne|nanodump|safetykatz|sharpkatz|gsecdump|pwdump\d*|fgdump|wce|lsassy|xordump)\b
T1558 reads_credentials critical 10 | rubeus kekeo kerberoast asreproast ptt golden ticketer gettgt getuserspns getnpusers kerbrute tgtdeleg asktgt | rubeus|kekeo|kerberoast|asreproast|kerbrute|tgtdeleg|asktgt|ticketer|golden.?(?:ticket|saml)|get(?:tgt|userspns|npusers)
T1087.002 explores high 8 | soaphound linenum adfind adrecon bloodhound sharphound powerview pingcastle sharpview ldapdomaindump windapsearch adexplorer seatbelt dirlister netscan advanced_ip_scanner | \b(?:soaphound|linenum|adfind|adrecon|(?:invoke-)?bloodhound|azurehound|sharphound|powerview|pingcastle|sharpview|ldapdomaindump|windapsearch|adexplorer|seatbelt|advanced_?ip_?scanner)\b
T1087.002 explores high 8 | get_netuser get_netdomain get_domaincontroller get_netcomputer get_netgroup get_domainuser get_domaincomputer get_domaintrust get_netforest get_domaingroupmember get_netlocalgroup find_localadminaccess invoke_userhunter invoke_sharefinder find_domainshare get_netloggedon get_forest get_domaingpo get_domainpolicy get_netgpo get_netshare get_wmireglastloggedon find_interestingdomainacl get_domainou get_netsession find_interestingfile get_domain get_forestdomain get_domainobject | (?:get-net(?:user|domain\w*|computer|group\w*|forest\w*|localgroup\w*|loggedon|gpo\w*|share|session|ou|site)|get-domain(?:user|computer|trust|groupmember|gpo|policy\w*|ou|object\w*|controller)?\b|find-(?:localadminaccess|domain\w+|interesting\w+)|get-forest\w*|get-wmireg\w+)
T1059 runs_downloaded_code critical 8.5 | empire covenant mythic havoc donut responder watson sherlock jaws john hydra medusa crowbar patator cme pacu pupy caldera merlin sliver | (?:^|[\\/;&|(]\s*|sudo\s+|invoke-)(?:empire|covenant|mythic|havoc|donut|responder|watson|sherlock|jaws|john|hydra|medusa|crowbar|patator|cme|pacu|pupy|sliver)(?:\.exe|\.ps1|\.py|\s|$)
T1059 runs_downloaded_code critical 9 | powersploit nishang metasploit meterpreter msfvenom cobaltstrike sliver winpwn powerupsql powersharppack privesccheck winpeas linpeas sherlock jaws watson beroot powerup sharpup crackmapexec cme netexec impacket mythic havoc caldera merlin poshc2 pupy koadic silenttrinity donut evilginx responder inveigh pyramid sharpsploit nimplant bruteratel | \b(?:powersploit|nishang|metasploit|meterpreter|msfvenom|msfconsole|cobalt.?strike|winpwn|powerupsql|powersharppack|privesccheck|winpeas\w*|linpeas|beroot|powerup|sharpup|crackmapexec|netexec|impacket\S*|poshc2|koadic|evilginx|inveigh|sharpsploit|nimplant|brute.?ratel)\b
T1569.002 reaches_devices critical 8.5 | wmiexec smbexec atexec dcomexec secretsdump winrm sharprdp sharpmove sharpexec invoke_smbexec invoke_wmiexec invoke_thehash | evil-winrm|wmiexec|smbexec|atexec|dcomexec|secretsdump|sharp(?:rdp|move|exec)|thehash
T1110 reads_credentials critical 8.5 | hydra medusa hashcat john ncrack crowbar patator passwordspray spray domainpasswordspray msolspray brutus kerbrute sprayingtoolkit thc ophcrack | \b(?:hashcat|ncrack|\S{0,40}passwordspray\S*|msolspray|ophcrack)\b(?:\s|$|\.|-)
T1046 explores high 6.5 | nmap masscan zmap naabu rustscan angryip fscan winscan sharpscan nbtscan | \b(?:nmap|masscan|zmap|naabu|rustscan|fscan|nbtscan|angryip\w*)\b
T1135 explores high 7 | snaffler smbmap enum4linux sharpshares smbclient rpcclient | \b(?:snaffler|smbmap|enum4linux|sharpshares|smbclient|rpcclient)\b
T1588.002 hides_activity high 7.4 | nircmd | \bnircmdc?\b
T1595 explores high 7 | gobuster dirbuster ffuf nikto wpscan wfuzz sqlmap invoke_wordlistscan nuclei dirb subfinder amass | \b(?:gobuster|dirbuster|ffuf|nikto|wpscan|wfuzz|sqlmap|subfinder)\b|(?:^|[\\/;&|]\s*)(?:nuclei|dirb|amass)(?:\.exe)?\s+-|invoke-wordlistscan
T1555 reads_credentials critical 9 | sharpweb webbrowserpassview browserpassview sharpchrome sharpchromium chromepass hackbrowserdata mailpassview keethief dumpcreds wirelesskeyview credentialsfileview netpass sharpdpapi donpapi keepass2john chromecookies lazagne | sharpweb|(?:web)?browserpassview|sharpchrom\w+|chromepass|hackbrowserdata|mailpv|keethief|wirelesskeyview|netpass|sharpdpapi|donpapi
T1095 opens_network critical 9 | powercat ncat powershellicmp icmpsh dnscat2 dnscat iodine nc64 pwncat | (?:^|[\\/;&|(]\s*|sudo\s+|\s)(?:powercat|ncat|icmpsh|invoke-powershellicmp|dnscat2?|iodine\s+-|nc64|pwncat)(?:\.exe|\.ps1|\s|$)
T1071 opens_network critical 8.5 | beacon c2 teamserver reverseshell reverse_tcp reverse_shell bindshell powershelltcp reversetcp | reverse[_ -]?(?:shell|tcp|https?)|bind[_ -]?shell|powershelltcp|teamserver
T1562.001 disables_security critical 9 | defendercontrol invisi_shell amsibypass edrsandblast killav pchunter gmer processhacker edrsilencer defenderremover tdsskiller unhook powertool | defendercontrol|dcontrol|invisi-?shell|amsi-?bypass|bypass-?amsi|edrsandblast|pchunter|processhacker|edrsilencer|tdsskiller
T1548.002 elevates critical 9 | uacme akagi bypassuac uacbypass uacmagic | uacme|akagi|bypass-?uac|uac-?bypass|uac-?magic
T1134 elevates critical 9 | juicypotato sweetpotato rottenpotato printspoofer godpotato incognito getsystem tokenvator badpotato sharpefspotato | \w*potato\b|printspoofer|incognito|get-?system\b|tokenvator
T1055 injects_code critical 9 | reflectivepeinjection invoke_reflectivepeinjection invoke_dllinjection invoke_shellcode processhollowing inject injector shellcode dllinjection sharpinject | reflective(?:pe|dll)?inject\w*|dll-?inject\w*|invoke-shellcode|process-?hollow\w*|start-hollow|\binject(?:or|dll|proc\w*)?(?:\.exe)?\b
T1040 captures_data high 7.5 | inveigh responder ettercap bettercap arpspoof intercepter rawcap dsniff | ettercap|bettercap|arpspoof|dsniff
T1572 opens_network high 7.5 | ngrok chisel ligolo localtunnel sshuttle | \b(?:ngrok|ligolo|sshuttle|localtunnel)\b|chisel(?:\.exe)?\s+(?:client|server)
T1090.003 opens_network high 7.5 | tor psiphon torsocks proxychains i2p torify | \b(?:tor(?:\.exe|socks|ify)?\b(?=\s|$|_|-|\.)|psiphon|proxychains\d?|i2p)
T1056 captures_data critical 8.5 | get_keystrokes keylogger logkeys invoke_credentialphisher credsleaker | get-keystrokes|keylogger|logkeys|credsleaker|credential-?phish
T1486 encrypts_files critical 8 | ransomware ransom ransomnote decrypt | ransom(?:ware|note|_note)?\b|your files (?:have been|are) encrypted
T1496 captures_data critical 8.5 | xmrig minerd cpuminer coinhive stratum nicehash | xmrig|minerd|cpuminer|coinhive|stratum\+
T1059 runs_downloaded_code high 7.4 | payload malware malicious evil exploit backdoor rootkit trojan | [\\/][^\s\\/]{0,40}(?:payload|malware|malicious|evil|exploit|backdoor|rootkit|trojan)[^\s\\/]{0,40}\.\w{2,4}\b
T1098 changes_accounts critical 8.5 | aadinternals aadint roadtools azurehound microburst powerzure tokentactics graphrunner stormspotter pacu cloudgoat | aad-?int\w*|roadtools|azurehound|microburst|enumerateazure\w*|powerzure|tokentactics|graphrunner|stormspotter|\bpacu\b
T1564 hides_activity high 7.5 | diamorphine libprocesshider beurk jynx | diamorphine|libprocesshider|beurk|jynx
T1588.002 downloads medium 3 | nirsoft | nirsoft
T1589 explores high 7 | invoke_enumerate invoke_recon | invoke-(?:enumerat|recon)\w*
T1003 reads_credentials critical 8.5 | secretsdump ntdsutil dsinternals vssown esedbexport dumpit winpmem invoke_ninjacopy ninjacopy copy_vss get_passhashes invoke_powerdump powerdump hashdump samdump | dsinternals|vssown|esedbexport|dumpit|winpmem|ninjacopy|copy-vss|get-pass(?:hashes|hints)|power-?dump|hash-?dump|sam-?dump
T1552 reads_credentials high 8 | trufflehog gitleaks credentialseekr lazagne get_gpppassword sessiongopher sharpcloud | trufflehog|gitleaks|get-gpp\w+|session-?gopher|sharpcloud
"""
