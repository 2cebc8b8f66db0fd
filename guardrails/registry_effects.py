# SPDX-License-Identifier: Apache-2.0
"""Signs in what is written to the Windows registry.

Rows as in guardrails.windows_effects, met only by statements that change the registry. `=0` and
`=1` in a pattern stand for the value being zero, and for its being another number.
"""
# ruff: noqa: E501 - tables

from typing import Final

REGISTRY_SIGNS: Final = r"""
# Credentials
T1112 reads_credentials critical 9 | uselogoncredential | =1|=\$
T1003.001 reads_credentials critical 8.5 | runasppl runaspplboot lsacfgflags enablevirtualizationbasedsecurity | =0
T1003.001 disables_security critical 8 | disablerestrictedadmin restrictanonymous restrictanonymoussam disabledomaincreds limitblankpassworduse nolmhash lmcompatibilitylevel | (?:disablerestrictedadmin|limitblankpassworduse|restrictanonymous|disabledomaincreds|nolmhash).*=0|(?:lmcompatibilitylevel).*(?:/d|-value)\s+[0-2]\b
T1556.002 reads_credentials critical 9 | notification security authentication packages | (?:notification|security|authentication)[ _]packages
T1547.005 persists critical 9 | securityproviders osconfig | security[ _]packages|lsa\\osconfig|securityproviders
T1547.008 persists critical 8.5 | lsadbextpt lsaextensionconfig lsass | lsadbextpt|directoryserviceextpt|lsaextension
T1556.008 reads_credentials critical 8 | networkprovider providerpath providerorder | networkprovider|providerorder
T1552.002 changes_accounts high 6.5 | autoadminlogon defaultpassword defaultusername | =1|=\$|defaultpassword
# Autostart
T1547.001 persists high 6 | run runonce runonceex runservices runservicesonce | currentversion\\(?:policies\\explorer\\)?run(?:once(?:ex)?|services(?:once)?)?(?:\\\d+|\\depend|\\setup)?(?:\\|\s|$|,|\))
T1547.001 persists high 6.8 | load bootexecute explorer user shell folders common startup setupexecute | windows nt\\currentversion\\windows\b.*\bload\b|bootexecute|(?:user )?shell folders.*startup|setupexecute
T1547.004 persists critical 8 | winlogon userinit shell notify mpnotify vmapplet | winlogon.*\b(?:shell|userinit|notify|taskman|mpnotify|vmapplet|appsetup|gpextensions)\b
T1546.012 persists critical 8.5 | execution silentprocessexit globalflag debugger monitorprocess | image file execution options|silentprocessexit|\bdebugger\b
T1546.009 persists critical 8.5 | appcertdlls | appcertdlls
T1546.010 persists critical 8.5 | appinit_dlls loadappinit_dlls | appinit_dlls
T1546.011 persists high 8 | appcompatflags installedsdb | appcompatflags\\(?:custom|installedsdb)
T1546.015 persists high 7.5 | clsid inprocserver32 treatas localserver32 progid scriptleturl | clsid\\?.*(?:inprocserver32|localserver32|treatas|scriptleturl)|treatas|scriptleturl|software\\classes\\clsid
T1546.001 persists high 5.5 | open command classes | (?:classes|hkcr)\\.*\\shell\\(?:open|runas|edit|print)\\command
T1548.002 elevates high 5.5 | delegateexecute | delegateexecute
T1548.002 elevates critical 8.5 | delegateexecute isolatedcommand mscfile exefile settings curver folder classes | hkcu.*delegateexecute|isolatedcommand|classes\\(?:ms-settings|mscfile|exefile|folder|launcher\.systemsettings|appx)|\\curver
T1548.002 elevates critical 8.5 | environment windir systemroot | hkcu\\environment.*\b(?:windir|systemroot|cor_)
T1546.002 persists medium 6 | scrnsave screensaveactive screensaverissecure screensavetimeout | control panel\\desktop.*(?:scrnsave|screensave.*\.(?:scr|exe))|scrnsave
T1547.014 persists high 8 | stubpath | active setup.*stubpath|stubpath
T1547.010 persists critical 8.5 | monitors | print\\monitors
T1547.012 persists critical 8.5 | processors | print processors
T1547.003 persists critical 8.5 | timeproviders | timeproviders\\(?!ntpclient|ntpserver|vmictimeprovider)|timeproviders.*dllname
T1037.001 persists high 8 | userinitmprlogonscript | .
T1546 persists high 8 | autodialdll namespace_catalog5 clxdllpath autorun hangs addins amsi errorhandler netsh debuggerflags aedebug | winsock2\\parameters|clxdllpath|command processor.*autorun|error reporting.*(?:debugger|runtimeexception)|terminal server\\addins|aedebug|software\\microsoft\\netsh|amsi\\providers
T1137 persists high 7.5 | startup test perf options outlook webview homepage addins open | office.*(?:startup-?path|office test|webview|\\addins|options.*\bopen)|office test\\special\\perf
T1543.003 persists high 6 | imagepath servicedll failurecommand services | (?:currentcontrolset|controlset00\d)\\services\\.*(?:imagepath|servicedll|failurecommand)
T1574.011 persists high 6 | services | reg(?:\.exe)?\s+add.*currentcontrolset\\services\\[^\\\s]+.*imagepath
T1053.005 hides_activity critical 8.5 | tree sd schedule taskcache | schedule\\taskcache
T1112 persists high 7.5 | app paths | currentversion\\app paths\\
T1112 persists medium 7.5 | cleanuppath backuppath defragpath mycomputer | explorer\\mycomputer\\(?:cleanup|backup|defrag)path
T1112 persists medium 7.5 | microsoftredirectionurl microsoftredirectionprogram | .
T1176 persists medium 5.5 | extensioninstallforcelist extensions | extensioninstallforcelist|chrome\\extensions
T1505.005 opens_network critical 8 | servicedll termservice | termservice\\parameters
T1574.012 injects_code critical 8.5 | cor_profiler cor_enable_profiling | cor_
T1197 persists high 7.4 | bits | notifycmdline
# Defences off
T1562.001 disables_security critical 8 | disableantispyware disableantivirus disablerealtimemonitoring disablebehaviormonitoring disableonaccessprotection disablescanonrealtimeenable disableioavprotection disableintrusionpreventionsystem disablescriptscanning disableblockatfirstseen disablerawwritenotification disableroutinelytakingaction servicekeepalive disableenhancednotifications tamperprotection disableconfig | =1|tamperprotection.*=0|servicekeepalive.*=0|\$
T1562.001 disables_security critical 8 | defender windefend sense wdfilter wdnissvc wdboot mssense securityhealthservice | services\\(?:windefend|sense|wdfilter|wdnissvc|wdnisdrv|wdboot|securityhealthservice|mssecflt|sysmon\w*).*(?:start|delete)|delete.*windows defender
T1562.001 disables_security high 7.5 | exclusions exclusions_paths | defender\\exclusions
T1562.001 disables_security high 7.4 | notification_suppress disablenotifications uilockdown uacdisablenotify antivirusdisablenotify firewalldisablenotify updatesdisablenotify antivirusoverride firewalloverride hidescahealth hidesystray disableenhancednotifications | =1|=\$
T1562.001 disables_security critical 8 | amsienable amsi | amsienable.*=0|(?:delete|remove-item).*amsi\\providers
T1562.001 disables_security high 6.5 | smartscreenenabled enablesmartscreen enablewebcontentevaluation savezoneinformation warnonzonecrossing scanwithantivirus shellsmartscreenlevel | (?:=0|off|savezoneinformation.*=1|hidezoneinfo)
T1562.001 disables_security high 7.5 | verifiedandreputablepolicystate hypervisorenforcedcodeintegrity vulnerabledriverblocklistenable deviceguard | =0
T1562.001 disables_security high 6.8 | vbawarnings accessvbom blockcontentexecutionfrominternet disableinternetfilesinpv disableattachementsinpv disableunsafelocationsinpv disableprotectedview markinternalasunsafe extensionhardening trustrecords disablesecuritysettings disableallactivex protectedview | (?:vbawarnings.*(?:/d|-value)\s+1\b|=1|blockcontent.*=0|extensionhardening.*=0|trustrecords|trusted locations)
T1562.004 disables_security high 6.5 | enablefirewall disablenotifications doNotAllowExceptions defaultinboundaction firewallpolicy | enablefirewall.*=0|defaultinboundaction.*=0
T1562.002 disables_security critical 8 | eventlog enabled autologger maxsize enablescriptblocklogging enablemodulelogging enabletranscripting enablescriptblockinvocationlogging processcreationincludecmdline_enabled auditbaseobjects | (?:autologger|winevt\\channels).*=0|enable(?:scriptblock|module|scriptblockinvocation)logging.*=0|enabletranscripting.*=0|services\\eventlog.*(?:start|file|maxsize|minint)|processcreationincludecmdline_enabled.*=0
T1562.002 disables_security critical 8.5 | minint | control\\minint
T1562.001 disables_security critical 8 | etwenabled complus_etwenabled | =0
T1562.009 disables_security critical 8 | safeboot | safeboot\\(?:minimal|network)
T1689 disables_security high 4.5 | executionpolicy scriptexecution | executionpolicy.*(?:bypass|unrestricted)
T1548.002 disables_security high 7.4 | enablelua consentpromptbehavioradmin consentpromptbehavioruser promptonsecuredesktop filteradministratortoken enableinstallerdetection enablevirtualization | =0|=\$
T1112 opens_network critical 7.5 | localaccounttokenfilterpolicy allowencryptionoracle enablelinkedconnections | =1|=\$
T1562.001 disables_security high 5 | noautoupdate auoptions disablewindowsupdateaccess donotconnecttowindowsupdateinternetlocations usewuserver noautorebootwithloggedonusers disableosupgrade setdisableuxwuaccess wuserver | (?:noautoupdate|disablewindowsupdateaccess|donotconnect\w+|setdisableuxwuaccess|noautoreboot\w+).*=1|auoptions.*(?:/d|-value)\s+[12]\b
T1490 disables_security high 6.5 | disablesr disableconfig | =1
T1553.003 hides_activity critical 8.5 | cryptsipdllverifyindirectdata trustproviders finalpolicy cryptsipdllgetsigneddatamsg | cryptsip|trust\\finalpolicy
T1553.004 disables_security high 6.5 | systemcertificates rootcertificates protectedroots | systemcertificates\\(?:root|ca)|flags.*rootcertificates|protectedroots
T1574 injects_code high 6.5 | safedllsearchmode cwdillegalindllsearch knowndlls | safedllsearchmode.*=0|cwdillegal|knowndlls
T1484.001 disables_security high 7.5 | grouppolicyrefreshtimedc grouppolicyrefreshtimeoffset grouppolicyrefreshtimeoffsetdc grouppolicyrefreshtime disablebkgndgrouppolicy | grouppolicyrefreshtime|disablebkgndgrouppolicy.*=1
T1562.001 disables_security medium 5.5 | spynetreporting spynetreportinglevel submitsamplesconsent mpenablepus puaprotection | =0|submitsamplesconsent.*(?:/d|-value)\s+2\b
T1546.008 persists critical 8 | accessibility ats | accessibility\\ats\\|accessibility.*startexe
T1543.003 persists high 7.5 | imagepath servicedll | (?:imagepath|servicedll).*(?:/d|-value)\s.*(?:cmd|powershell|temp|appdata|public|rundll32)
T1562 disables_security medium 4 | screensaveactive screensaverissecure inactivitytimeoutsecs screensavetimeout nolockscreen maxinactivity | (?:screensaveactive|screensaverissecure|inactivitytimeoutsecs|screensavetimeout).*(?:=0|=\$)|(?:screensaveactive|screensaverissecure|inactivitytimeoutsecs|screensavetimeout)\s+0\b|nolockscreen.*=1|(?:delete|remove-item\S*).*(?:screensaveactive|screensaverissecure|inactivitytimeoutsecs|screensavetimeout)
# Access
T1021.001 opens_network high 5 | fdenytsconnections fallowtogethelp | fdenytsconnections.*=0|fallowtogethelp.*=1
T1021.001 opens_network high 7.4 | fsinglesessionperuser allowmultipletssessions userauthentication securitylayer portnumber shadow authenticationleveloverride fdisableencryption | (?:fsinglesessionperuser|userauthentication|securitylayer|authenticationleveloverride).*=0|(?:allowmultipletssessions|shadow|fdisableencryption).*=1|rdp-?tcp.*portnumber
T1547 persists high 7.5 | initialprogram finheritinitialprogram telemetrycontroller | .
T1562.004 disables_security high 7.5 | protocoldefaults | protocoldefaults.*=0
T1547.001 persists high 7.5 | run runonce runonceex | currentversion\\(?:policies\\explorer\\)?run(?:once(?:ex)?)?\b.*(?:/d|-value)\s.*(?:appdata|\\temp|%temp|\\public|cmd|powershell|wscript|mshta|rundll32|regsvr32|-enc)
T1070 erases_traces high 7.4 | runmru typedurls recentdocs typedpaths mountpoints2 userassist shellbags bagmru default servers bam | (?:delete|remove-item\S*|clear|\bri\b|\brm\b).*(?:runmru|typedurls|recentdocs|typedpaths|mountpoints2|userassist|bagmru|terminal server client|comdlg32|wordwheelquery)
T1564.002 hides_activity high 6.5 | userlist | specialaccounts\\userlist
T1564.001 hides_activity medium 5 | showsuperhidden hidden hidefileext superhidden | explorer\\advanced
T1098 changes_accounts critical 7.5 | sam domains | hklm\\sam\\
T1055 injects_code high 7.5 | gwx appcompat dllhost | appinit
T1090 changes_network medium 4.5 | proxyserver proxyenable autoconfigurl proxyoverride | proxyserver|autoconfigurl|proxyenable.*=1
T1112 changes_network high 5.5 | zonemap protocoldefaults domains zones | zonemap\\(?:domains|protocoldefaults|escdomains|ranges)|internet settings\\zones
T1112 changes_network medium 7.4 | maxconnectionsperserver maxconnectionsper1_0server | .
# Users kept from helping themselves
T1112 disables_security high 7.4 | disabletaskmgr disableregistrytools disablecmd disablechangepassword disablelockworkstation nocontrolpanel norun nofind nodesktop noclose nologoff startmenulogoff nofilemenu notraycontextmenu nosettaskbar noviewcontextmenu nowinkeys nopropertiesmydocuments disallowrun restrictrun nodrives noviewondrive noviewondrive nofolderoptions hideclock hidescanetwork hidescapower hidescavolume nodispcpl nochangestartmenu nosavesettings nowindowsupdate hidefastuserswitching shutdownwithoutlogon scforceoption notrayitemsdisplay nostartmenumoreprograms | .
T1112 hides_activity medium 5 | disablenotificationcenter toastenabled useactioncenterexperience dontshowui showinfotip showcompcolor nooverlayicons | =0|=1
T1491.001 hides_activity high 6.5 | legalnoticecaption legalnoticetext wallpaper wallpaperstyle desktopimagepath lockscreenimage | .
T1486 encrypts_files critical 7 | fve enablebdewithnotpm usetpm usetpmpin usetpmkey usetpmkeypin enablenontpm usepartialencryptionkey usepin useadvancedstartup recoverykeymessage recoverykeymessagesource rdvdenywriteaccess fdverecovery | policies\\microsoft\\fve.*(?:enable|use|recoverykeymessage)
T1112 disables_security medium 7.4 | allowsecondaryauthenticationdevice allowexternaldevicesignon disableremotedesktopantialias | =0|=1
T1027.011 hides_activity high 7.4 | binary openwithprogids appdatalow comsxres | reg_binary.*[0-9a-f]{16}|-value\s+\S*(?:bytes|payload|encoded|b64)|(?:reg_sz|-value)\s+\S*[a-z0-9+/]{200}
T1112 changes_registry low 1 | scripts script | <script>
T1125 captures_data high 5 | webcam microphone capabilityaccessmanager consentstore | consentstore\\(?:webcam|microphone)
T1546.016 persists high 6 | msiexec installer alwaysinstallelevated | alwaysinstallelevated.*=1
T1548.002 elevates critical 7.5 | alwaysinstallelevated | =1
T1207 changes_accounts critical 8 | ntdsa dsa | ntds\\parameters
T1556 disables_security high 7.5 | strongcertificatebindingenforcement reversibleencryption kdc krbtgt ldapserverintegrity ldapenforcechannelbinding requiresecuritysignature enablesecuritysignature smb1 restrictnullsessaccess enableplaintextpassword | (?:=0|smb1.*=1|enableplaintextpassword.*=1)
T1036 hides_activity medium 4 | reg import | \breg(?:\.exe)?\s+import\b|regedit(?:\.exe)?\s.*(?:/s|\.reg)
"""
