# SPDX-License-Identifier: Apache-2.0
"""Programs that a PowerShell script starts, and the code that it hands to other interpreters.

Code in constants is handed on to be analysed; a program that is unknown, stands in an unknown
folder, or is computed is a doubt.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from guardrails.cmd_shells import enter_folders
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import decode_base64, expand, fold_value, put_values
from guardrails.powershell_paths import fold_path, judge_download, judge_path
from guardrails.script_reading import SCRIPT_FILE, NestedCode, Reading
from guardrails.windows_arguments import asks_for_computed_name, split_arguments
from guardrails.windows_files import FILE_PROGRAMS, judge_file_program, judge_share
from guardrails.windows_folders import is_own_folder
from guardrails.windows_hosts import asks_computed_machine, asks_computed_share
from guardrails.windows_programs import (
    LAUNCHERS,
    RESOLVERS,
    bare_name,
    find_program,
    is_system_folder,
    takes_from_elsewhere,
)

_K, _S = EffectKind, EffectSeverity
SHELLS: Final = frozenset(("powershell", "pwsh", "cmd"))
_ENCODED: Final = re.compile(
    r"\s[-/\u2013\u2014\u2015]e(?:c|nc?\w*)?[\s:]+[\"']?([A-Za-z0-9+/=]{4,})", re.IGNORECASE
)
_ENCODED_FLAG: Final = re.compile(r"\s[-/\u2013\u2014\u2015]e(?:c|nc?\w*)?[\s:]", re.IGNORECASE)
_CODE: Final = re.compile(
    r"\s[-/\u2013\u2014\u2015]c(?:ommand|omman?|om?m?)?(?:[\s:]+)(.*)", re.IGNORECASE | re.DOTALL
)
_FILE: Final = re.compile(r"\s[-/\u2013\u2014\u2015]f", re.IGNORECASE)
_CMD_CODE: Final = re.compile(r"\s/[ckr]\s*(.*)", re.IGNORECASE | re.DOTALL)
_START_SWITCHES: Final = re.compile(
    r"\s-(?:wait|nonewwindow|nnw|passthru|windowstyle\s+\w+|verb\s+\w+|loaduserprofile|erroraction\s+\w+|workingdirectory\s+(?:\"[^\"]*\"|'[^']*'|\S+)|redirect\w+\s+(?:\"[^\"]*\"|'[^']*'|\S+))(?=\s|$)",
    re.IGNORECASE,
)
_START: Final = re.compile(
    r"\s*(?:-file\w*[\s:]+|-f\w*[\s:]+|-path[\s:]+)?(\"[^\"]*\"|'[^']*'|\([^()]*\)|[^\s;|,]+)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_WORKING_FOLDER: Final = re.compile(
    r"\s-wo\w*[\s:]+(\"[^\"]*\"|'[^']*'|\([^()]*\)|\S+)", re.IGNORECASE
)
_NAMED_FILE: Final = re.compile(
    r"\s-(?:f|fi|fil|file|filep|filepa|filepat|filepath|path|pspath)[\s:]+(\"[^\"]*\"|'[^']*'|\([^()]*\)|[^\s;|,]+)",
    re.IGNORECASE,
)


class ProgramJudge:
    """Judges the programs of one script; adds to its reading."""

    def __init__(self, variables: dict[str, Any], reading: Reading) -> None:
        self._variables = variables
        self._reading = reading
        self.is_folder_foreign = False  # of what is started by a bare name
        self.folders: Sequence[str] = ()  # that the script enters, as far as they are known

    def judge(self, written: str, rest: str, text: str, line: int) -> bool:
        """Judge a program by its name as written, with its folder; say whether it is known."""
        bare = bare_name(written)
        if SCRIPT_FILE.search(written):
            reason = "runs a script that is not in the text"
            self._reading.run_dynamic(line, text, reason, _S.MEDIUM)
        elif bare in SHELLS:
            self.run_shell(bare, rest, text, line)
        elif bare in LAUNCHERS and (rest.strip() or bare not in ("explorer", "mmc", "ssh")):
            reason = "runs code of a file or library that is not in the text"
            self._reading.run_dynamic(line, text, reason, _S.MEDIUM)
        else:
            return self._look_up(bare, rest, text, line)
        if not is_system_folder(written) and bare in SHELLS | LAUNCHERS:
            self._reading.doubt(line, f"a program in an unknown folder: {written[:60]}")
        return True

    def _look_up(self, bare: str, rest: str, text: str, line: int) -> bool:
        rest = put_values(rest, self._variables)
        entry = find_program(bare, rest)
        if entry is None:
            return False
        names_host = bare in RESOLVERS and asks_for_computed_name(rest)
        if names_host or asks_computed_machine(rest) or asks_computed_share(rest):
            self._reading.add(_K.SENDS_DATA, _S.MEDIUM, line, text)
        if takes_from_elsewhere(bare, rest):
            self._reading.doubt(
                line, f"{bare} reads its commands from a file that is not in the script"
            )
        if entry.kind is _K.WRITES_SYSTEM_FILES:
            self._write_files(bare, rest, text, line)
        elif entry.kind is _K.RUNS_DYNAMIC_CODE:
            self._reading.run_dynamic(line, text, f"{bare} runs what it is given", entry.severity)
        elif entry.kind is not None:
            self._reading.add(entry.kind, entry.severity, line, text)
            if entry.kind is _K.DOWNLOADS and (stored := judge_download(rest)):
                self._reading.add(*stored, line, text)
        return True

    def _write_files(self, bare: str, rest: str, text: str, line: int) -> None:
        if bare in FILE_PROGRAMS:
            harms = judge_file_program(bare, rest)
        else:
            shares = (harm for word in split_arguments(rest) for harm in judge_share(word))
            harms = [judge_path(rest, overwrites=bare not in ("md", "mkdir")), *shares]
        for kind, severity in harms:
            self._reading.add(kind, severity, line, text)

    def run_shell(self, shell: str, rest: str, text: str, line: int) -> None:
        """Hand on the code that another shell is given, in the folders where it may work."""
        before = self.folders
        if shell != "cmd" and (working := _WORKING_FOLDER.search(rest)):
            self.folders = [put_values(working[1], self._variables)]
        self._run_shell(shell, rest, text, line)
        self.folders = before

    def _run_shell(self, shell: str, rest: str, text: str, line: int) -> None:
        encoded = _ENCODED.search(rest) if shell != "cmd" else None
        if encoded or (shell != "cmd" and _ENCODED_FLAG.search(rest)):
            self._reading.add(_K.RUNS_DYNAMIC_CODE, _S.CRITICAL, line, text, "T1027.010")
            code = decode_base64(encoded[1]) if encoded else None
            if code is None:
                self._reading.doubt(line, "the encoded command cannot be decoded")
            else:
                self._hand_on("powershell", code, line)
            return
        found = (_CMD_CODE if shell == "cmd" else _CODE).search(rest)
        if not found and shell != "cmd" and rest.strip() and not _FILE.search(rest):
            found = re.search(r"\s((?:[\"'{]|[A-Za-z]).*)$", rest, re.DOTALL)
        if not found:
            reason = "runs a script that is not in the text"
            if not rest.strip() or re.search(r"\s-\s*$", rest):
                reason = "runs what it is given through a pipe"
            self._reading.run_dynamic(line, text, reason, _S.MEDIUM)
            return
        self._reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, text)
        if re.search(r"[$@(]", rest[: found.start(1)]):
            self._reading.doubt(line, "options of another interpreter are computed")
        self._hand_on_code(shell, found[1].strip(), line)

    def _hand_on_code(self, shell: str, code: str, line: int) -> None:
        if code.startswith("{") and code.endswith("}"):
            return  # a script block: its commands are nodes of this very tree
        if code in ("-", ""):
            self._reading.doubt(line, "runs what it is given through a pipe")
            return
        if code[:1] in "\"'" and fold_value(code, self._variables) is not None:
            value = fold_value(code, self._variables)
        elif "$" in code or "(" in code or "@" in code:
            value = None
            if shell == "cmd":
                value = expand(code, self._variables)
        else:
            value = code
        if value is None:
            self._reading.doubt(line, "code for another interpreter is computed while it runs")
        else:
            entered = "cd ?\n" if shell == "cmd" and self.is_folder_foreign else ""
            self._hand_on("cmd" if shell == "cmd" else "powershell", entered + value, line)

    def _hand_on(self, interpreter: str, code: str, line: int) -> None:
        nested = NestedCode(interpreter=interpreter, code=code, line=line)
        self._reading.nested.append(enter_folders(nested, self.folders))

    def start_process(self, rest: str, text: str, line: int, resolve: Any) -> None:
        """Look through Start-Process at the program that it starts.

        `resolve` returns a written name without quotes and variables, or None.
        """
        plain = _START_SWITCHES.sub("", " " + rest.strip())
        while (shorter := _START_SWITCHES.sub("", plain)) != plain:
            plain = shorter
        working = _WORKING_FOLDER.search(" " + rest)
        before = self.folders
        if working:
            self.folders = [put_values(working[1], self._variables)]
        self._start(plain, text, line, resolve, foreign=self._is_foreign(working))
        self.folders = before

    def _is_foreign(self, working: re.Match[str] | None) -> bool:
        """Say whether a program is started in a folder that others may write into."""
        folder = put_values(working[1], self._variables) if working else ""
        return self.is_folder_foreign or (bool(folder) and not is_own_folder(folder))

    def _start(self, plain: str, text: str, line: int, resolve: Any, *, foreign: bool) -> None:
        named = _NAMED_FILE.search(plain)
        if named:
            written, arguments = named[1], plain[: named.start()] + " " + plain[named.end() :]
        else:
            found = _START.match(plain)
            written, arguments = (found[1], found[2]) if found else ("", "")
        name = resolve(written) if written and not written.startswith(("-", "@")) else None
        if name is None:
            self._reading.run_dynamic(
                line, text, "the program is computed while it runs", _S.MEDIUM
            )
            return
        if foreign and not re.search(r"[\\/]", name):
            self._reading.doubt(line, f"{name[:60]} may be a program of the current folder")
        if re.match(r"(?:https?|ms-[\w-]+|mailto):", name, re.IGNORECASE):
            self._reading.add(_K.DOWNLOADS, _S.LOW, line, text)
            return
        arguments = re.sub(
            r"(?:^|\s)-(?:argument\w*|args?)[\s:]+", " ", arguments, flags=re.IGNORECASE
        )
        arguments = re.sub(r"(?<=[\"'])\s*,\s*(?=[\"'])", " ", arguments)
        joined = " " + arguments.replace('"', "").replace("'", "").strip("() ")
        self.judge_named(name, joined.rstrip(), text, line)

    def judge_named(self, name: str, arguments: str, text: str, line: int) -> None:
        """Judge a program that another one starts, by its name and the text of its arguments."""
        outside = not is_system_folder(name)
        if outside and find_program(bare_name(name), arguments) is not None:
            self._reading.doubt(line, f"a program in an unknown folder: {name[:60]}")
        if not self.judge(name, arguments, text, line):
            self._reading.run_dynamic(line, text, f"unknown program {name[:80]}", _S.MEDIUM)


def _unquote(word: str) -> str:
    return re.sub(r"[\"']", "", word) if "$(" not in word else word


def read_name(written: str, variables: dict[str, Any]) -> str | None:
    """Return a command's name as written, without quotes, backticks and variables, or None.

    A folder that is computed is kept as `?`, for the program itself is named.
    """
    plain = _unquote(written.replace("`", "").strip())
    if not any(sign in plain for sign in "$(+@"):
        return plain
    folded = fold_value(written, variables)
    if folded is None and "(" not in plain:
        folded = expand(plain, variables)
    if folded is None:
        folded = fold_path(written, lambda part: fold_value(part, variables))
    if folded is not None:
        return folded
    named = re.search(
        r"[\\/]([\w.@+~ -]{1,80}\.(?:exe|com|msc|cpl|ps1|bat|cmd|vbs))$", plain, re.IGNORECASE
    )
    return f"?\\{named[1]}" if named and "(" not in plain else None
