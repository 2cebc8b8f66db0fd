# SPDX-License-Identifier: Apache-2.0
"""What programs of Windows do, by their arguments: the closed world of programs.

Rows are `kind severity | names | forms of arguments that only look`, written as in
guardrails.windows_arguments; behind `=>` a form has an effect of its own, smaller than the row's.
Kind `-` declares that no arguments do more than look: its form has to be `: ...`. LAUNCHERS run
what they are given, under names or options of their own: a doubt, unless a reader of code takes it.
So is what `_RUNS` lists: arguments with which a program takes commands or settings from elsewhere.
From Microsoft's command reference and the LOLBAS project's list.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from dataclasses import dataclass
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_cmdlets import HARMLESS, CommandEntry
from guardrails.windows_arguments import LookForm, is_computed, read_forms, split_arguments

# Variables that decide which programs, modules and libraries run.
STEERING: Final = r"path(?:ext)?\b|comspec\b|prompt\b|psmodulepath|cor_|coreclr_|complus_|dotnet_|node_|python|git_|java_|_java|npm_|ssl_cert_|sslkeylogfile|curl_ca_|requests_ca_|aws_ca_|pip_|gh_host|openssl_|__|windir\b|systemroot\b"
_ROWS: Final = r"""
- | hostname whoami systeminfo ping tracert pathping getmac quser qwinsta qprocess query tasklist driverquery findstr find more tree where ver netstat choice timeout waitfor clip fc comp winver dsquery dsget chcp calc charmap taskmgr resmon vol | : ...
changes_network low | nbtstat | : -a -c -n -s *
sends_data medium | nslookup | : -type -querytype -query -q -ty -timeout -retry -port -class -cl -debug -d2 -nodebug -recurse -norecurse -search -nosearch -vc -novc -domain -srchlist +=
changes_preferences low | mode | con,con: : *= ; : /status *
sends_data low | notepad mspaint | : *
captures_data medium | perfmon | : /sys /res /rel
changes_network medium | ipconfig | : /all /displaydns /allcompartments /? ; /showclassid,/showclassid6 : *
changes_network medium | route | [-4 -6] print : -4 -6 * ; /? :
changes_network medium | arp | : -a -g -v -n *
changes_network medium | netsh | [interface int ip ipv4 ipv6 tcp udp wlan lan winhttp advfirewall firewall http ras dhcpclient dnsclient trace winsock bridge namespace nap mbn rpc teredo 6to4 isatap httpstunnel portproxy monitor mainmode consec branchcache wcn] show,dump : *=
changes_network medium | rasdial rasphone netcfg | :
persists high | ftype assoc | : *
changes_services medium | sc | [\\] query,queryex,qc,qdescription,qfailure,qtriggerinfo,qsidtype,qprivs,enumdepend,sdshow,getdisplayname,getkeyname,showsid,querylock : ...
changes_services medium | net net1 | : ; start,use,view,session,sessions,share,time,file,config,accounts,statistics,users,user,localgroup,group : /domain ; user,users,localgroup,group,view,config,statistics,share : /domain /all /cache *1 ; helpmsg,help : *
ends_processes medium | taskkill tskill pskill | /? :
changes_software medium | msiexec wusa usoclient wuauclt lpksetup pkgmgr cup cinst cuninst | /? :
changes_software medium | choco scoop | list,search,find,info,outdated,status : ... ; --version,-v,/? :
changes_software medium | winget | list,search,show : ... ; --version,-v,--info,/? : ; upgrade : --include-unknown --accept-source-agreements
changes_software medium | dism | : /online /image /english /get-* /cleanup-image /checkhealth /scanhealth /format /packagename /featurename /capabilityname /wimfile /imagefile /index /name /? *
changes_software medium | pnputil | : /enum-* /? -e /class /connected /disconnected /problem /drivers /ids /relations /instanceid /bus /services /stack /interfaces /properties /deviceids *
changes_services medium | appcmd | list : ...
changes_software low | sfc | /verifyonly,/verifyfile :
changes_registry medium | reg | query,compare : ... ; /? :
changes_registry medium | regini regedit regedt32 setx | :
changes_preferences low | powercfg | : /l /list /q /query /qh /a /availablesleepstates /getactivescheme /aliases /aliasesh /lastwake /waketimers /requests /devicequery /? * ; /batteryreport,/energy,/sleepstudy,/srumutil,/systemsleepdiagnostics,/systempowerreport : /output /duration /xml /days /trace /csv *= => writes_system_files low
changes_software medium | onedrive | : ; /shutdown,/background,/reset : => changes_preferences low
changes_preferences low | displayswitch tabcal | :
changes_preferences medium | printui | :
runs_dynamic_code medium | control | : ; /name : *1 ; printers,folders,fonts,desktop,admintools,schedtasks,userpasswords,userpasswords2,keyboard,mouse,color,international,netconnections,telephony : ; timedate.cpl,ncpa.cpl,appwiz.cpl,sysdm.cpl,firewall.cpl,inetcpl.cpl,intl.cpl,main.cpl,mmsys.cpl,powercfg.cpl,desk.cpl,wscui.cpl :
deletes_files medium | cleanmgr | /? :
changes_preferences medium | gpupdate tpmtool | getdeviceinformation :
changes_preferences medium | slmgr | /dli,/dlv,/xpr : *
changes_preferences medium | reagentc | /info :
changes_preferences medium | winmgmt | /verifyrepository :
changes_registry medium | lodctr unlodctr | /? : ; /r : => changes_preferences low
sends_data medium | certreq | /? :
changes_disks medium | fsutil | fsinfo : * ; volume diskfree,querycluster,list,filelayout,queryfilename,smrinfo : * ; dirty,behavior,quota,reparsepoint,8dot3name,objectid,repair,storagereserve query : * ; usn queryjournal,readjournal,readdata,enumdata : *= ; hardlink list : * ; sparse queryflag,queryrange : *= ; file queryfileid,layout,queryextents,queryallocranges,queryvaliddata,queryfilenamebyid,querycasesensitiveinfo,findbysid,queryoptimizemetadata : *=
changes_permissions medium | icacls cacls | : /t /c /l /q /verify /findsid *
changes_permissions medium | takeown subinacl | /? :
changes_permissions medium | attrib | : /s /d /l *
changes_permissions medium | secedit | /export : /cfg /areas /log /quiet /db * => writes_system_files low
changes_permissions medium | dsacls | : /a *=
changes_accounts high | dsadd dsmod dsrm dsmove csvde ldifde djoin | /? :
changes_accounts high | netdom | query : ...
changes_disks critical | diskpart format | /? :
changes_disks medium | chkdsk | : *1
changes_disks medium | chkntfs | : *
changes_disks medium | mountvol | : ; : /l *1
changes_disks medium | subst | :
changes_disks medium | label convert defrag | /? :
changes_disks medium | compact | : /s /a /q *
disables_security high | manage-bde | -status : -computername -cn -protectionaserrorlevel -p * ; -protectors -get : -type -t -id -computername -cn * => reads_credentials low
disables_security medium | mpcmdrun | /? : ; -scan : -scantype -file -timeout -returnhr -bootsectorscan -cputhrottling * => changes_preferences low ; -signatureupdate : -mmpc => changes_software low ; -getfiles : => captures_data low
disables_security high | auditpol | /get,/list : ...
disables_security high | fltmc | : ; filters,instances,volumes : -f -v -t *
disables_security high | bcdboot | /? :
disables_security high | verifier | /query,/querysettings :
erases_traces critical | bcdedit | : ; : /enum /v /store *
changes_time medium | w32tm | /resync : /rediscover /nowait /force /soft /computer * => changes_time low ; /query : /status /source /peers /configuration /verbose /computer * ; /stripchart : /computer /samples /dataonly /period /packetinfo /ipprotocol * ; /monitor : /computers /domain /threads /ipprotocol /nowarn * ; /tz :
changes_time low | tzutil | /g,/l :
changes_time medium | date time | /t :
restarts_device high | shutdown logoff tsdiscon tscon rwinsta reset psshutdown | /? :
downloads medium | curl wget aria2c | --version :
runs_dynamic_code medium | git | --version : ; clone : --depth --branch -b --single-branch --quiet -q --no-tags *3 => downloads medium
runs_dynamic_code medium | scp | : -r -q -p -c -4 -6 -i +2 => sends_data medium
downloads medium | bitsadmin | /list : /allusers /verbose ; /info : /verbose *
downloads medium | tftp | /? :
downloads medium | certutil | -hashfile : *2 ; -verify : * ; -store,-viewstore : -user -enterprise -grouppolicy -v -silent *2 ; -dump : -v *1 ; -? :
reads_credentials medium | cmdkey vaultcmd | /list :
reads_credentials low | klist | : ; tickets,sessions,tgt,kcd_cache,query_bind : -li -lh *
persists high | schtasks | : ; /query : /fo /nh /v /tn /s /u /p /xml /hresult *
erases_traces critical | wevtutil | qe,query-events : /lf /logfile /sq /structuredquery /q /query /bm /bookmark /rd /reversedirection /f /format /l /locale /c /count /e /element /r /remote /u /username /p /password *= ; el,enum-logs,ep,enum-publishers : /r /u /p ; gl,get-log,gp,get-publisher,gli,get-loginfo,get-log-info : /f /format /ge /gm /lf /logfile /r /u /p *
erases_traces critical | vssadmin | list : ...
erases_traces critical | wbadmin | get : ...
changes_services medium | change | user,logon,port /query :
sends_data low | msg | /? :
captures_data medium | logman | query : ...
captures_data medium | tracerpt | /? :
captures_data medium | wpr | -status,-profiles : ...
captures_data medium | pktmon | status,counters,list,help : * ; comp,filter list : *
captures_data medium | makecab extrac32 diantz | /? :
captures_data medium | 7z 7za rar | l,t : *
writes_system_files low | expand unrar copy xcopy robocopy move ren rename md mkdir replace mklink | /? :
writes_system_files low | sort | : /r /reverse /m /memory /l /locale /rec /record *
writes_system_files low | msinfo32 dxdiag | :
writes_system_files low | gpresult | : /r /z /v /scope /user /s /u /p *
writes_system_files low | typeperf | : -qx -q -si -sc -s *
changes_accounts medium | dsregcmd | /status : /verbose /debug /wadebug
changes_accounts medium | nltest | : /dsgetdc /dclist /sc_query /domain_trusts /all_trusts /primary /forest /v /dsgetsite /dsgetsitecov /parentdomain /server /force /kdc /gc /pdc /trusted_domains /whowill /finduser /query *
deletes_files medium | del erase rd rmdir sdelete | /? :
runs_dynamic_code medium | wmic | : /namespace /value /all /every /translate /interactive:off /format:list /format:csv /format:table /format:value /format:htable /format:hform /format:xml /format:rawxml /format:mof +=  !call !create !delete !set !assoc
encrypts_files medium | cipher | : /c /y *
encrypts_files medium | efsui | /? :
"""
# Programs that run code, or other programs, which they are given: by name, file or option.
LAUNCHERS: Final = frozenset(
    "mshta wscript cscript rundll32 regsvr32 msbuild installutil regasm regsvcs cmstp odbcconf hh ieexec"
    " forfiles conhost pcalua scriptrunner bash wsl sh zsh python pythonw python3 py perl ruby node php java"
    " javaw dotnet npm npx pip pip3 psexec psexec64 paexec runas winrm winrs csc vbc jsc ilasm at mmc"
    " verclsid presentationhost mavinject msdt runonce tttracer gpscript infdefaultinstall xwizard cdb windbg"
    " ntsd eventvwr fodhelper sdclt explorer powershell_ise syncappvpublishingserver appvlp bginfo msxsl"
    " procdump vsjitdebugger wt ntdsutil esentutl ssh telnet deno bun docker kubectl nssm srvany instsrv"
    " diskshadow tar ftp sftp mofcomp sdbinst wbemtest".split()
)
# Programs that ask others for a name: what the name is made of reaches them.
RESOLVERS: Final = frozenset(("nslookup", "ping", "tracert", "pathping"))
# Arguments with which a program runs, or sets, what the text does not show: a doubt.
_RUNS: Final = {
    name: re.compile(pattern)
    for names, pattern in (
        ("netsh", r"^$|(?:^|\s)(?:[/-]f|exec|add helper|import)\b"),
        ("reg", r"^(?:import|restore|load)\b"),
        ("regedit regedt32 regini", r"^(?!.*(?:^|\s)[/-]e\b)."),
        ("setx", rf"(?:^|\s)(?:{STEERING})|(?:^|\s)/f\b"),
        ("robocopy", r"(?:^|\s)/job\b"),
        ("bitsadmin", r"/setnotifycmdline"),
        ("secedit", r"^[/-](?:configure|import)\b"),
        ("icacls", r"/restore\b"),
        ("logman", r"[/-](?:rf|task|tn)\b"),
        ("bcdedit", r"/import\b"),
        ("winget", r"(?:^|\s)(?:[/-]m|--?manifest|configure|import)\b"),
        ("curl", r"(?:^|\s)--?config\b"),
        ("wget", r"(?:^|\s)--?(?:use-askpass|execute|e|config)\b"),
        ("aria2c", r"(?:^|\s)--?(?:on-|conf-path|input-file|i\b)"),
    )
    for name in names.split()
}
_VERB_FIRST: Final = frozenset(
    ("netsh", "reg", "secedit", "bcdedit", "winget", "logman", "bitsadmin")
)
_RUNS_AS_WRITTEN: Final = {"curl": re.compile(r"(?:^|\s)-[A-Za-z]*K")}
_EXTENSION: Final = re.compile(r"\.(?:exe|com|msc|cpl)$")
_SYSTEM_FOLDER: Final = re.compile(
    r"^(?:c:|%systemdrive%)[\\/]windows(?:[\\/](?:system32|syswow64|sysnative)(?:[\\/](?:wbem|windowspowershell[\\/]v1\.0|openssh))?)?[\\/]$"
    r"|^%(?:windir|systemroot)%(?:[\\/](?:system32|syswow64|sysnative)(?:[\\/](?:wbem|windowspowershell[\\/]v1\.0|openssh))?)?[\\/]$"
    r"|^(?:c:[\\/]program files|%programfiles%)[\\/](?:powershell[\\/]7|windows defender|microsoft onedrive)[\\/]$"
    r"|\\appdata\\local\\microsoft\\onedrive\\$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Program:
    """A row for one program.

    Attributes:
        worst: what it does with arguments of no form.
        forms: what it does with those of a form, the first that matches.

    """

    worst: CommandEntry
    forms: tuple[tuple[LookForm, CommandEntry], ...]


def _read_entry(written: str) -> CommandEntry:
    kind, _, severity = written.strip().partition(" ")
    return HARMLESS if kind == "-" else CommandEntry(EffectKind(kind), EffectSeverity(severity))


def _read_rows() -> dict[str, Program]:
    programs: dict[str, Program] = {}
    for row in _ROWS.strip().split("\n"):
        does, names, written = (part.strip() for part in row.split("|", 2))
        forms = []
        for part in written.split(" ; "):
            form, _, less = part.partition("=>")
            entry = _read_entry(less) if less else HARMLESS
            forms += [(each, entry) for each in read_forms(form)]
        program = Program(_read_entry(does), tuple(forms))
        if not programs.keys().isdisjoint(names.split()):
            raise ValueError(f"two rows for one of {names}")
        programs |= dict.fromkeys(names.split(), program)
    return programs


PROGRAMS: Final = _read_rows()


def bare_name(name: str) -> str:
    """Return a program's name in lower case without its folder and extension."""
    return _EXTENSION.sub("", re.split(r"[\\/]", name.lower())[-1])


