# SPDX-License-Identifier: Apache-2.0
"""What PowerShell's cmdlets do: the closed world of names that a script may call.

A name that stands in no row, belongs to no family and is no function of the script is unknown, and
so a doubt. Rows are `kind severity | names`; kind `-` only reads, prints or computes. Families are
nouns of modules by one maker, whose verbs tell what they do. From Microsoft's module reference.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """What a command does; `kind` None means that it only reads, prints or computes."""

    kind: EffectKind | None
    severity: EffectSeverity = EffectSeverity.NONE


HARMLESS: Final = CommandEntry(None)
_ALIAS_ROWS: Final = """
add-content ac|clear-content clc|clear-item cli|clear-history clhy|clear-itemproperty clp|clear-variable clv
compare-object compare diff|connect-pssession cnsn|convert-path cvpa|copy-item copy cp cpi|copy-itemproperty cpp
clear-host clear cls|disable-psbreakpoint dbp|enter-pssession etsn|export-alias epal|export-csv epcsv|export-pssession epsn
exit-pssession exsn|foreach-object % foreach|format-custom fc|format-hex fhx|format-list fl|format-table ft|format-wide fw
get-alias gal|get-psbreakpoint gbp|get-content cat gc type|get-clipboard gcb|get-command gcm|get-childitem dir gci ls|get-history ghy h history
get-item gi|get-ciminstance gcim|get-job gjb|get-location gl pwd|get-member gm|get-module gmo|get-itemproperty gp|get-process gps ps
get-itempropertyvalue gpv|get-psdrive gdr|get-pssession gsn|get-pssnapin gsnp|get-service gsv|get-timezone gtz|get-unique gu|get-variable gv|get-wmiobject gwmi
group-object group|get-help help man|invoke-command icm|invoke-expression iex|invoke-history ihy r|invoke-item ii|import-alias ipal|import-csv ipcsv
import-module ipmo|import-pssession ipsn|invoke-restmethod irm|invoke-webrequest iwr curl wget|invoke-wmimethod iwmi|invoke-cimmethod icim
measure-object measure|move-item mi move mv|move-itemproperty mp|mkdir md|new-alias nal|new-psdrive mount ndr|new-item ni|new-module nmo
new-pssession nsn|new-variable nv|new-pssessionconfigurationfile npssc|new-ciminstance ncim|new-cimsession ncms|out-gridview ogv|out-host oh|out-printer lp
pop-location popd|push-location pushd|register-cimindicationevent rcie|receive-job rcjb|remove-psbreakpoint rbp|remove-psdrive rdr|remove-item del erase rd ri rm rmdir
rename-item ren rni|remove-job rjb|remove-module rmo|rename-itemproperty rnp|remove-itemproperty rp|remove-pssession rsn|remove-pssnapin rsnp|remove-ciminstance rcim
remove-variable rv|resolve-path rvpa|remove-wmiobject rwmi|remove-cimsession rcms|resume-job rujb|start-job sajb|set-alias sal|start-process saps start|start-service sasv
set-psbreakpoint sbp|set-content sc|set-clipboard scb|set-ciminstance scim|set-item si|set-location cd chdir sl|show-command shcm|set-timezone stz
select-object select|set-itemproperty sp|select-string sls|sort-object sort|start-sleep sleep|stop-job spjb|stop-process kill spps|stop-service spsv
set-variable set sv|set-wmiinstance swmi|tee-object tee|trace-command trcm|where-object where ?|wait-job wjb|write-output echo write|add-pssnapin asnp
suspend-job sujb|get-computerinfo gin|new-guid nguid|restart-service rsv
"""
ALIASES: Final[dict[str, str]] = {
    alias: row.split()[0]
    for row in re.split(r"[|\n]", _ALIAS_ROWS)
    if row.strip()
    for alias in row.split()[1:]
}
_ROWS: Final = """
- | write-output write-host write-error write-warning write-verbose write-debug write-information write-progress out-null out-string out-host out-default out-gridview read-host clear-host
- | select-object where-object sort-object group-object measure-object compare-object get-unique format-table format-list format-wide format-custom format-hex join-string
- | get-childitem get-item get-itemproperty get-itempropertyvalue get-content get-location set-location push-location pop-location resolve-path convert-path split-path join-path test-path get-psdrive get-psprovider
- | get-date get-random get-securerandom new-timespan new-guid get-host get-culture get-uiculture get-timezone get-variable set-variable new-variable remove-variable clear-variable get-member get-command get-help get-alias get-module get-history get-error get-verb get-typedata get-formatdata get-uptime get-runspace
- | get-process get-service get-eventlog get-winevent get-hotfix get-computerinfo get-computerrestorepoint get-controlpanelitem get-counter wait-process get-acl get-filehash get-authenticodesignature get-executionpolicy get-transactions get-job receive-job wait-job remove-job stop-job get-event wait-event remove-event unregister-event get-eventsubscriber get-pssession remove-pssession disconnect-pssession get-pssnapin get-psbreakpoint get-psrepository get-package get-packageprovider get-packagesource find-package find-module find-script find-packageprovider get-installedmodule get-installedscript
- | convertto-json convertfrom-json convertto-csv convertfrom-csv convertto-html convertto-xml convertto-clixml convertfrom-stringdata convertfrom-string convertfrom-markdown convertto-securestring import-csv import-powershelldatafile select-xml select-string test-json test-modulemanifest show-markdown import-clixml remove-module
- | get-ciminstance get-cimclass get-cimassociatedinstance new-cimsession get-cimsession remove-cimsession new-cimsessionoption get-wmiobject test-connection test-netconnection test-wsman resolve-dnsname tnc
- | start-sleep set-strictmode stop-transcript add-member new-temporaryfile set-psdebug write-eventlog new-event measure-command get-tracesource set-clipboard show-eventlog get-pscallstack new-pssessionoption new-pstransportoption exit-pssession get-pssessionconfiguration get-pssessioncapability remove-psdrive get-clipboard
- | get-scheduledtask get-scheduledtaskinfo new-scheduledtasktrigger new-scheduledtaskprincipal new-scheduledtasksettingsset get-scheduledjob get-jobtrigger new-jobtrigger new-scheduledjoboption get-clusteredscheduledtask export-scheduledtask
- | get-disk get-partition get-volume get-physicaldisk get-storagepool get-virtualdisk get-storagejob get-storagereliabilitycounter get-storagesubsystem get-partitionsupportedsize get-diskimage get-smbshare get-smbmapping get-smbconnection get-smbsession get-smbopenfile get-smbserverconfiguration get-smbclientconfiguration get-smbshareaccess get-dedupstatus get-dedupvolume get-storagesetting get-diskstoragenodeview get-mpiosetting get-initiatorport get-iscsitarget get-iscsisession get-fileintegrity get-supportedfilesystems get-supportedclustersizes get-volumecorruptioncount get-storagehealthreport get-storageprovider get-storagenode get-storageenclosure
- | get-dnsclient get-dnsclientserveraddress get-dnsclientcache get-dnsclientglobalsetting get-dnsclientnrptpolicy get-dnsclientnrptrule get-dnsclientdohserveraddress get-vpnconnection get-vpnconnectiontrigger get-daconnectionstatus get-ncsipolicyconfiguration get-odbcdsn get-odbcdriver get-wheamemorypolicy
- | get-appxpackage get-appxprovisionedpackage get-appxpackagemanifest get-appxvolume get-appxlog get-appxdefaultvolume get-appxlastError get-startapps get-appprovisionedsharedpackagecontainer get-windowsoptionalfeature get-windowscapability get-windowsfeature get-windowspackage get-windowsdriver get-windowsimage get-windowsedition get-windowserrorreporting get-windowsreservedstoragestate get-windowssearchsetting get-windowsdeveloperlicense
- | get-printer get-printerdriver get-printerport get-printjob get-printconfiguration get-printerproperty get-pnpdevice get-pnpdeviceproperty get-tpm get-tpmsupportedfeature get-tpmendorsementkeyinfo confirm-securebootuefi get-securebootpolicy get-securebootuefi get-bitlockervolume get-mpcomputerstatus get-mppreference get-mpthreat get-mpthreatdetection get-mpthreatcatalog get-mpperformancereport get-processmitigation get-culture get-winuserlanguagelist get-winsystemlocale get-winhomelocation get-wincultureoptionfromlanguagelist get-winlanguagebaroption get-winuilanguageoverride get-winacceptlanguagefromlanguagelistoptout get-winhomelocation get-windefaultinputmethodoverride get-preferredlanguage get-systempreferreduilanguage get-installedlanguage
- | get-localuser get-localgroup get-localgroupmember get-pfxdata test-certificate get-cmsmessage get-pfxcertificate get-troubleshootingpack get-windowsdiagnosticdata get-diagnosticdata get-deliveryoptimizationstatus get-deliveryoptimizationperfsnap get-deliveryoptimizationperfsnapthismonth get-deliveryoptimizationlog get-doconfig get-queue test-mapiconnectivity test-outlookconnectivity test-servicehealth test-replicationhealth test-mailflow get-dodownloadmode get-bitstransfer get-filestoragetier get-assignedaccess get-kdsrootkey get-gpo get-gporeport get-gpinheritance get-gpresultantsetofpolicy get-gppermission get-gpregistryvalue get-gpprefregistryvalue get-gpstarterg get-appvclientpackage get-appvclientconfiguration get-appvstatus get-uevstatus get-uevconfiguration get-eventtracelevel get-etwtraceprovider
- | get-vm get-vmhost get-vmswitch get-vmnetworkadapter get-vmnetworkadaptervlan get-vmharddiskdrive get-vmsnapshot get-vmcheckpoint get-vmmemory get-vmprocessor get-vmbios get-vmfirmware get-vmdvddrive get-vmintegrationservice get-vmreplication get-vmresourcepool get-vmsecurity get-vhd measure-vm test-vhd get-cluster get-clusternode get-clustergroup get-clusterresource get-clustersharedvolume get-clusterquorum get-clusternetwork get-rdusersession get-rdsessionhost get-rdserver get-rdsessioncollection get-rdlicenseconfiguration get-rdremoteapp get-rdworkspace get-website get-webapplication get-webbinding get-webconfigurationproperty get-webconfiguration get-webapppoolstate get-webitemstate get-iisapppool get-iissite get-wbsummary get-wbjob get-wbpolicy get-wbbackupset get-wbbackuptarget get-wsusserver get-wsusupdate get-wsuscomputer get-wsusclassification
- | get-wuhistory get-wulastresults get-wusettings get-wuinstallerstatus get-wurebootstatus get-wuservicemanager get-wujob get-wuapiversion get-fsrmquota get-fsrmfilescreen get-dfsnroot get-dfsnfolder get-dfsnfoldertarget get-dfsrbacklog get-dfsrmember get-dfsrconnection get-dfsreplicationgroup get-dfsreplicatedfolder get-nfsshare get-ipamrange get-hgsclientconfiguration  get-storagefirmwareinformation get-speculationcontrolsettings get-displayresolution get-wwanprofile get-storagefaultdomain
- | compare-vm compare-vmversion test-dscconfiguration get-dscconfiguration get-dscresource get-dsclocalconfigurationmanager get-dscconfigurationstatus test-adserviceaccount
writes_system_files low | set-content add-content out-file tee-object copy-item move-item rename-item new-item set-item clear-item expand-archive compress-archive export-csv export-clixml start-transcript new-fileCatalog export-alias set-filestoragetier export-counter export-startlayout export-windowsdriver export-windowsimage export-certificate export-vm new-modulemanifest new-scriptfileinfo new-pssessionconfigurationfile new-psrolecapabilityfile export-pssession save-module save-script save-package save-help get-windowsupdatelogfile get-windowsupdatelog convertto-vhd out-printer
deletes_files medium | remove-item clear-content clear-recyclebin remove-smbmapping remove-smbshare remove-fileshare remove-printjob  remove-vhd
changes_permissions medium | set-acl grant-smbshareaccess revoke-smbshareaccess block-smbshareaccess unblock-smbshareaccess add-ntfsaccess remove-ntfsaccess set-ntfsowner disable-ntfsaccessinheritance enable-ntfsaccessinheritance unblock-file
changes_services medium | start-service stop-service restart-service set-service suspend-service resume-service start-webapppool stop-webapppool restart-webapppool start-website stop-website start-clusterresource stop-clusterresource start-clustergroup stop-clustergroup enable-computerrestore disable-scheduledtask enable-scheduledtask stop-scheduledtask start-scheduledtask unregister-scheduledtask set-scheduledtask enable-scheduledjob disable-scheduledjob unregister-scheduledjob
ends_processes medium | stop-process
persists high | new-service remove-service register-scheduledtask register-scheduledjob set-scheduledjob new-scheduledtask register-clusteredscheduledtask add-jobtrigger set-jobtrigger
persists medium | register-wmievent register-cimindicationevent
runs_dynamic_code medium | register-objectevent register-engineevent start-job start-threadjob set-psbreakpoint register-argumentcompleter set-psreadlinekeyhandler new-module
changes_software medium | install-package uninstall-package install-module uninstall-module update-module install-script uninstall-script update-script install-packageprovider import-packageprovider register-psrepository unregister-psrepository set-psrepository register-packagesource unregister-packagesource set-packagesource update-help  install-psresource update-psresource uninstall-psresource register-psresourcerepository set-psresourcerepository
changes_software medium | add-appxpackage remove-appxpackage add-appxprovisionedpackage remove-appxprovisionedpackage move-appxpackage reset-appxpackage repair-appxpackage set-appxdefaultvolume enable-windowsoptionalfeature add-windowscapability remove-windowscapability add-windowspackage remove-windowspackage add-windowsfeature install-windowsfeature install-language uninstall-language repair-windowsimage add-windowsdriver remove-windowsdriver optimize-appxprovisionedpackages set-windowsedition use-windowsunattend optimize-windowsimage mount-windowsimage dismount-windowsimage save-windowsimage expand-windowsimage new-windowsimage
changes_software low | get-windowsupdate get-wulist
changes_software medium | get-wuinstall install-windowsupdate hide-windowsupdate show-windowsupdate uninstall-windowsupdate remove-windowsupdate add-wuservicemanager remove-wuservicemanager set-wusettings reset-wucomponents enable-wuremoting update-mpsignature  install-wingetpackage update-wingetpackage uninstall-wingetpackage repair-wingetpackagemanager start-wuscan add-printerdriver remove-printerdriver
encrypts_files medium | enable-bitlocker lock-bitlocker protect-cmsmessage
disables_security medium | remove-mppreference disable-windowsoptionalfeature remove-windowsfeature uninstall-windowsfeature disable-tpmautoprovisioning clear-tpm suspend-bitlocker disable-bitlockerautounlock clear-bitlockerautounlock remove-bitlockerkeyprotector set-processmitigation remove-mpthreat
disables_security high | set-mppreference add-mppreference disable-bitlocker set-netfirewallprofile disable-netfirewallrule remove-netfirewallrule set-netfirewallsetting set-executionpolicy set-smbserverconfiguration set-smbclientconfiguration set-securebootuefi   set-netfirewallrule set-netfirewallsecurityfilter set-netfirewalladdressfilter set-netfirewallportfilter   set-applockerpolicy
changes_preferences low | start-mpscan start-mpwdoscan resume-bitlocker unlock-bitlocker add-bitlockerkeyprotector backup-bitlockerkeyprotector backuptoaad-bitlockerkeyprotector enable-bitlockerautounlock initialize-tpm unblock-tpm enable-tpmautoprovisioning protect-tpm
changes_preferences medium | set-winuserlanguagelist set-winsystemlocale set-winhomelocation set-culture set-winuilanguageoverride set-windefaultinputmethodoverride set-winlanguagebaroption set-systempreferreduilanguage copy-userinternationalsettingstosystem set-winacceptlanguagefromlanguagelistoptout set-winculturefromlanguagelistoptout new-winuserlanguagelist set-displayresolution import-startlayout set-assignedaccess clear-assignedaccess set-windowssearchsetting set-windowsreservedstoragestate enable-windowserrorreporting disable-windowserrorreporting
changes_preferences low | add-printer remove-printer add-printerport remove-printerport set-printer set-printconfiguration set-printerproperty rename-printer restart-printjob suspend-printjob resume-printjob set-odbcdsn add-odbcdsn remove-odbcdsn new-eventlog set-psreadlineoption
changes_network medium | new-netroute remove-netroute set-netroute set-netipaddress new-netipaddress remove-netipaddress set-netipinterface set-dnsclientserveraddress set-dnsclient set-dnsclientglobalsetting add-dnsclientnrptrule remove-dnsclientnrptrule set-dnsclientnrptrule add-dnsclientdohserveraddress set-dnsclientdohserveraddress add-vpnconnection set-vpnconnection remove-vpnconnection add-vpnconnectionroute remove-vpnconnectionroute set-vpnconnectionipsecconfiguration set-vpnconnectionproxy set-netconnectionprofile new-psdrive new-smbmapping new-smbshare set-smbshare close-smbsession close-smbopenfile new-smbglobalmapping
changes_network low | clear-dnsclientcache register-dnsclient enable-netfirewallrule connect-vpn
changes_network medium | new-netfirewallrule enable-psremoting disable-psremoting set-wsmaninstance new-wsmaninstance remove-wsmaninstance enable-wsmancredssp disable-wsmancredssp set-wsmanquickconfig register-pssessionconfiguration unregister-pssessionconfiguration set-pssessionconfiguration enable-pssessionconfiguration disable-pssessionconfiguration
changes_registry medium | set-itemproperty new-itemproperty remove-itemproperty rename-itemproperty copy-itemproperty move-itemproperty clear-itemproperty set-gpregistryvalue remove-gpregistryvalue set-gpprefregistryvalue
changes_accounts high | new-localuser remove-localuser set-localuser add-localgroupmember disable-localuser enable-localuser rename-localuser remove-localgroupmember new-localgroup remove-localgroup set-localgroup rename-localgroup
changes_accounts medium | test-computersecurechannel add-computer remove-computer rename-computer reset-computermachinepassword repair-computersecurechannel
changes_accounts critical | new-gpo new-gplink set-gplink remove-gplink remove-gpo import-gpo set-gppermission set-gpinheritance restore-gpo copy-gpo
changes_network low | invoke-gpupdate
changes_disks critical | format-volume clear-disk initialize-disk remove-partition remove-virtualdisk remove-storagepool reset-physicaldisk
changes_disks medium | repair-volume optimize-volume new-partition resize-partition set-partition set-disk set-volume new-volume update-disk update-hoststoragecache update-storageprovidercache add-partitionaccesspath remove-partitionaccesspath mount-diskimage dismount-diskimage mount-vhd dismount-vhd new-vhd resize-vhd optimize-vhd merge-vhd convert-vhd set-physicaldisk repair-virtualdisk new-storagepool new-virtualdisk write-volumecache repair-fileintegrity set-fileintegrity checkpoint-computer
changes_time low | set-timezone
changes_time medium | set-date
restarts_device high | restart-computer stop-computer
downloads medium | invoke-webrequest invoke-restmethod start-bitstransfer add-bitsfile resume-bitstransfer complete-bitstransfer set-bitstransfer suspend-bitstransfer remove-bitstransfer
sends_data medium | send-mailmessage
reads_credentials medium | get-credential export-pfxcertificate convertfrom-securestring get-storedcredential new-storedcredential unprotect-cmsmessage get-lapsadpassword get-lapsaadpassword  get-admpwdpassword get-secret get-secretinfo
reads_credentials low | new-selfsignedcertificate
changes_preferences medium | enable-pnpdevice disable-pnpdevice import-pfxcertificate import-certificate set-authenticodesignature switch-certificate get-certificaterequest get-certificate get-hgstrace  enable-windowsdeveloperlicense
erases_traces critical | clear-eventlog remove-eventlog
erases_traces high | limit-eventlog clear-history disable-computerrestore restore-computer
captures_data medium | new-mpperformancerecording new-neteventsession start-neteventsession add-neteventprovider start-etwtracesession
reaches_devices high | new-pssession connect-pssession invoke-wsmanaction connect-wsman send-rduserMessage disconnect-rduser invoke-rduserlogoff
"""
# Nouns of one maker's modules: what reading verbs give is a look, other verbs do this.
_FAMILIES: Final = (
    (r"ad(?:user|computer|group|object|domain|forest|organizationalunit|account|default|replication|rootdse|serviceaccount|finegrained|trust|principalgroup|optionalfeature|central|authorization|resource|claim|privilegedgroup|dccloning|authentication|directoryserver|sync|obj)\w*", EffectKind.CHANGES_ACCOUNTS, EffectSeverity.HIGH),
    (r"(?:azuread|msol|mg|entra|mso)[a-z]\w+", EffectKind.CHANGES_ACCOUNTS, EffectSeverity.HIGH),
    (r"(?:az|azurerm|azure)[a-z]\w+|aws\w+|ec2\w+|s3\w+|iam\w+", EffectKind.REACHES_DEVICES, EffectSeverity.HIGH),
    (r"(?:exo)?(?:mailbox|casmailbox|recipient|mailuser|mailcontact|mailpublicfolder|unifiedgroup|dynamicdistributiongroup|distributiongroup|inboxrule|transportrule|retention|malwarefilter|hostedcontentfilter|hostedconnectionfilter|hostedoutboundspamfilter|antiphish|safelinks|safeattachment|dkim|organizationconfig|accepteddomain|remotedomain|outboundconnector|inboundconnector|messagetrace|mobiledevice|activesyncdevice|calendarprocessing|adminauditlog|unifiedauditlog|managementrole|rolegroup|publicfolder|exchangeserver|exchangecertificate|exchangediagnostic|maildatabase|sharingpolicy|owamailboxpolicy)\w*|user|group|contact", EffectKind.CHANGES_ACCOUNTS, EffectSeverity.HIGH),
    (r"(?:pnp(?!device|util)|spo|sposite|teams?(?=[a-z])|cs(?:online|tenant|user|teams|callqueue|autoattendant|external|voice|phone|effective)|cm(?:device|user|application|package|collection|site|task|software|deployment|distribution|boundary|client|query|driver|operatingsystem)|intune|powerbi|powerapp|adminpower)\w*", EffectKind.REACHES_DEVICES, EffectSeverity.HIGH),
    (r"net(?:adapter|ipaddress|ipinterface|ipconfiguration|iphttps|ipsec|ipv\d|route|tcp|udp|neighbor|connectionprofile|team|lbfo|qos|nat|switch|offload|prefix|compartment|transport|firewall|dns)\w*", EffectKind.CHANGES_NETWORK, EffectSeverity.MEDIUM),
    (r"(?:dnsserver|dhcpserver)\w*", EffectKind.CHANGES_NETWORK, EffectSeverity.HIGH),
    (r"(?:vm(?!ware)|vmhost|vmswitch|vmnetwork|vhd|cluster|storagereplica|vds|datastore|esx|viserver|vapp|template|resourcepool|drs|advancedsetting)\w*", EffectKind.REACHES_DEVICES, EffectSeverity.HIGH),
    (r"(?:iis|web(?:app|site|binding|config|virtual|item|global|handler|managed|request(?!$)))\w*", EffectKind.CHANGES_SERVICES, EffectSeverity.MEDIUM),
    (r"(?:storage|physicaldisk|virtualdisk|volume|partition|diskimage|dedup|iscsi|mpio|fileshare|smb)\w*", EffectKind.CHANGES_DISKS, EffectSeverity.MEDIUM),
    (r"(?:printer|print)\w*", EffectKind.CHANGES_PREFERENCES, EffectSeverity.LOW),
    (r"(?:wsus|dfs[nr]|fsrm|wb(?:summary|job|policy|backup|volume|system|diagnostic|file)|rd(?:session|server|user|remote|licen|connection|workspace|deployment|virtual)|nfs|wds|ipam|bpa|rda)\w*", EffectKind.CHANGES_SERVICES, EffectSeverity.MEDIUM),
    (r"(?:bt(?:notification|visual|content|action|binding|button|text|image|selectionboxitem|input|header|audio|progressbar|column|group|shortcut|appid|datavalue|contextmenuitem))|burnttoast\w*", EffectKind.CHANGES_PREFERENCES, EffectSeverity.LOW),
    (r"deliveryoptimization\w*", EffectKind.CHANGES_PREFERENCES, EffectSeverity.MEDIUM),
    (r"(?:sql|dba)[a-z]\w+", EffectKind.REACHES_DEVICES, EffectSeverity.HIGH),
    (r"(?:dell|hp|lenovo)(?:bios|smbios)\w*", EffectKind.CHANGES_PREFERENCES, EffectSeverity.MEDIUM),
)  # fmt: skip
_READING: Final = frozenset(
    "get test measure select format compare convertto convertfrom find search resolve show confirm wait".split()
)
_CHANGING: Final = frozenset(
    "set new add remove enable disable update clear reset rename move restart stop start suspend resume grant revoke connect disconnect mount dismount copy restore repair optimize resize sync unregister block unblock lock unlock submit limit checkpoint merge initialize hide publish unpublish uninstall save backup approve deny close join protect unprotect switch undo redo assert".split()
)
# Parameters with which a cmdlet that only reads does more: `kind severity | names or * | patterns of parameters`.
_MORE_ROWS: Final = r"""
writes_system_files low | * | outf\w* outputf\w* outputp\w* localf\w* localp(?:a\w*)? destination(?:path|file)? logp\w* recordt\w* exportp\w* reportp\w* savep\w*
writes_system_files low | get-gporeport get-gpresultantsetofpolicy | pa?t?h?
writes_system_files low | convertfrom-string | updatet\w*
changes_software medium | get-package find-package get-packageprovider find-packageprovider get-packagesource find-module find-script | forceb\w*
changes_preferences medium | * | rep(?:air?)? remed\w* fix
deletes_files high | search-mailbox | deletec\w*
reads_credentials medium | get-azkeyvaultsecret get-ec2passworddata get-azstorageaccountkey get-azaccesstoken get-secsecretvalue | *
downloads medium | get-azstorageblobcontent get-azstoragefilecontent get-pnpfile | *
downloads medium | select-xml | (?:path|literalp\w*|p\w*)[\s:]+[\"']?https?:\S*
"""
_SPLAT: Final = re.compile(r"\s@\w+")
_NAME: Final = re.compile(r"([a-z]{2,14})-([a-z][\w.]{1,80})")
_COMPILED: Final = tuple((re.compile(noun), kind, severity) for noun, kind, severity in _FAMILIES)


def _read_rows() -> dict[str, CommandEntry]:
    entries: dict[str, CommandEntry] = {}
    for row in _ROWS.strip().split("\n"):
        does, _, names = row.partition(" | ")
        kind, _, severity = does.partition(" ")
        entry = (
            HARMLESS if kind == "-" else CommandEntry(EffectKind(kind), EffectSeverity(severity))
        )
        entries |= dict.fromkeys(names.lower().split(), entry)
    return entries


CMDLETS: Final = _read_rows()


def _read_more() -> Iterator[tuple[frozenset[str], re.Pattern[str], CommandEntry]]:
    for row in _MORE_ROWS.strip().split("\n"):
        does, names, parameters = (part.strip() for part in row.split(" | "))
        kind, _, severity = does.partition(" ")
        begin = "" if parameters == "*" else rf"\s-(?:{'|'.join(parameters.split())})\b|\s@\w"
        entry = CommandEntry(EffectKind(kind), EffectSeverity(severity))
        yield frozenset(names.split()), re.compile(begin, re.IGNORECASE), entry


_MORE: Final = tuple(_read_more())


def find_cmdlet(name: str) -> CommandEntry | None:
    """Return what a cmdlet of this lower-case name does; None when it is unknown."""
    entry = CMDLETS.get(name)
    if entry is not None:
        return entry
    found = _NAME.fullmatch(name)
    if found is None or (found[1] not in _READING and found[1] not in _CHANGING):
        return None
    for noun, kind, severity in _COMPILED:
        if noun.fullmatch(found[2]):
            return HARMLESS if found[1] in _READING else CommandEntry(kind, severity)
    return None


def find_more(name: str, rest: str) -> CommandEntry | None:
    """Return what a cmdlet that only reads does with these arguments beyond that, or None."""
    named = (entry for names, begin, entry in _MORE if name in names and begin.search(rest))
    written = _SPLAT.sub(" ", rest)
    anyone = (entry for names, begin, entry in _MORE if "*" in names and begin.search(written))
    return next(named, None) or next(anyone, None)


def reads_by_its_name(name: str) -> bool:
    """Say whether an unknown cmdlet has a verb that only reads: a doubt still, of its own kind."""
    found = _NAME.fullmatch(name)
    return found is not None and found[1] in _READING
