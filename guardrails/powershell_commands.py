# SPDX-License-Identifier: Apache-2.0
"""Effects of the commands in a parsed PowerShell script, and what its code keeps from the reader.

A closed world: a command is a function of the script, a cmdlet or program of the tables, or a
doubt. A command or an argument that is computed is folded first; code in a constant
(`-EncodedCommand`, Invoke-Expression, `cmd /c`) is handed on to be analysed.
"""

import re
from typing import Any, Final

from guardrails.command_words import SECURITY_UNIT, STOPS, turns_on
from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_cmdlets import ALIASES, find_cmdlet, find_more, reads_by_its_name
from guardrails.powershell_files import FileJudge, overwrites
from guardrails.powershell_folding import fold_value, put_values
from guardrails.powershell_hosts import HostJudge
from guardrails.powershell_launchers import CmdletJudge
from guardrails.powershell_members import MemberJudge
from guardrails.powershell_paths import FOLDERS, fold_path, judge_download, judge_path
from guardrails.powershell_programs import ProgramJudge, read_name
from guardrails.powershell_quotes import (
    SPLIT_REDIRECTION,
    find_false_quotes,
    find_misread_words,
)
from guardrails.powershell_scope import PowershellScope
from guardrails.powershell_steering import SteeringJudge
from guardrails.script_loops import list_endless_powershell, may_loop_endlessly
from guardrails.script_reading import SCRIPT_FILE, Deadline, Reading
from guardrails.syntax_trees import blank_spans
from guardrails.windows_arguments import COMPUTED_LABEL, asks_for_computed_name
from guardrails.windows_files import harms_volume, is_wide, reads_secrets
from guardrails.windows_hosts import asks_composed_name
from guardrails.windows_programs import bare_name, changes_accounts, find_program

_K, _S = EffectKind, EffectSeverity
_LOOKED_AT: Final = 4096  # characters of a command; the commands inside it are looked at themselves
_AUTORUN_KEY: Final = re.compile(r"\\CurrentVersion\\(?:Run|RunOnce|Winlogon)\b", re.IGNORECASE)
_WIDE_KEY: Final = re.compile(r"[\s\"']HK\w+:\\\S{0,20}[\"']?(?:\s|$)", re.IGNORECASE)
_RECURSES: Final = re.compile(r"-r(?:ecurse)?\b", re.IGNORECASE)
# A string that means the same between double quotes, which programs know too.
_PLAIN_STRING: Final = re.compile(r"(?<![\w\"'])'([^'\"$`\n]{1,400})'(?![\w\"'])")
_NUMBERS: Final = re.compile(r"-?\d[\d.]*(?:\.\.-?\d+)?")
_MODULE_PREFIX: Final = re.compile(
    r"^microsoft\.(?:powershell|wsman|graph)\.[\w.]+\\(?=\w+-\w+$)", re.IGNORECASE
)
_RESOLVERS: Final = frozenset(
    ("resolve-dnsname", "test-connection", "test-netconnection", "tnc", "test-wsman")
)
# The password with which Windows logs on by itself, in clear text.
_AUTOLOGON_KEY: Final = re.compile(r"\\winlogon\b")
_AUTOLOGON_PASSWORD: Final = re.compile(r"\bdefaultp(?:assword\b|\w*\*)")
_ITSELF: Final = re.compile(
    r"\"?\$(?:\()?(?:myinvocation\.mycommand\.(?:path|definition)|pscommandpath)\)?\"?",
    re.IGNORECASE,
)
_SETS_ITSELF: Final = re.compile(r"(?:myinvocation|pscommandpath)(?:\.\w+)*\s*=")
_REQUIRES: Final = re.compile(r"#requires\s.*-(?:modules?|pssnapin|assembly)\b", re.IGNORECASE)
_FOLDER: Final = re.compile(r"(?![^$]*\$)(?!\w{2,}:)[\w.\\/]", re.IGNORECASE)  # of files
_MAX_TARGETS: Final = 64  # of one assignment
_CHANGES: Final = frozenset((_K.WRITES_SYSTEM_FILES, _K.CHANGES_REGISTRY, _K.DELETES_FILES))
_CHANGES_FILES: Final = frozenset((_K.WRITES_SYSTEM_FILES, _K.DELETES_FILES))
_VALUE: Final = re.compile(
    r"\s-(?:value|inputobject|encoding)[\s:]+(?:\"[^\"]*\"|'[^']*'|[^\s\"'();|]+)(?=\s|$)",
    re.IGNORECASE,
)
_TAKES_PATHS: Final = frozenset(
    ("set-location", "push-location", "new-psdrive", "get-item", "get-childitem", "get-content")
)


