# SPDX-License-Identifier: Apache-2.0
"""Cmdlets of PowerShell that run, load or name what they are given, judged by their arguments."""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from guardrails.dotnet_members import RUNS_CODE, find_com_class, find_method
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import fold_value
from guardrails.powershell_logs import ERASURE, clears_by_name
from guardrails.powershell_members import MemberJudge
from guardrails.powershell_programs import ProgramJudge, read_name
from guardrails.powershell_scope import PowershellScope
from guardrails.script_reading import NestedCode, Reading

_K, _S = EffectKind, EffectSeverity
_REMOTE: Final = re.compile(
    r"\s-(?:computer\w*|cn|session|hostname|vmname|filepath|connectionuri)\b", re.IGNORECASE
)
_ASSEMBLIES: Final = re.compile(
    r"\s*-(?:assemblyname|an)\s+(?:[\"']?(?:system(?:\.[\w.]+)?|presentation(?:core|framework)|windowsbase|microsoft\.visualbasic|windowsformsintegration)[\"']?\s*,?\s*)+(?:-passthru|-erroraction\s+\w+|-ea\s+\w+|\s)*",
    re.IGNORECASE,
)
_KNOWN_MODULES: Final = re.compile(
    r"microsoft\.\w[\w.]*|activedirectory|exchangeonlinemanagement|azuread(?:preview)?|msonline|az(?:\.\w+)?|azurerm(?:\.\w+)?|net(?:adapter|tcpip|security|connection|qos|switchteam|lbfo|nat|eventpacketcapture|workswitchmanager)|dnsclient|dnsserver|dhcpserver|storage|scheduledtasks|appx|dism|printmanagement|defender|configdefender|bitlocker|hyper-v|failoverclusters|grouppolicy|servermanager|webadministration|iisadministration|smbshare|pki|tls|trustedplatformmodule|secureboot|international|kds|bitstransfer|cimcmdlets|psscheduledjob|psdiagnostics|threadjob|powershellget|packagemanagement|pswindowsupdate|burnttoast|updateservices|remotedesktop|sqlserver|sqlps|dbatools|vmware\.\w[\w.]*|pnp\.powershell|sharepointpnppowershell\w*|microsoftteams|skypeonlineconnector|configurationmanager|laps|admpwd\.ps|assignedaccess|startlayout|windowserrorreporting|windowsupdate(?:provider)?|deliveryoptimization|processmitigations|eventtracingmanagement|wdac|windowssearch|pnpdevice|vpnclient|dfsn|dfsr|nfs|dhcpserver|aws(?:powershell|\.tools)[\w.]*|psreadline|runasuser|remotedesktopservices|adsync|hpcmsl|dellbiosprovider",
    re.IGNORECASE,
)
_PROPERTIES: Final = frozenset(
    "name fullname count length value key path id parent directory directoryname displayname basename extension version status"
    " psobject properties processname caption description message exception user username samaccountname distinguishedname"
    " mail userprincipalname computername hostname ipaddress address members member group groups line matches captures"
    " taskname taskpath state servicename starttype startname pathname binarypathname freespace size sizeremaining deviceid driveletter filesystemlabel"
    " manufacturer model serialnumber ipv4address ipv4defaultgateway interfaceindex interfacealias ifindex nexthop displayversion uninstallstring"
    " packagefullname packagename packagefamilyname driver drivername portname printername jobname mountpoint volumestatus thumbprint subject issuer notafter"
    " installlocation publisher guid sid domain host uri url title handle size date timecreated year month day".split()
)
_VALUE_PARAMETERS: Final = re.compile(
    r"-(?:i\w*|t\w*|ea|er\w*|wa|w\w*|ov|outv\w*|asjob|usenewrunspace|verbose|debug)$", re.IGNORECASE
)
_WMI_METHOD: Final = re.compile(
    r"\s-(?:methodname|name|n|me\w*)[\s:]+[\"']?(\w+)[\"']?", re.IGNORECASE
)
_COMMAND_LINE: Final = re.compile(r"commandline\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_COM: Final = re.compile(r"(?:^|\s)-c(?:o\w*)?[\s:]+(.*)", re.IGNORECASE | re.DOTALL)
_TYPE: Final = re.compile(
    r"\s*(?:-typename[\s:]+|-t\w*[\s:]+)?(\"[^\"]*\"|'[^']*'|\([^()]*\)|[\w.+`\[\],]+)",
    re.IGNORECASE,
)
_TASK_PROGRAM: Final = re.compile(
    r"\s-e(?:xecute|\w{0,6})[\s:]+(\"[^\"]*\"|'[^']*'|\S+)", re.IGNORECASE
)
_TASK_ARGUMENT: Final = re.compile(
    r"\s-a(?:rgument|\w{0,7})[\s:]+(\"(?:[^\"`]|`.|\"\")*\"|'[^']*'|\S+)", re.IGNORECASE
)
_SETS: Final = re.compile(
    r"\$\{?[\w:]+\}?\s*[-+*/]?=|variable|\b(?:sv|nv|clv)\b|function|alias|\b[sn]al\b", re.IGNORECASE
)


# Cmdlets that run or name what the text does not show, whatever their arguments are.
_DOUBTED: Final = (
    "set-alias new-alias import-alias invoke-item invoke-history update-typedata update-formatdata"
    " enter-pssession import-pssession receive-pssession invoke-dscresource start-dscconfiguration"
    " new-webserviceproxy trace-command show-command invoke-psscript register-pssessionconfiguration"
).split()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a cmdlet.

    Attributes:
        name: of the cmdlet in lower case, without alias.
        rest: its arguments as written, a blank before them.
        text: all of it.
        node: of the tree.
        line: 1-based.

    """

    name: str
    rest: str
    text: str
    node: Any
    line: int


_MAX_LOOKED_UP: Final = 64  # pieces of code that are looked for in the text
Judge = Callable[[Call], None]


class CmdletJudge:
    """Judges such cmdlets of one script; adds to its reading."""

    def __init__(
        self,
        source: bytes,
        scope: PowershellScope,
        variables: dict[str, Any],
        reading: Reading,
        members: MemberJudge,
        programs: ProgramJudge,
    ) -> None:
        self._source = source
        self._scope = scope
        self._variables = variables
        self._reading = reading
        self._members = members
        self._programs = programs
        self._judges: dict[str, Judge] = {
            "invoke-expression": self._run_value,
            "invoke-command": self._invoke_command,
            "add-type": self._add_type,
            "new-object": self._new_object,
            "start-process": self._start_process,
            "import-module": self._import_module,
            "add-pssnapin": self._import_module,
            "foreach-object": self._for_each,
            "using": self._use,
            "invoke-wmimethod": self._invoke_wmi,
            "invoke-cimmethod": self._invoke_wmi,
            "set-wmiinstance": self._change_wmi,
            "new-ciminstance": self._change_wmi,
            "set-ciminstance": self._change_wmi,
            "remove-ciminstance": self._change_wmi,
            "remove-wmiobject": self._change_wmi,
            "new-scheduledtaskaction": self._schedule,
            "export-modulemember": self._ignore,
            "invoke-ascurrentuser": self._run_block,
            "start-job": self._run_block,
            "start-threadjob": self._run_block,
            "register-scheduledjob": self._run_block,
            "set-scheduledjob": self._run_block,
        }
        self._judges |= dict.fromkeys(_DOUBTED, self._doubt)

    def handles(self, name: str) -> bool:
        """Say whether a cmdlet is judged here."""
        return name in self._judges

    def judge(self, name: str, rest: str, node: Any, line: int) -> bool:
        """Judge a cmdlet by its name without alias; say whether it is one of these."""
        judge = self._judges.get(name)
        if judge is None:
            return False
        judge(Call(name=name, rest=rest, text=self._text(node), node=node, line=line))
        return True

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _ignore(self, call: Call) -> None:
        """Leave a cmdlet that has no effect on the machine."""

    def _doubt(self, call: Call) -> None:
        self._reading.run_dynamic(
            call.line, call.text, f"{call.name} runs or names what is not in the text"
        )

    def _run_value(self, call: Call) -> None:
        expression = re.sub(r"^\s*-c\w*[\s:]+", "", call.rest, flags=re.IGNORECASE).strip()
        value = fold_value(expression, self._variables) if expression else None
        if value is None and re.fullmatch(r"\"[^\"$`]*\"|'[^']*'", expression):
            value = expression[1:-1]
        if value is None:
            self._reading.run_dynamic(
                call.line, call.text, "runs text that is computed while it runs"
            )
        else:
            self._reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, call.line, call.text)
            if _SETS.search(value) and not self._stands_in_text(value):
                self._reading.doubt(call.line, "text that is put together may set variables")
            self._reading.nested.append(
                NestedCode(interpreter="powershell", code=value, line=call.line)
            )

    def _stands_in_text(self, code: str) -> bool:
        if len(self._reading.nested) > _MAX_LOOKED_UP:
            return False
        return code.lower().replace('"', "") in self._scope.text.replace('"', "")

    def _invoke_command(self, call: Call) -> None:
        unnamed = re.sub(r"\s-(?!sc)\w+[\s:]+[^\s{}]+", " ", call.rest, flags=re.IGNORECASE)
        block = re.search(r"\s(\{|\$\w+)", unnamed)
        known = block and (block[1] == "{" or block[1][1:].lower() in self._scope.blocks)
        if not known or re.search(r"\s-f\w*\b", call.rest.partition("{")[0], re.IGNORECASE):
            self._reading.run_dynamic(call.line, call.text, "the script block is not in the text")
        if _REMOTE.search(call.rest):
            self._reading.add(_K.REACHES_DEVICES, _S.HIGH, call.line, call.text, "T1021.006")

    def _add_type(self, call: Call) -> None:
        if not _ASSEMBLIES.fullmatch(call.rest.replace("`", "")):
            self._reading.run_dynamic(
                call.line, call.text, "compiles or loads code of another language"
            )

    def _new_object(self, call: Call) -> None:
        if com := _COM.search(call.rest):
            self._make_com_object(com[1], call.text, call.line)
            return
        found = _TYPE.match(call.rest)
        written = found[1] if found else ""
        type_name = read_name(written, self._variables) if written[:1] in "\"'($" else written
        if type_name is None or written in ("", "("):
            self._reading.run_dynamic(call.line, call.text, "the type of an object is computed")
        else:
            self._members.judge_assembly_type(type_name, call.line, call.text)

    def _make_com_object(self, rest: str, text: str, line: int) -> None:
        written = re.match(r"\s*\(?\s*(\"[^\"]*\"|'[^']*'|[\w.]+)\s*\)?(?:\s|$)", rest)
        progid = (
            fold_value(written[1], self._variables) if written and written[1][:1] in "\"'" else None
        )
        if written and progid is None and "$" not in written[1]:
            progid = written[1].strip("\"'")
        entry = find_com_class(progid) if progid else None
        if entry is None:
            self._reading.run_dynamic(
                line, text, f"unknown COM class {(progid or 'that is computed')[:60]}"
            )
        elif entry.kind:
            self._reading.add(entry.kind, entry.severity, line, text)

    def _start_process(self, call: Call) -> None:
        def resolve(written: str) -> str | None:
            return read_name(written, self._variables)

        self._programs.start_process(call.rest, call.text, call.line, resolve)

    def _import_module(self, call: Call) -> None:
        plain = re.sub(
            r"\s-(?:name|n)\b|\s-(?:force|global|disablenamechecking|passthru|usewindowspowershell|skipeditioncheck|scope\s+\w+|(?:erroraction|ea|warningaction|wa|verbose\S*|minimumversion|requiredversion|maximumversion|prefix)\s+\S+)",
            " ",
            call.rest,
            flags=re.IGNORECASE,
        )
        names = [
            each.strip("\"'() @")
            for each in re.split(r"[,\s]+", plain.strip())
            if each.strip("\"'() @")
        ]
        if not names or not all(_KNOWN_MODULES.fullmatch(each) for each in names):
            self._reading.doubt(
                call.line, f"loads a module that is not in the text: {' '.join(names)[:60]}"
            )

    def _use(self, call: Call) -> None:
        kind, _, what = call.rest.strip().partition(" ")
        if kind.lower() != "namespace" and not _KNOWN_MODULES.fullmatch(what.strip("\"' ")):
            self._reading.doubt(call.line, "loads a module that is not in the text")

    def _for_each(self, call: Call) -> None:
        """Judge ForEach-Object: script blocks are read themselves, names of members here."""
        parameter = ""
        elements = next((c for c in call.node.children if c.type == "command_elements"), None)
        for each in elements.children if elements is not None else []:
            written = self._text(each).strip()
            if each.type == "command_parameter":
                parameter = written
            elif each.type in ("command_argument_sep", "redirection") or written in ("", ":"):
                continue
            elif _VALUE_PARAMETERS.match(parameter):
                parameter = ""
            elif not self._is_block(written):
                self._name_member(written, call.text, call.line)

    def _is_block(self, written: str) -> bool:
        return written.startswith("{") or (
            written.startswith("$") and written.lower().strip("${}") in self._scope.blocks
        )

    def _name_member(self, written: str, text: str, line: int) -> None:
        plain = fold_value(written, self._variables) if written[:1] in "\"'($" else written
        member = (plain or "").strip("\"'").lower()
        entry = find_method(member, self._scope.mentions)
        if clears_by_name(member, self._scope):
            self._reading.add(*ERASURE, line, text)
        if entry is RUNS_CODE or (entry is None and member not in _PROPERTIES):
            self._reading.run_dynamic(
                line, text, f"unknown member {member[:60] or 'that is computed'}"
            )
        elif entry is not None and entry.kind:
            self._reading.add(entry.kind, entry.severity, line, text)

    def _invoke_wmi(self, call: Call) -> None:
        found = _WMI_METHOD.search(call.rest)
        method = found[1].lower() if found else ""
        entry = find_method(method, lambda words: words.search("ciminstance") is not None)
        if method == "create" or entry is None or entry is RUNS_CODE:
            self._reading.run_dynamic(
                call.line, call.text, f"unknown method {method or 'that is computed'}"
            )
            if command := _COMMAND_LINE.search(call.rest):
                self._reading.nested.append(
                    NestedCode(interpreter="cmd", code=command[1][1:-1], line=call.line)
                )
        elif entry.kind:
            self._reading.add(entry.kind, entry.severity, call.line, call.text)

    def _change_wmi(self, call: Call) -> None:
        if re.search(r"__|consumer|binding|subscription", call.text, re.IGNORECASE):
            self._reading.add(_K.PERSISTS, _S.HIGH, call.line, call.text)
        elif re.search(r"shadowcopy|userprofile", call.text, re.IGNORECASE):
            self._reading.add(_K.DELETES_FILES, _S.HIGH, call.line, call.text)
        else:
            self._reading.add(_K.CHANGES_PREFERENCES, _S.MEDIUM, call.line, call.text)

    def _schedule(self, call: Call) -> None:
        """Look through an action of a task at its program."""
        program, argument = _TASK_PROGRAM.search(call.rest), _TASK_ARGUMENT.search(call.rest)
        written = read_name(program[1], self._variables) if program else None
        given = " "
        if argument:
            folded = (
                fold_value(argument[1], self._variables)
                if argument[1][:1] in "\"'"
                else argument[1]
            )
            given = f" {folded}" if folded is not None else f" {argument[1][1:-1]}"
        if written is None:
            self._reading.run_dynamic(
                call.line, call.text, "the program is computed while it runs", _S.MEDIUM
            )
        else:
            self._programs.judge_named(written, given, call.text, call.line)

    def _run_block(self, call: Call) -> None:
        kind = _K.PERSISTS if "scheduled" in call.name else _K.RUNS_DYNAMIC_CODE
        self._reading.add(kind, _S.HIGH if kind is _K.PERSISTS else _S.LOW, call.line, call.text)
        named = {name.lower() for name in re.findall(r"\$(\w+)", call.rest)}
        if "{" not in call.rest and named.isdisjoint(self._scope.blocks):
            self._reading.doubt(call.line, "the script block is not in the text")
        elif re.search(
            r"\s-(?:f\w*|lit\w*|def\w*)\s",
            re.sub(r"\{.*\}", "{}", call.rest, flags=re.DOTALL),
            re.IGNORECASE,
        ):
            self._reading.doubt(call.line, "runs a script that is not in the text")
