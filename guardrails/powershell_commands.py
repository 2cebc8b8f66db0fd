# SPDX-License-Identifier: Apache-2.0
"""Effects of the commands in a parsed PowerShell script, and what its code keeps from the reader.

A command or an argument that is computed is folded first; code in a constant (`-EncodedCommand`,
Invoke-Expression, `cmd /c`) is handed on to be analysed, and only what stays unknown is a doubt.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from collections import Counter
from typing import Any, Final

from guardrails.command_effects import POWERSHELL_COMMANDS
from guardrails.command_words import (
    CREDENTIAL_FILE,
    SECURITY_UNIT,
    STOPS,
    only_looks,
    turns_on,
    unquote,
)
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import decode_base64, expand, fold_value
from guardrails.script_reading import INTERPRETERS, SCRIPT_FILE, NestedCode, Reading

_K, _S = EffectKind, EffectSeverity
_LOOKED_AT: Final = 4096  # characters of a command; the commands inside it are looked at themselves
_AUTORUN_KEY: Final = re.compile(r"\\CurrentVersion\\(?:Run|RunOnce|Winlogon)\b", re.IGNORECASE)
_DOTNET_DANGERS: Final = (
    (re.compile(r"DownloadString|DownloadFile|DownloadData|Net\.WebClient|HttpClient", re.IGNORECASE), _K.DOWNLOADS, _S.MEDIUM),
    (re.compile(r"FromBase64String|ScriptBlock\]::Create|Assembly\]::Load|InvokeScript|NewScriptBlock|VirtualAlloc|DynamicInvoke|DllImport|\]::GetDelegateForFunctionPointer", re.IGNORECASE), _K.RUNS_DYNAMIC_CODE, _S.HIGH),
    (re.compile(r"AmsiUtils|amsiInitFailed", re.IGNORECASE), _K.DISABLES_SECURITY, _S.CRITICAL),
    (re.compile(r"\]::(?:Delete|Move)\(", re.IGNORECASE), _K.DELETES_FILES, _S.MEDIUM),
    (re.compile(r"\]::WriteAll\w+\(", re.IGNORECASE), _K.WRITES_SYSTEM_FILES, _S.LOW),
)  # fmt: skip
_WIDE: Final = re.compile(
    r"[\s\"'](?:[A-Za-z]:\\?\*?|(?:C:|\$env:SystemDrive)\\(?:Windows|Users|Program Files)?\\?\*?"
    r"|\$env:(?:SystemRoot|windir|USERPROFILE|ProgramFiles)\\?\*?|HK\w+:\\\S{0,20})[\"']?(?:\s|$)",
    re.IGNORECASE,
)
_ENCODED: Final = re.compile(
    r"\s[-/\u2013\u2014]e(?:c|nc?\w*)?[\s:]+[\"']?([A-Za-z0-9+/=]{4,})", re.IGNORECASE
)
_CODE: Final = re.compile(
    r"\s[-/]c(?:ommand|omman?|om?m?)?(?:[\s:]+)(.*)", re.IGNORECASE | re.DOTALL
)
_ENCODED_FLAG: Final = re.compile(r"\s[-/]e(?:c|nc?\w*)?[\s:]", re.IGNORECASE)
_CMD_CODE: Final = re.compile(r"\s/[ckr]\s*(.*)", re.IGNORECASE | re.DOTALL)
_REMOTE: Final = re.compile(
    r"\s-(?:computer\w*|cn|session|hostname|vmname|filepath|connectionuri)\b", re.IGNORECASE
)
_SET_VARIABLE: Final = re.compile(
    r"\$\{?(?:script:|global:|local:|private:|using:)?(\w+)\}?\s*(?:[-+*/%]|\?\?)?=(?!=)"
)
_SET_OTHERWISE: Final = re.compile(
    r"(?:foreach\s*\(\s*\$|\[ref\]\s*\$|(?:set|new|clear)-variable\s+(?:-name\s+)?[\"']?|\bsv\s+[\"']?"
    r"|-(?:outvariable|ov|variable|pipelinevariable|pv)\s+[\"']?)(\w+)"
)
_ALIASES: Final = {
    "iex": "invoke-expression",
    "icm": "invoke-command",
    "saps": "start-process",
    "start": "start-process",
}
_ASSEMBLY_NAME: Final = re.compile(r"-assembly(?:name)?\b", re.IGNORECASE)
_DOTNET_CODE: Final = frozenset(("rundll32", "mshta", "regsvr32", "wscript", "cscript"))
_KNOWN_ENVIRONMENT: Final = re.compile(
    r"\$\{?env:(?:windir|systemroot|systemdrive|programfiles|programfiles\(x86\)|programdata|programw6432|commonprogramfiles|localappdata|appdata|temp|tmp|userprofile|public|homedrive|comspec)\}?",
    re.IGNORECASE,
)
_NAMED_PROGRAM: Final = re.compile(
    r"(?:^|[\\/])([\w.@+~ -]{1,80}\.(?:exe|com|msc|cpl|ps1|bat|cmd|vbs))$", re.IGNORECASE
)


def _list_unstable(source: bytes) -> frozenset[str]:
    """Return the variables that are set at more than one place, or by a loop or a cmdlet."""
    text = source.decode("utf-8", "replace").lower()
    counts = Counter(_SET_VARIABLE.findall(text))
    return frozenset(
        {name for name, count in counts.items() if count > 1} | set(_SET_OTHERWISE.findall(text))
    )


class PowershellReader:
    """Reads one parsed script.

    `source` is its bytes, `variables` what is constant so far: lower-case name -> value.
    """

    def __init__(self, source: bytes, first_line: int = 1) -> None:
        self._source = source
        self._first_line = first_line
        self.variables: dict[str, Any] = {}
        self.history: list[tuple[int, str, Any]] = []
        self.reading = Reading()

    def read(self, nodes: dict[str, list[Any]]) -> Reading:
        """Read the nodes of guardrails.syntax_trees in the order of the text."""
        self._unstable = _list_unstable(self._source)
        self._functions = {self._text(node).lower() for node in nodes.get("function", [])}
        waiting = [
            (node.start_byte, kind, node)
            for kind in ("assignment", "command", "call")
            for node in nodes.get(kind, [])
        ]
        calls_until = -1
        for start, kind, node in sorted(waiting, key=lambda item: (item[0], -item[2].end_byte)):
            if kind == "assignment":
                self._assign(node)
            elif kind == "command":
                self._judge_command(node)
            elif start >= calls_until:  # an outer chain of calls holds the text of its parts
                calls_until = node.end_byte
                self._judge_dotnet(self._text(node), self._line(node))
        return self.reading

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _line(self, node: Any) -> int:
        return int(node.start_point[0]) + self._first_line

    def _assign(self, node: Any) -> None:
        left, _, right = self._text(node).partition("=")
        name = re.sub(r"^(?:\[[^\]]*\]\s*)*", "", left.strip()).strip("${} ").lower()
        name = re.sub(r"^(?:script|global|local|private):", "", name)
        if not re.fullmatch(r"[\w:]{1,80}", name.rstrip("+")):
            return
        value = fold_value(right.strip(), self.variables)
        if name.endswith("+"):
            before = self.variables.get(name[:-1])
            value = before + value if isinstance(before, str) and value else None
            name = name[:-1]
        self.history.append((self._line(node), name, value))
        if value is None or name in self._unstable:
            self.variables.pop(name, None)
        else:
            self.variables[name] = value

    def _judge_command(self, node: Any) -> None:
        name_node = node.child_by_field_name("command_name") or next(
            (child for child in node.children if child.type.startswith("command_name")), None
        )
        if name_node is None:
            return
        text, line = self._text(node), self._line(node)
        name = self._resolve_name(self._text(name_node))
        if name is None:
            self.reading.run_dynamic(line, text, "the command is computed while it runs")
            return
        shadowed = name in self._functions
        name = _ALIASES.get(name, name)
        if shadowed and name not in POWERSHELL_COMMANDS:
            return
        if shadowed:  # it may never be defined, or not any more: then the command runs
            self.reading.doubt(line, f"a function has the name of the command {name}")
        rest = self._source[name_node.end_byte : node.end_byte].decode("utf-8", "replace")
        self._judge_code(name, " " + rest.strip(), text, line)
        self._judge_text(name, text[:_LOOKED_AT], line)
        arguments = rest.split()
        entry = POWERSHELL_COMMANDS.get(name)
        if entry and not only_looks(name, arguments) and name not in self._judged_apart:
            kind, severity = entry
            if kind is _K.DISABLES_SECURITY and turns_on(arguments):
                kind, severity = _K.CHANGES_NETWORK, _S.MEDIUM
            if kind is _K.DELETES_FILES and re.search(r"-r(?:ecurse)?\b", text, re.IGNORECASE):
                severity = _S.CRITICAL if _WIDE.search(text) else _S.MEDIUM
            self.reading.add(kind, severity, line, text)

    _judged_apart = frozenset(
        ("invoke-expression", "invoke-command", "add-type", "powershell", "powershell.exe", "pwsh",
         "pwsh.exe", "cmd", "cmd.exe", "rundll32", "rundll32.exe", "mshta", "mshta.exe", "wscript",
         "wscript.exe", "cscript", "cscript.exe", "regsvr32", "regsvr32.exe")
    )  # fmt: skip

    def _resolve_name(self, written: str) -> str | None:
        """Return the command's name in lower case without its folder, or None."""
        plain = unquote(written.replace("`", ""))
        if "$" in plain or "(" in plain or "+" in plain:
            folded = fold_value(written, self.variables)
            if folded is None:
                folded = _KNOWN_ENVIRONMENT.sub("env", plain) if "(" not in plain else None
                folded = expand(folded, self.variables) if folded else None
            if folded is None:
                named = _NAMED_PROGRAM.search(plain)
                if named is None or "$(" in plain or "(" in plain:
                    return None
                folded = named[1]  # the folder is computed, the program is named
            plain = unquote(folded)
        return plain.lower().rsplit("\\", 1)[-1].rsplit("/", 1)[-1] or None

    def _judge_code(self, name: str, rest: str, text: str, line: int) -> None:
        """Judge commands that run code which they are handed."""
        bare = name.removesuffix(".exe")
        if name == "invoke-expression":
            self._run_value(re.sub(r"^\s*-c\w*\s+", "", rest).strip(), text, line)
        elif name == "invoke-command":
            if "{" not in rest or re.search(r"\s-filepath\b", rest, re.IGNORECASE):
                self.reading.run_dynamic(line, text, "the script block is not in the text")
            elif _REMOTE.search(rest):
                self.reading.add(_K.REACHES_DEVICES, _S.HIGH, line, text, "T1021.006")
        elif name == "add-type" and not _ASSEMBLY_NAME.search(rest):
            self.reading.run_dynamic(line, text, "compiles or loads code of another language")
        elif bare in ("powershell", "pwsh", "cmd"):
            self._run_shell(bare, rest, text, line)
        elif bare in _DOTNET_CODE and rest.strip():
            reason = "runs code of a file or library that is not in the text"
            self.reading.run_dynamic(line, text, reason, _S.MEDIUM)
        elif name == "start-process":
            self._start_process(rest, text, line)
        elif SCRIPT_FILE.search(name):
            reason = "runs a script that is not in the text"
            self.reading.run_dynamic(line, text, reason, _S.MEDIUM)

    def _run_value(self, expression: str, text: str, line: int) -> None:
        value = fold_value(expression, self.variables) if expression else None
        if value is None and re.fullmatch(r"\"[^\"$`]*\"|'[^']*'", expression):
            value = expression[1:-1]
        if value is None:
            self.reading.run_dynamic(line, text, "runs text that is computed while it runs")
        else:
            self.reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, text)
            self.reading.nested.append(NestedCode(interpreter="powershell", code=value, line=line))

    def _run_shell(self, shell: str, rest: str, text: str, line: int) -> None:
        encoded = _ENCODED.search(rest) if shell != "cmd" else None
        if encoded or (shell != "cmd" and _ENCODED_FLAG.search(rest)):
            self.reading.add(_K.RUNS_DYNAMIC_CODE, _S.CRITICAL, line, text, "T1027.010")
            code = decode_base64(encoded[1]) if encoded else None
            if code is None:
                self.reading.doubt(line, "the encoded command cannot be decoded")
            else:
                self.reading.nested.append(
                    NestedCode(interpreter="powershell", code=code, line=line)
                )
            return
        found = (_CMD_CODE if shell == "cmd" else _CODE).search(rest)
        if (
            not found
            and shell != "cmd"
            and rest.strip()
            and not re.search(r"\s-f", rest, re.IGNORECASE)
        ):
            found = re.search(r"\s((?:[\"'{]|[A-Za-z]).*)$", rest, re.DOTALL)
        if not found:
            if rest.strip():
                reason = "runs a script that is not in the text"
                self.reading.run_dynamic(line, text, reason, _S.MEDIUM)
            return
        self.reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, text)
        code = found[1].strip()
        if code.startswith("{") and code.endswith("}"):
            return  # a script block: its commands are nodes of this very tree
        if code[:1] in "\"'":
            value = fold_value(code, self.variables)
        else:
            value = None if "$" in code and shell != "cmd" else code
            if shell == "cmd" and "$" in code:
                value = expand(_KNOWN_ENVIRONMENT.sub("env", code), self.variables)
        if value is None:
            self.reading.doubt(line, "code for another interpreter is computed while it runs")
        else:
            interpreter = "cmd" if shell == "cmd" else "powershell"
            self.reading.nested.append(NestedCode(interpreter=interpreter, code=value, line=line))

    def _start_process(self, rest: str, text: str, line: int) -> None:
        """Look through Start-Process at the program that it starts."""
        found = re.match(
            r"\s*(?:-(?!f)\w+(?:\s+(?:hidden|minimized|maximized|normal|runas))?\s+)*(?:-file\w*\s+|-f\w*\s+)?(\"[^\"]*\"|'[^']*'|[^\s;|]+)(.*)",
            rest, re.IGNORECASE | re.DOTALL,
        )  # fmt: skip
        name = self._resolve_name(found[1]) if found else None
        if found is None or name is None:
            return  # a program whose name is computed: an effect of its own kind, no code here
        bare = name.removesuffix(".exe")
        arguments = re.sub(r"\s-(?:argument\w*|args?)\s+", " ", found[2], flags=re.IGNORECASE)
        arguments = re.sub(r"(?<=[\"'])\s*,\s*(?=[\"'])", " ", arguments)
        if bare in INTERPRETERS:
            joined = arguments.replace('"', "").replace("'", "")
            joined = re.sub(
                r"\s-(?:wait|nonewwindow|passthru|windowstyle\s+\w+|verb\s+\w+)\b",
                "",
                joined,
                flags=re.IGNORECASE,
            )
            if bare in ("powershell", "pwsh", "cmd"):
                self._run_shell(bare, " " + joined.strip(), text, line)
            else:
                self.reading.run_dynamic(line, text, "runs code of another interpreter", _S.MEDIUM)
        elif SCRIPT_FILE.search(name) or bare in _DOTNET_CODE:
            reason = "runs a script that is not in the text"
            self.reading.run_dynamic(line, text, reason, _S.MEDIUM)
        elif entry := POWERSHELL_COMMANDS.get(name):
            self.reading.add(entry[0], entry[1], line, text)

    def _judge_text(self, name: str, text: str, line: int) -> None:
        if CREDENTIAL_FILE.search(text):
            self.reading.add(_K.READS_CREDENTIALS, _S.HIGH, line, text)
        writes = name in ("set-itemproperty", "new-itemproperty", "reg", "reg.exe", "new-item")
        if writes and _AUTORUN_KEY.search(text):
            self.reading.add(_K.PERSISTS, _S.HIGH, line, text)
        if SECURITY_UNIT.search(text) and STOPS.search(text):
            self.reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, text)
        if name in ("netsh", "netsh.exe") and re.search(
            r"advfirewall.*\boff\b", text, re.IGNORECASE
        ):
            self.reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, text)
        if name in ("net", "net.exe") and re.search(
            r"\b(?:user|localgroup)\b.*\s/(?:add|delete)", text, re.IGNORECASE
        ):
            self.reading.add(_K.CHANGES_ACCOUNTS, _S.HIGH, line, text)
        if name == "new-object":  # calls of methods are nodes of their own
            self._judge_dotnet(text, line)

    def _judge_dotnet(self, text: str, line: int) -> None:
        for sign, kind, level in _DOTNET_DANGERS:
            if sign.search(text):
                self.reading.add(kind, level, line, text)
                if kind is _K.RUNS_DYNAMIC_CODE:
                    self.reading.doubt(line, "decodes, compiles or loads code while it runs")
