# SPDX-License-Identifier: Apache-2.0
"""Commands that a Python script runs: the text that a shell's reader then reads."""
# ruff: noqa: E501 - tables

import ast
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from guardrails.python_folding import fold
from guardrails.python_modules import EXEC_CALLS, SPAWN_CALLS

_UNKNOWN: Final = '"$unknown_argument"'
_WINDOWS: Final = re.compile(
    r"(?i)^\"?(?:[a-z]:\\|\S*\.(?:exe|cmd|bat|com)\b|(?:cmd|powershell|pwsh|reg|sc|net|netsh|tasklist|taskkill|wmic|schtasks"
    r"|ipconfig|systeminfo|choco|winget|msiexec|icacls|sfc|dism|gpupdate|wevtutil|bcdedit|vssadmin|driverquery|fsutil|cscript|wscript|rundll32|regsvr32|mshta|certutil|bitsadmin|ver|dir|start|query|quser|w32tm|manage-bde|chkdsk|shutdown /\S*)(?:\s|$))"
)
_COMPUTED: Final = "the command is computed while it runs"
_CHANGES_PROGRAM: Final = frozenset(("executable", "file_actions"))
_MOST_POSITIONAL: Final = {"os.popen": 3, "os.posix_spawn": 3, "os.posix_spawnp": 3, "pty.spawn": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonCommand:
    """A command as code for a shell: None when it is computed, and why then."""

    code: str | None = None
    interpreter: str = "bash"
    doubt: str = ""


def read_command(
    node: ast.Call, name: str, constants: dict[str, Any], folders: Sequence[str | None] = ()
) -> PythonCommand:
    """Return the command of a call of `subprocess.run`, `os.system` and their kin.

    Args:
        node: the call.
        name: what it calls.
        constants: values of names.
        folders: that the script goes to, at any time; None for one that is computed.

    """
    if any(isinstance(each, ast.Starred) for each in node.args) and name not in EXEC_CALLS:
        return PythonCommand(doubt=_COMPUTED)
    if any(each.arg is None or each.arg in _CHANGES_PROGRAM for each in node.keywords):
        return PythonCommand(doubt="the program of a command is given apart")
    takes_many = name in EXEC_CALLS | SPAWN_CALLS or name.endswith("create_subprocess_exec")
    if len(node.args) > _MOST_POSITIONAL.get(name, len(node.args) if takes_many else 1):
        return PythonCommand(doubt="the program of a command is given apart")  # by position
    command = _read_program(node, name, constants) if takes_many else _read(node, name, constants)
    folder = next((each.value for each in node.keywords if each.arg == "cwd"), None)
    if folder is not None and not _is_none(folder):
        command = _enter(command, fold(folder, constants))
    for each in folders:
        command = _enter(command, each)
    return command


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _enter(command: PythonCommand, folder: object) -> PythonCommand:
    """Return a command after another that goes to its folder, so that its paths are joined to it."""
    if (code := command.code) is None:
        return command
    place = _join([folder])
    if command.interpreter == "cmd":
        place = place.replace("'", '"').replace(_UNKNOWN, "%unknown_argument%")
        return replace(command, code=f"cd /d {place}\n{code}")
    return replace(command, code=f"cd {place}\n{code}")


def _read(node: ast.Call, name: str, constants: dict[str, Any]) -> PythonCommand:
    given = node.args[0] if node.args else None
    shell: Any = name.startswith(("os.", "commands.", "platform.")) or name.endswith("shell")
    for keyword in node.keywords:
        if keyword.arg in ("args", "cmd", "command", "argv") and given is None:
            given = keyword.value
        elif keyword.arg == "shell":
            shell = fold(keyword.value, constants)
    return _read_words(fold(given, constants), uses_shell=shell is not False and shell != 0)


def _read_words(command: object, *, uses_shell: bool) -> PythonCommand:
    if isinstance(command, list) and command and isinstance(command[0], (str, bytes)):
        if not uses_shell:
            return _finish(_join(command))
        command = command[0]  # a shell reads the first only, the others are its arguments
    if isinstance(command, str):
        return _finish(command)
    return PythonCommand(doubt=_COMPUTED)


def _read_program(node: ast.Call, name: str, constants: dict[str, Any]) -> PythonCommand:
    values = [
        None if isinstance(each, ast.Starred) else fold(each, constants) for each in node.args
    ]
    if name in SPAWN_CALLS:
        values = values[1:]
    if not values or not isinstance(values[0], str):
        return PythonCommand(doubt=_COMPUTED)
    program, rest = values[0], values[1:]
    if name.endswith("create_subprocess_exec"):
        return _finish(_join([program, *rest]))
    if rest and isinstance(rest[0], list):  # the arguments as a list, the first is the name
        return _finish(_join([program, *rest[0][1:]]))
    if "v" in name.rpartition(".")[2].removeprefix("exec").removeprefix("spawn") or (
        "posix_spawn" in name
    ):
        return PythonCommand(doubt=_COMPUTED)
    return _finish(_join([program, *rest[1:]]))


def _join(words: list[Any]) -> str:
    """Return words as a shell would have to be given them; an unknown one stays unknown."""
    return " ".join(
        shlex.quote(word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word))
        if isinstance(word, (str, bytes, int))
        else _UNKNOWN
        for word in words
    )


def _finish(code: str) -> PythonCommand:
    interpreter = "cmd" if _WINDOWS.search(code.lstrip("\"' ")) else "bash"
    if interpreter == "cmd":
        code = code.replace("'", '"').replace(_UNKNOWN, "%unknown_argument%")
    return PythonCommand(code=code, interpreter=interpreter)