def _name_variable(written: str) -> str:
    """Return a variable's name as an assignment writes it, without type and scope."""
    name = re.sub(r"^(?:\[[^\]]*\]\s*)*", "", written.strip()).strip("${} ()@").lower()
    return re.sub(r"^(?:script|global|local|private|variable):", "", name)


class PowershellReader:
    """Reads one parsed script.

    `source` is its bytes, `variables` what is constant so far: lower-case name -> value.
    """

    def __init__(self, source: bytes, first_line: int = 1) -> None:
        self._source = source
        self._first_line = first_line
        self.variables: dict[str, Any] = {f"env:{name}": path for name, path in FOLDERS.items()}
        self.variables["profile"] = "C:\\Users\\x\\Documents\\PowerShell\\profile.ps1"
        self.history: list[tuple[int, str, Any]] = []
        self.reading = Reading()

    def read(self, nodes: dict[str, list[Any]], deadline: Deadline) -> Reading:
        """Read the nodes of guardrails.syntax_trees in the order of the text.

        Raises:
            DeadlineError: the time is up.

        """
        self._prepare(nodes)
        kinds = ("assignment", "command", "call", "type", "redirection", "token")
        waiting = [(n.start_byte, kind, n) for kind in kinds for n in nodes.get(kind, [])]
        for start, kind, node in sorted(waiting, key=lambda item: (item[0], -item[2].end_byte)):
            deadline.check()
            line = self._line(node)
            if kind == "assignment":
                self._assign(node)
            elif kind == "command":
                self._judge_command(node, line)
            elif kind == "type":
                self._members.judge_type(node, line)
            elif kind == "call":
                self._judge_call(node, start, line)
            else:
                self._judge_redirection(node, line)
        self._judge_the_rest(nodes)
        return self.reading

    def _prepare(self, nodes: dict[str, list[Any]]) -> None:
        """Gather what the whole script says before its parts are judged."""
        self._scope = PowershellScope(self._source, nodes)
        self._files = FileJudge(self._scope, self.variables)
        self._hosts = HostJudge(self._scope, self.variables, self.reading)
        self._steering = SteeringJudge(self._scope, self.variables, self.reading)
        self._members = MemberJudge(
            self._source, self._scope, self.variables, self.reading, self._files
        )
        self._programs = ProgramJudge(self.variables, self.reading)
        commands = [self._text(node)[:_LOOKED_AT] for node in nodes.get("command", [])]
        self._programs.is_folder_foreign = self._files.enters_foreign_folder(commands)
        self._programs.folders = [each for each in self._files.folders if _FOLDER.match(each)]
        self._cmdlets = CmdletJudge(
            self._source, self._scope, self.variables, self.reading, self._members, self._programs
        )
        self._calls_until = -1

    def _judge_call(self, node: Any, start: int, line: int) -> None:
        if start >= self._calls_until:  # an outer chain of calls holds the text of its parts
            self._calls_until = node.end_byte
            self._members.judge_chain(self._text(node), line)
            self._hosts.judge(self._text(node)[:_LOOKED_AT], line)
        if node.type == "invokation_expression":
            self._members.judge_call(node, line)
        else:
            self._members.judge_member(node, line)

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _line(self, node: Any) -> int:
        return int(node.start_point[0]) + self._first_line

    def _assign(self, node: Any) -> None:
        left, _, right = self._text(node).partition("=")
        line = self._line(node)
        for target in left.split(",")[:_MAX_TARGETS]:  # `$a, $b = ...` sets several
            if "." in target or "::" in target:
                self._members.judge_assignment(target.rstrip("+-*/? "), line)
            self._steering.judge_assignment(_name_variable(target), right, line)
        name = _name_variable(left)
        if not re.fullmatch(r"[\w:]{1,80}", name.rstrip("+")):
            return
        value = fold_value(right.strip(), self.variables)
        if value is None:
            value = fold_path(right, lambda part: fold_value(part, self.variables))
        if name.endswith("+"):
            before = self.variables.get(name[:-1])
            value = before + value if isinstance(before, str) and value else None
            name = name[:-1]
        self.history.append((line, name, value))
        if value is None:
            self._steering.note_computed(name, right)
        if value is None or name in self._scope.unstable:
            self.variables.pop(name, None)
        else:
            self.variables[name] = value

    def _judge_redirection(self, node: Any, line: int) -> None:
        text = self._text(node)
        if node.type == "generic_token":
            if not SPLIT_REDIRECTION.fullmatch(text):
                return
            after = self._source[node.end_byte : node.end_byte + 300].decode("utf-8", "replace")
            text += re.split(r"[\s;|)}]", after, maxsplit=1)[0] if text.endswith(">") else ""
        target = text.lstrip("*0123456789> \t").strip()
        if target.startswith("&") or target.lower() in ("$null", "nul") or "<" in text[:2]:
            return
        appends = ">>" in text[:3]
        self._record(self._files.judge_target(target, node, appends=appends), text, line)
        target = self._put(target)
        self._steering.judge_path(target, line)
        self.reading.add(*judge_path(target), line, text)

    def _put(self, text: str) -> str:
        """Return a text with what its variables certainly hold."""
        return put_values(text, self.variables)

    def _judge_command(self, node: Any, line: int) -> None:
        name_node = node.child_by_field_name("command_name") or next(
            (child for child in node.children if child.type.startswith("command_name")), None
        )
        text = self._text(node)
        if name_node is None:
            self.reading.run_dynamic(line, text, "a command without a name that can be read")
            return
        written = self._text(name_node)
        called = node.children[0].type == "command_invokation_operator"
        if written.startswith("{") and called:
            return  # a script block: its commands are nodes of this very tree
        if _NUMBERS.fullmatch(written):
            return  # a range or a number: no command
        if called and written.lower().strip("${}") in self._scope.blocks and written[:1] == "$":
            return
        if _ITSELF.fullmatch(written) and not self._scope.mentions(_SETS_ITSELF):
            return  # the script runs itself again
        name = read_name(written, self.variables)
        if not name:
            self.reading.run_dynamic(line, text, "the command is computed while it runs")
            return
        rest = self._source[name_node.end_byte : node.end_byte].decode("utf-8", "replace")
        self._judge_name(_MODULE_PREFIX.sub("", name), " " + rest.strip(), node, line)

    def _judge_name(self, name: str, rest: str, node: Any, line: int) -> None:
        text, lower = self._text(node), name.lower()
        plain = ALIASES.get(lower, lower)
        self._judge_text(plain, text[:_LOOKED_AT], node, line)
        if self._scope.has_function([lower]):
            known = plain != lower or find_cmdlet(plain) or self._cmdlets.handles(plain)
            if known:  # it may never be defined, or not any more: then the command runs
                self.reading.doubt(line, f"a function has the name of the command {plain}")
            elif self._scope.defines(lower, node.start_byte):
                return
            else:
                self.reading.doubt(line, f"the function {lower[:60]} may not be defined here")
                return
        if self._cmdlets.judge(plain, rest, node, line):
            return
        entry = find_cmdlet(plain)
        if entry is not None:
            self._judge_cmdlet(plain, rest, node, line)
            if lower != "sc":  # Set-Content, and since PowerShell 6 the program
                return
        self._judge_program(name, rest, node, line)

    def _judge_program(self, name: str, rest: str, node: Any, line: int) -> None:
        text, bare = self._text(node), bare_name(name)
        rest = _PLAIN_STRING.sub(r'"\1"', rest)
        if changes_accounts(bare, self._put(rest)):
            self.reading.add(_K.CHANGES_ACCOUNTS, _S.HIGH, line, text)
        program = find_program(bare, self._put(rest))
        if program is not None and program.kind is _K.WRITES_SYSTEM_FILES:
            self._record(self._files.judge_program(bare, rest, node), text, line)
        if SCRIPT_FILE.search(name) or "\\" in name or "/" in name:
            self._programs.judge_named(name, rest, text, line)
            return
        if self._programs.is_folder_foreign:
            self.reading.doubt(line, f"{bare[:60]} may load libraries of the current folder")
        if not self._programs.judge(name, rest, text, line):
            looks = reads_by_its_name(name.lower())
            reason = "unknown command, a look by its name:" if looks else "unknown command"
            self.reading.doubt(line, f"{reason} {name.lower()[:60]}")

    def _judge_cmdlet(self, name: str, rest: str, node: Any, line: int) -> None:
        entry, text, rest = find_cmdlet(name), self._text(node), self._files.spread(rest)
        if entry is not None and entry.kind is None:
            entry = find_more(name, rest) or entry
        if entry is not None and (entry.kind in _CHANGES or name in _TAKES_PATHS):
            self._steering.judge_target(name, rest, line)
        if entry is None or entry.kind is None:
            return
        kind, severity = entry.kind, entry.severity
        if kind is _K.WRITES_SYSTEM_FILES:
            target = self._find_target(name, self._put(rest))
            kind, severity = judge_path(target, overwrites=overwrites(name, rest))
        if kind is _K.DISABLES_SECURITY and turns_on(rest.split()):
            kind, severity = _K.CHANGES_NETWORK, _S.MEDIUM
        if kind is _K.DELETES_FILES and name == "remove-item":
            severity = self._judge_removal(rest)
        self.reading.add(kind, severity, line, text)
        if entry.kind in _CHANGES_FILES and kind is not _K.CHANGES_REGISTRY:
            self._record(self._files.judge_cmdlet(name, rest, node), text, line)
        if kind is _K.DOWNLOADS and (stored := judge_download(self._put(rest))):
            self.reading.add(*stored, line, text)

    def _judge_removal(self, rest: str) -> EffectSeverity:
        """Say how bad Remove-Item is: by the folders that it or the search before it names."""
        put = self._put(rest)
        if _RECURSES.search(rest):
            return _S.CRITICAL if is_wide(put) or _WIDE_KEY.search(put) else _S.MEDIUM
        return _S.MEDIUM

    @staticmethod
    def _find_target(name: str, rest: str) -> str:
        """Return the part of the arguments that names where a command writes."""
        if name in ("copy-item", "move-item", "expand-archive", "compress-archive"):
            _, named, target = rest.lower().partition(" -dest")
            return target if named else rest.strip().partition(" ")[2]
        return _VALUE.sub(" ", rest)

    def _judge_text(self, name: str, text: str, node: Any, line: int) -> None:
        if reads_secrets(text):
            self.reading.add(_K.READS_CREDENTIALS, _S.HIGH, line, text)
        if harms_volume(text):
            self.reading.add(_K.CHANGES_DISKS, _S.HIGH, line, text)
        writes = name in ("set-itemproperty", "new-itemproperty", "reg", "reg.exe", "new-item")
        if writes and _AUTORUN_KEY.search(text):
            self.reading.add(_K.PERSISTS, _S.HIGH, line, text)
        if SECURITY_UNIT.search(text) and STOPS.search(text):
            self.reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, text)
        if name in ("netsh", "netsh.exe") and re.search(
            r"advfirewall.*\boff\b", text, re.IGNORECASE
        ):
            self.reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, text)
        if name == "new-object":  # calls of methods are nodes of their own
            self._members.judge_chain(text, line)
            self._record(self._files.judge_stream(text, node), text, line)
        if name in _RESOLVERS and self._asks_for_computed_name(text):
            self._record([(_K.SENDS_DATA, _S.MEDIUM)], text, line)
        self._hosts.judge(self._files.spread(text), line)
        self._steering.judge_variable_cmdlet(name, text, line)

    def _asks_for_computed_name(self, text: str) -> bool:
        """Say whether the name that a command asks for is put together, there or before."""
        if asks_for_computed_name(self._put(text)) or asks_composed_name(text, self._scope.text):
            return True
        return "$" in text and self._scope.mentions(COMPUTED_LABEL)

    def _record(self, harms: list[Harm], text: str, line: int) -> None:
        for kind, severity in harms:
            self.reading.add(kind, severity, line, text)

    def _judge_the_rest(self, nodes: dict[str, list[Any]]) -> None:
        """Doubt what no node of a command shows: quotes, required modules, steering variables."""
        for node in nodes.get("comment", []):
            if _REQUIRES.match(self._text(node)):
                self.reading.doubt(self._line(node), "loads a module that is not in the text")
        for node in nodes.get("variable", []):
            self._steering.judge_variable(self._text(node), self._line(node))
        self._steering.judge_script()
        self._hosts.judge_lines(self._source, nodes.get("comment", []), self._first_line)
        if self._scope.mentions(_AUTOLOGON_KEY) and self._scope.mentions(_AUTOLOGON_PASSWORD):
            self.reading.add(_K.READS_CREDENTIALS, _S.HIGH, 1, "Winlogon DefaultPassword")
        for node in nodes.get("class", []):
            self._members.judge_class(node, self._line(node))
        self._doubt_loops(nodes.get("comment", []))
        for line, reason in find_misread_words(self._source, nodes):
            self.reading.doubt(line, reason)
        for line in find_false_quotes(self._source, nodes.get("comment", [])):
            self.reading.doubt(line, "typographic quotes or dashes end strings elsewhere")

    def _doubt_loops(self, comments: list[Any]) -> None:
        if not may_loop_endlessly(self._scope.text):
            return
        spans = [(node.start_byte, node.end_byte) for node in comments]
        code = blank_spans(self._source, spans).decode("utf-8", "replace").lower()
        for line, reason in list_endless_powershell(code):
            self.reading.doubt(line + self._first_line - 1, reason)
