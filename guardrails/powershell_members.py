# SPDX-License-Identifier: Apache-2.0
"""Types, methods and members in a PowerShell script, judged by the tables of dotnet_members.

What is unknown, or has a computed name, is a doubt. Patterns over the text of a whole chain of
calls (`_DANGERS`) tell in addition what .NET code is seldom written for anything else.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from typing import Any, Final

from guardrails.command_words import unquote
from guardrails.dotnet_members import (
    RUNS_CODE,
    find_method,
    find_static,
    find_type,
    has_effect,
    list_types,
)
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_cmdlets import CommandEntry
from guardrails.powershell_files import FileJudge
from guardrails.powershell_folding import fold_value
from guardrails.powershell_logs import ERASURE, clears_log
from guardrails.powershell_paths import judge_path
from guardrails.powershell_scope import PowershellScope
from guardrails.script_reading import Reading
from guardrails.windows_arguments import asks_for_computed_name
from guardrails.windows_files import judge_removal
from guardrails.windows_hosts import asks_composed_name

_K, _S = EffectKind, EffectSeverity
_DANGERS: Final = (
    (re.compile(r"DownloadString|DownloadFile|DownloadData|Net\.WebClient|HttpClient", re.IGNORECASE), _K.DOWNLOADS, _S.MEDIUM),
    (re.compile(r"FromBase64String|ScriptBlock\]::Create|Assembly\]::Load|InvokeScript|NewScriptBlock|VirtualAlloc|DynamicInvoke|DllImport|\]::GetDelegateForFunctionPointer", re.IGNORECASE), _K.RUNS_DYNAMIC_CODE, _S.HIGH),
    (re.compile(r"(?:xmlreader|xmltextreader|xdocument|xelement|xpathdocument|xmldocument|xmlschema\w*|\.readxml\w*)\b.{0,200}https?:", re.IGNORECASE), _K.DOWNLOADS, _S.MEDIUM),
    (re.compile(r"AmsiUtils|amsiInitFailed", re.IGNORECASE), _K.DISABLES_SECURITY, _S.CRITICAL),
)  # fmt: skip
# Members whose change makes other commands or code run.
_STEERING: Final = frozenset(
    "invokecommand precommandlookupaction postcommandlookupaction commandnotfoundaction commandscriptblock command"
    " scriptblock languagemode definition invokeprovider psvariable".split()
)
_EXTERNAL_STEERING: Final = frozenset(("invokecommand", "invokeprovider"))
# Properties whose change is at once one of the machine.
_ASSIGNED: Final = {
    "servercertificatevalidationcallback": (_K.DISABLES_SECURITY, _S.MEDIUM),
    "attributes": (_K.CHANGES_PERMISSIONS, _S.LOW),
    "isreadonly": (_K.CHANGES_PERMISSIONS, _S.LOW),
    "priorityclass": (_K.ENDS_PROCESSES, _S.LOW),
    "processoraffinity": (_K.ENDS_PROCESSES, _S.LOW),
    "defaultwebproxy": (_K.CHANGES_NETWORK, _S.LOW),
} | dict.fromkeys(
    ("creationtime", "lastwritetime", "lastaccesstime", "creationtimeutc", "lastwritetimeutc", "lastaccesstimeutc"),
    (_K.ERASES_TRACES, _S.MEDIUM),
)  # fmt: skip
_STEERING_NAME: Final = re.compile(
    r"\(\s*(?![\"'])|\(\s*[\"'](?:path|psmodulepath|comspec|pathext|windir|systemroot|programfiles|localappdata|cor|coreclr|complus|dotnet)",
    re.IGNORECASE,
)
_LASTING: Final = re.compile(
    r"[\"'](?:machine|user)[\"']\s*\)|target\]::(?:machine|user)", re.IGNORECASE
)
# Types that ask another machine, by the name that they are given.
_ASKS_MACHINES: Final = frozenset(
    "net.dns diagnostics.process serviceprocess.servicecontroller diagnostics.eventlog diagnostics.performancecounter"
    " net.networkinformation.ping microsoft.win32.registrykey management.managementscope net.sockets.tcpclient"
    " diagnostics.eventing.reader.eventlogsession".split()
)
_FILES: Final = re.compile(r"\b(?:get-item|get-childitem|gci|gi|ls|dir)\b|fileinfo")
_PROCESS: Final = re.compile(r"diagnostics\.process|processstartinfo|\bprocess\]")
_SERVICE: Final = re.compile(r"get-service|\bgsv\b|servicecontroller|win32_service")
_TIMER: Final = re.compile(r"stopwatch|timers?\.timer|forms\.timer|dispatchertimer")
# Methods that call what they are given; the name of a method would be called too.
_CALLERS: Final = frozenset(
    "foreach convertall find findall findindex findlast findlastindex removeall trueforall exists sort all any"
    " first last where select sortby orderby".split()
)
_NAMED_METHOD: Final = re.compile(r"(?:\]::\w+|[\w)\]]\.\w+)\s*(?:,|$)")
_CALLBACK: Final = re.compile(r"^(?:add|remove)_\w+$")
_PLAIN_TEXT: Final = re.compile(r"[\"')]$|\.\w+$")


class MemberJudge:
    """Judges the types and members of one script; adds to its reading."""

    def __init__(
        self,
        source: bytes,
        scope: PowershellScope,
        variables: dict[str, Any],
        reading: Reading,
        files: FileJudge,
    ) -> None:
        self._source = source
        self._scope = scope
        self._variables = variables
        self._reading = reading
        self._files = files
        self._makes_log = False  # of a type whose name was computed

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def judge_chain(self, text: str, line: int) -> None:
        """Look for the signs of .NET code in a whole chain of calls."""
        for sign, kind, level in _DANGERS:
            if sign.search(text):
                self._reading.add(kind, level, line, text)
                if kind is _K.RUNS_DYNAMIC_CODE:
                    self._reading.doubt(line, "decodes, compiles or loads code while it runs")

    def judge_type(self, node: Any, line: int) -> None:
        """Judge a type as it is written: a cast, a constraint, or the owner of a static member."""
        parent = node.parent
        called = parent is not None and parent.type in ("invokation_expression", "member_access")
        text = self._text(node)
        for name in list_types(text):
            if name in self._scope.classes:
                continue
            entry = find_type(name)
            if entry is None and not (called and find_static(name, "") is not None):
                self._reading.doubt(line, f"unknown type {name[:80]}")
            elif entry is not None and not called and entry.kind:
                self._record(entry, text, line)
                if parent is not None and parent.type == "cast_expression":
                    self._record(entry, self._text(parent), line)
                    for kind, severity in self._files.judge_stream(self._text(parent), node):
                        self._reading.add(kind, severity, line, text)

    def judge_assembly_type(self, name: str, line: int, shown: str) -> None:
        """Judge New-Object with a type's name."""
        for each in list_types(name):
            entry = find_type(each)
            self._makes_log |= "eventlog" in each and "eventlog" not in shown.lower()
            if each in self._scope.classes:
                continue
            if entry is None:
                self._reading.doubt(line, f"unknown type {each[:80]}")
            else:
                self._record(entry, shown, line)

    def judge_class(self, node: Any, line: int) -> None:
        """Judge the types that a class of the script is made from."""
        names = [self._text(c).lower() for c in node.children if c.type == "simple_name"]
        for name in names[1:]:
            if name not in self._scope.classes and find_type(name) is None:
                self._reading.doubt(line, f"unknown type {name[:80]}")

    def judge_member(self, node: Any, line: int) -> None:
        """Judge a member that is read or set, without a call."""
        if self._source[node.end_byte : node.end_byte + 1] == b"(":
            self.judge_call(node, line)  # an argument of a command: the grammar parts it
            return
        member = self._name_member(node)
        if member in _EXTERNAL_STEERING:
            self._reading.doubt(line, "reaches into the engine that runs the script")
        owner = node.children[0]
        if member and owner.type == "type_literal":  # a method may be named without a call
            name = list_types(self._text(owner))[0]
            if has_effect(name, member):
                self._judge_static(self._text(owner), member, self._text(node), line)

    def judge_assignment(self, left: str, line: int) -> None:
        """Judge a member that is assigned to: `$x.Member = ...`."""
        found = re.search(r"(?:\.|::)\s*[\"']?(\w+)[\"']?\s*[-+*/]?$", left.strip())
        if found and found[1].lower() in _STEERING:
            self._reading.doubt(line, "changes what commands mean")
        if found and (effect := _ASSIGNED.get(found[1].lower())):
            self._reading.add(*effect, line, left)

    def judge_call(self, node: Any, line: int) -> None:
        """Judge a call of a method, static or of an object."""
        owner, text = node.children[0], self._text(node)
        member = self._name_member(node)
        if member is None:
            self._reading.run_dynamic(line, text, "the method is computed while it runs")
            return
        between = self._source[owner.end_byte : owner.end_byte + 8].lstrip()
        static = between.startswith(b"::")
        given = self._list_arguments(node)
        for kind, severity in self._files.judge_call(self._text(owner), member, given, node):
            self._reading.add(kind, severity, line, text)
        if member in _CALLERS and _NAMED_METHOD.search(given):
            self._reading.run_dynamic(line, text, "may call a method that is only named")
        if owner.type == "type_literal" and static:
            self._judge_static(self._text(owner), member, text, line)
        elif static:
            self._judge_static_of_value(owner, member, text, line)
        else:
            self._judge_method(owner, member, node, line)

    def _name_member(self, node: Any) -> str | None:
        found = next((child for child in node.children if child.type == "member_name"), None)
        if found is None:
            return None
        written = self._text(found)
        if re.fullmatch(r"[\w`]+", written):
            return written.replace("`", "").lower()
        folded = fold_value(written, self._variables)
        if folded is None and re.fullmatch(r"'[^']*'|\"[^\"$`]*\"", written):
            folded = unquote(written)
        return folded.lower() if folded is not None else None

    def _judge_static(self, written: str, member: str, text: str, line: int) -> None:
        name = list_types(written)[0]
        if name in self._scope.classes:
            return
        if name in _ASKS_MACHINES and (
            asks_for_computed_name(text) or asks_composed_name(text, self._scope.text)
        ):
            self._reading.add(_K.SENDS_DATA, _S.MEDIUM, line, text)
        entry = find_type(name) if member == "new" else find_static(name, member)
        if entry is None:
            return  # the type is a doubt of its own
        steers = member == "setenvironmentvariable" and _STEERING_NAME.search(text)
        if steers and not _LASTING.search(text):
            self._reading.doubt(line, "changes the environment: other programs may run")
        if entry is RUNS_CODE:
            self._reading.run_dynamic(line, text, f"runs code or programs by {name}::{member[:40]}")
        else:
            self._record(entry, text, line)

    def _judge_static_of_value(self, owner: Any, member: str, text: str, line: int) -> None:
        """Judge `$type::Method()`: known where the type is a constant name."""
        name = fold_value(self._text(owner), self._variables)
        if name is None:
            self._reading.run_dynamic(line, text, "the type of a static method is computed")
        else:
            self.judge_assembly_type(name, line, text)
            self._judge_static(name, member, text, line)

    def _judge_method(self, owner: Any, member: str, node: Any, line: int) -> None:
        text = self._text(node)
        receiver = self._text(owner).strip()
        given = self._list_arguments(node)
        own = receiver.lower() == "$this" and member in self._scope.methods
        if own and self._scope.is_in_method(node.start_byte):
            return
        if member == "gettype" or _CALLBACK.match(member):
            if given and not given.startswith("{") and not self._is_handler(given):
                self._reading.run_dynamic(line, text, f"reflection or callback by {member}")
        elif member in ("foreach", "where"):
            if not given.startswith("{"):
                self._reading.run_dynamic(line, text, "a method by its name for each object")
        elif member in ("invoke", "invokereturnasis"):
            if receiver[:1] != "{" and receiver.lower().strip("${}") not in self._scope.blocks:
                self._reading.run_dynamic(line, text, "invokes what is computed while it runs")
        elif member == "start":
            self._judge_start(text, line)
        elif (
            member == "stop" and self._scope.mentions(_TIMER) and not self._scope.mentions(_SERVICE)
        ):
            return  # a stopwatch or a timer
        else:
            self._look_up(member, receiver, text, line)

    def _list_arguments(self, node: Any) -> str:
        found = next((self._text(c) for c in node.children if c.type == "argument_list"), None)
        if found is None:  # they stand behind the node
            after = self._source[node.end_byte : node.end_byte + 200].decode("utf-8", "replace")
            found = "()" if re.match(r"\(\s*\)", after) else after
        return found[1:-1].strip()

    def _is_handler(self, given: str) -> bool:
        """Say whether an argument is a variable that certainly holds a script block of the text."""
        name = re.fullmatch(r"(?:\[[\w.]+\]\s*)?\$\{?(\w+)\}?", given)
        return name is not None and name[1].lower() in self._scope.blocks

    def _judge_start(self, text: str, line: int) -> None:
        mentions = self._scope.mentions
        if mentions(_PROCESS) or not (mentions(_SERVICE) or mentions(_TIMER)):
            self._reading.run_dynamic(line, text, "starts a program that is not in the text")
        elif mentions(_SERVICE):
            self._reading.add(_K.CHANGES_SERVICES, _S.MEDIUM, line, text)

    def _look_up(self, member: str, receiver: str, text: str, line: int) -> None:
        if clears_log(member, receiver, self._scope) or (member == "clear" and self._makes_log):
            self._reading.add(*ERASURE, line, text)
        entry = find_method(member, self._scope.mentions)
        if member == "replace" and _may_be_file(receiver.lower(), self._scope):
            entry = CommandEntry(_K.WRITES_SYSTEM_FILES, _S.LOW)  # FileInfo.Replace
        if entry is None:
            self._reading.doubt(line, f"unknown method {member[:80]}")
        else:
            self._record(entry, text, line)

    def _record(self, entry: CommandEntry, text: str, line: int) -> None:
        if entry is RUNS_CODE:
            self._reading.run_dynamic(line, text, "makes an object that runs code")
        elif entry.kind is _K.WRITES_SYSTEM_FILES:
            self._reading.add(*judge_path(text), line, text)
        elif entry.kind is _K.DELETES_FILES:
            severity = judge_removal(text)[1]
            self._reading.add(entry.kind, severity, line, text)
        elif entry.kind is not None:
            self._reading.add(entry.kind, entry.severity, line, text)


def _may_be_file(receiver: str, scope: PowershellScope) -> bool:
    """Say whether an object may be a FileInfo, whose Replace is none of text."""
    if _PLAIN_TEXT.search(receiver):
        return receiver.endswith(")") and _FILES.search(receiver) is not None
    return scope.mentions(_FILES)
