# SPDX-License-Identifier: Apache-2.0
"""What programs of Windows do, by their options: the closed world of programs.

Rows are `kind severity | names | pattern of arguments that only look`; kind `-` only looks always.
LAUNCHERS run what they are given, under names or options of their own: what they run is a doubt
unless a reader of code takes it. From Microsoft's command reference and the LOLBAS project's list.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_cmdlets import HARMLESS, CommandEntry

_ROWS: Final = r"""
- | hostname whoami systeminfo ping tracert pathping nslookup nbtstat getmac quser qwinsta qprocess query tasklist driverquery findstr find more tree where ver netstat choice timeout waitfor clip fc comp winver dsquery dsget chcp mode notepad mspaint calc charmap taskmgr resmon perfmon |
changes_network medium | ipconfig | ^(?:/all|/displaydns|/allcompartments|/\?)?$
changes_network medium | route | ^(?:(?:-[46]\s+)?print\b.*|/\?)$
changes_network medium | arp | ^(?:-[ag]\b.*)?$
changes_network medium | netsh | ^(?!.*(?:^|\s)-[fr]\s)(?!.*\b(?:set|add|delete|reset|import|exec|start|stop|connect|install|export)\b).*\b(?:show|dump)\b
changes_network medium | rasdial rasphone netcfg | ^$
changes_preferences low | ftype assoc | ^[^=]*$
changes_services medium | sc | ^(?:\\\\\S+\s+)?(?:query|queryex|qc|qdescription|qfailure|qtriggerinfo|qsidtype|qprivs|enumdepend|sdshow|getdisplayname|getkeyname|showsid|querylock)\b
changes_services medium | net net1 | ^(?:(?:start|use|view|session|sessions|share|time|file|config|accounts|statistics|users|localgroup|group)|(?:user|localgroup|group|accounts|view|config|statistics)(?:\s+(?:"[^"$%]*"|[\w.-]+))?(?:\s+/domain)?|helpmsg\s+\d+)$
ends_processes medium | taskkill tskill pskill | ^/\?$
changes_software medium | msiexec wusa usoclient wuauclt choco cup cinst cuninst winget scoop dism pkgmgr pnputil lpksetup appcmd | ^(?:/\?|list\b.*|search\b.*|info\b.*|show\b.*|outdated|upgrade|--version|-v|/online\s+/get-\w+\b.*|/online\s+/cleanup-image\s+/(?:checkhealth|scanhealth)|/enum-\w+\b.*|-e)$
changes_software low | sfc | ^(?:/verifyonly|/verifyfile=\S+)$
changes_registry medium | reg | ^(?:query|compare)\b
changes_registry medium | regini regedit regedt32 setx | ^$
changes_preferences low | powercfg | ^(?!.*/output\b)[/-](?:l|list|q|query|a|availablesleepstates|getactivescheme|aliases|lastwake|waketimers|requests|devicequery|batteryreport|energy|sleepstudy|srumutil|systemsleepdiagnostics|systempowerreport)\b
changes_preferences low | onedrive control printui cleanmgr displayswitch tabcal | ^$
changes_preferences medium | gpupdate certreq lodctr unlodctr mofcomp winmgmt slmgr reagentc tpmtool sdbinst | ^(?:/verifyrepository|/info|getdeviceinformation)$
changes_preferences low | fsutil | ^(?:fsinfo|volume\s+(?:diskfree|querycluster|list)|dirty\s+query|behavior\s+query|usn\s+query|quota\s+query|reparsepoint\s+query|8dot3name\s+query|hardlink\s+list|file\s+(?:queryfileid|layout|queryextents))\b
changes_permissions medium | icacls cacls | ^(?:"[^"]*"|[^\s"/]+)$
changes_permissions medium | takeown attrib subinacl secedit dsacls | ^/export\b
changes_accounts high | dsadd dsmod dsrm dsmove netdom csvde ldifde djoin | ^query\b
changes_disks critical | diskpart format | ^/\?$
changes_disks medium | chkdsk defrag mountvol subst label vol chkntfs compact convert | ^(?:[a-z]:|%systemdrive%|\$env:systemdrive|/l)?$
disables_security high | manage-bde | ^-(?:status|protectors\s+-get)\b
disables_security medium | mpcmdrun | ^-(?:scan|signatureupdate|getfiles)\b
disables_security high | auditpol fltmc bcdboot verifier | ^(?:/get\b.*|/list\b.*|filters|instances|volumes|/query)?$
erases_traces critical | bcdedit | ^(?:/enum\b.*|/v)?$
changes_time low | w32tm tzutil date time | ^(?:/query\b.*|/stripchart\b.*|/monitor\b.*|/tz|/g|/l|/t)$
restarts_device high | shutdown logoff tsdiscon tscon rwinsta reset psshutdown | ^/\?$
downloads medium | curl wget bitsadmin certutil ftp tftp scp sftp git aria2c | ^(?:-hashfile\b.*|-verify\b.*|-store\b.*|-dump\b.*|--version|/list\b.*)$
reads_credentials medium | cmdkey vaultcmd | ^/list(?::\S*)?$
reads_credentials low | klist | ^(?:tickets|sessions|tgt)?$
persists high | schtasks | ^/query\b
erases_traces critical | wevtutil vssadmin wbadmin | ^(?:qe|el|gl|ep|gp|gli|enum-\w+|get-\w+|query-events|list|get)\b
changes_services medium | change | ^(?:user|logon|port)\s*/query$
sends_data low | msg | ^$
captures_data medium | logman tracerpt wpr pktmon | ^(?:-?query\b.*|status|comp\s+list)$
captures_data medium | makecab extrac32 7z 7za rar | ^l\b
writes_system_files low | expand unrar copy xcopy robocopy move ren rename md mkdir replace mklink | ^$
writes_system_files low | sort msinfo32 dxdiag gpresult typeperf | ^(?!.*[/-](?:o|output|t|x|h|report|nfo|whql|dontskip)\b)
changes_accounts medium | dsregcmd nltest | ^/(?:status|dsgetdc\S*|dclist\S*|sc_query\S*|domain_trusts|dsgetsite|parentdomain)\b(?!.*/(?:sc_reset|sc_change_pwd|leave|join))
deletes_files medium | del erase rd rmdir sdelete | ^$
runs_dynamic_code medium | wmic | ^(?!.*\b(?:call|create|delete|set)\b)(?!.*/(?:format|output|append|record|node)\b).*\b(?:get|list)\b
encrypts_files medium | cipher efsui | ^$
"""
# Programs that run code, or other programs, which they are given: by name, file or option.
LAUNCHERS: Final = frozenset(
    "mshta wscript cscript rundll32 regsvr32 msbuild installutil regasm regsvcs cmstp odbcconf hh ieexec"
    " forfiles conhost pcalua scriptrunner bash wsl sh zsh python pythonw python3 py perl ruby node php java"
    " javaw dotnet npm npx pip pip3 psexec psexec64 paexec runas winrm winrs csc vbc jsc ilasm at mmc"
    " verclsid presentationhost mavinject msdt runonce tttracer gpscript infdefaultinstall xwizard cdb windbg"
    " ntsd eventvwr fodhelper sdclt explorer powershell_ise syncappvpublishingserver appvlp bginfo msxsl"
    " procdump vsjitdebugger wt ntdsutil esentutl ssh telnet deno bun docker kubectl nssm srvany instsrv"
    " diskshadow tar".split()
)
_EXTENSION: Final = re.compile(r"\.(?:exe|com|msc|cpl)$")
_SYSTEM_FOLDER: Final = re.compile(
    r"^(?:[a-z]:|%systemdrive%)?[\\/]windows(?:[\\/](?:system32|syswow64|sysnative)(?:[\\/](?:wbem|windowspowershell[\\/]v1\.0|openssh))?)?[\\/]$"
    r"|^%(?:windir|systemroot)%(?:[\\/](?:system32|syswow64|sysnative)(?:[\\/](?:wbem|windowspowershell[\\/]v1\.0|openssh))?)?[\\/]$"
    r"|^(?:[a-z]:[\\/]program files|%programfiles%)[\\/](?:powershell[\\/]7|windows defender|microsoft onedrive)[\\/]$"
    r"|\\appdata\\local\\microsoft\\onedrive\\$",
    re.IGNORECASE,
)


def _read_rows() -> dict[str, tuple[CommandEntry, re.Pattern[str]]]:
    programs = {}
    for row in _ROWS.strip().split("\n"):
        does, names, looks = (part.strip() for part in row.split("|", 2))
        kind, _, severity = does.partition(" ")
        entry = (
            HARMLESS if kind == "-" else CommandEntry(EffectKind(kind), EffectSeverity(severity))
        )
        pattern = re.compile(looks or "^$", re.IGNORECASE)
        for name in names.split():
            programs[name] = entry, pattern
    return programs


_PROGRAMS: Final = _read_rows()


def bare_name(name: str) -> str:
    """Return a program's name in lower case without its folder and extension."""
    return _EXTENSION.sub("", re.split(r"[\\/]", name.lower())[-1])


def is_system_folder(written: str) -> bool:
    """Say whether a program's folder, as written, is the system's, or none (found by PATH)."""
    folder = written[: len(written) - len(re.split(r"[\\/]", written)[-1])]
    return not folder or _SYSTEM_FOLDER.search(folder) is not None


def find_program(bare: str, arguments: str) -> CommandEntry | None:
    """Return what a program does with these arguments (one text); None when it is unknown."""
    found = _PROGRAMS.get(bare)
    if found is None:
        return None
    entry, looks = found
    return HARMLESS if entry.kind and looks.search(arguments.strip()) else entry