def is_system_folder(written: str) -> bool:
    """Say whether a program's folder, as written, is the system's, or none (found by PATH)."""
    folder = written[: len(written) - len(re.split(r"[\\/]", written)[-1])]
    return not folder or _SYSTEM_FOLDER.search(folder) is not None


def find_program(bare: str, arguments: str) -> CommandEntry | None:
    """Return what a program does with these arguments (one text); None when it is unknown."""
    program = PROGRAMS.get(bare)
    if program is None:
        return None
    words = split_arguments(arguments)
    return next((does for form, does in program.forms if form.matches(words)), program.worst)


def changes_accounts(bare: str, arguments: str) -> bool:
    """Say whether `net` changes users or groups with these arguments."""
    words = split_arguments(arguments)
    changes = bare in ("net", "net1") and words[:1] in (["user"], ["localgroup"], ["group"])
    return changes and len(words) > 2 and find_program(bare, arguments) is not HARMLESS


def takes_from_elsewhere(bare: str, arguments: str) -> bool:
    """Say whether a program takes commands or settings from what is not in the text."""
    words = split_arguments(arguments)
    if bare in _VERB_FIRST and words and is_computed(words[0]):
        return True
    pattern, exact = _RUNS.get(bare), _RUNS_AS_WRITTEN.get(bare)
    if exact and exact.search(arguments):
        return True
    return pattern is not None and pattern.search(" ".join(words)) is not None
