# SPDX-License-Identifier: Apache-2.0
"""Effects of a Windows batch script (cmd), by a reader of its lines.

Lines are joined at carets, comments and labels left out, and split at `&`, `&&`, `||`, `|` and
parentheses outside quotes; `if`, `for ... do`, `else`, `call`, `start` are looked through. Code for
other interpreters is handed on; a command that is computed is a doubt.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterator
from typing import Final

from guardrails.command_effects import POWERSHELL_COMMANDS
from guardrails.command_words import CREDENTIAL_FILE, SECURITY_UNIT, STOPS, only_looks
from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import decode_base64
from guardrails.script_reading import SCRIPT_FILE, NestedCode, Reading
from guardrails.shell_folding import fold_cmd, list_unstable

_K, _S = EffectKind, EffectSeverity
_COMMENT: Final = re.compile(r"\s*+(?:@\s*+)?(?:rem(?:\s|$)|::)", re.IGNORECASE)
_LABEL: Final = re.compile(r"\s*:[^:]")
_PART: Final = re.compile(r"\"[^\"\n]*\"?|[^\"&|()\n]+|&&|\|\||.", re.DOTALL)
_WORD: Final = re.compile(r"(?:\"[^\"]*\"?|[^\s\"])+")
_CONDITION: Final = re.compile(
    r"\s*+(?:@\s*+)?(?:if\s+(?:/i\s+)?(?:not\s+)?(?:exist\s+(?:\"[^\"]*\"|\S+)|defined\s+\S+|errorlevel\s+\S+"
    r"|cmdextversion\s+\S+|(?:\"[^\"]*\"|[^\s=\"])++\s*(?:==|\s(?:equ|neq|lss|leq|gtr|geq)\s)\s*(?:\"[^\"]*\"|\S+))"
    r"|else|for\s+(?:/[a-z]\s*)*(?:\"[^\"]*\"\s*)?%%?\S+\s+in|do|call(?!\s*:)|start(?:\s+\"[^\"]*\")?"
    r"(?:\s+/(?:b|min|max|wait|i|low|normal|high|realtime|d\s*\S+))*)(?:\s+|$)",
    re.IGNORECASE,
)
_CONDITION_CHARACTERS: Final = 300
_MAX_COMMAND_CHARACTERS: Final = 65_536
_COMPUTED_NAME: Final = re.compile(r"^[%!][^%!]+[%!]$|^%%?[a-z]$|^%\d|^%\*")
_ACCOUNTS: Final = re.compile(r"\b(?:user|localgroup)\b.*\s/(?:add|del)", re.IGNORECASE)
_ENCODED: Final = re.compile(r"\s[-/]e(?:c|nc?\w*)?\s+\"?([A-Za-z0-9+/=]{4,})", re.IGNORECASE)
_POWERSHELL_CODE: Final = re.compile(
    r"\s[-/]c(?:ommand|omman?|om?m?)?\s+(.*)", re.IGNORECASE | re.DOTALL
)
_CMD_CODE: Final = re.compile(r"\s/[ckr]\s*(.*)", re.IGNORECASE | re.DOTALL)
_OWN_COMMANDS: Final = {
    "del": (_K.DELETES_FILES, _S.MEDIUM),
    "erase": (_K.DELETES_FILES, _S.MEDIUM),
    "rd": (_K.DELETES_FILES, _S.MEDIUM),
    "rmdir": (_K.DELETES_FILES, _S.MEDIUM),
    "move": (_K.WRITES_SYSTEM_FILES, _S.LOW),
    "setx": (_K.CHANGES_REGISTRY, _S.MEDIUM),
    "regini": (_K.CHANGES_REGISTRY, _S.MEDIUM),
    "cmdkey": (_K.READS_CREDENTIALS, _S.MEDIUM),
    "wmic": (_K.RUNS_DYNAMIC_CODE, _S.MEDIUM),
}
_CODE_FILES: Final = frozenset(("mshta", "wscript", "cscript", "rundll32", "regsvr32", "msbuild"))
_SILENT: Final = frozenset(
    "echo set goto exit cd chdir pushd popd setlocal endlocal title color cls pause timeout rem if for"
    " else do in type findstr find ver vol path prompt mode chcp shift break".split()
)
_WIDE_DELETE: Final = re.compile(
    r"(?:^|[\s\"])(?:[a-z]:\\?\*?(?:\.\*)?|%(?:systemdrive|windir|systemroot|userprofile)%\\?\*?(?:\.\*)?"
    r"|[a-z]:\\(?:windows|users|program files)\\?\*?)[\"]?(?:\s|$)",
    re.IGNORECASE,
)


def join_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, statement line): joined at carets, without comments and labels."""
    waiting, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not waiting:
            first = number
            if _COMMENT.match(line) or _LABEL.match(line):
                continue
        stripped = line.rstrip()
        if stripped.endswith("^") and not stripped.endswith("^^") and len(waiting) < 65_536:
            waiting += stripped[:-1] + " "
            continue
        yield first, waiting + line
        waiting = ""
    if waiting:
        yield first, waiting


def list_cmd_effects(text: str) -> tuple[Reading, bool]:
    """Return (what a batch script does, whether its quotes and parentheses match)."""
    reading = Reading()
    variables: dict[str, str] = {}
    unstable = list_unstable(text)
    depth = 0
    for line, statement in join_lines(text):
        folded = fold_cmd(statement, variables, unstable)
        commands, change = _split(folded)
        depth = max(0, depth + change)
        for command in commands:
            _judge(command, line, reading)
    return reading, depth == 0


def _split(statement: str) -> tuple[list[str], int]:
    """Return the simple commands of a statement, and how many parentheses stay open."""
    commands: list[str] = []
    parts: list[str] = []
    tail, depth = "", 0
    for match in _PART.finditer(statement):
        part = match[0]
        ends = part in ("&", "&&", "|", "||", "\n")
        if part == "(" and (not tail.strip() or _CONDITION.search(tail + " ")):
            depth, ends = depth + 1, True
        elif part == ")" and (depth > 0 or not tail.strip()):
            depth, ends = depth - 1, True
        if ends:
            commands.append("".join(parts))
            parts, tail = [], ""
        else:
            parts.append(part)
            tail = (tail + part)[-_CONDITION_CHARACTERS:]
    commands.append("".join(parts))
    return [command for command in commands if command.strip()], depth


def _judge(command: str, line: int, reading: Reading) -> None:
    if len(command) > _MAX_COMMAND_CHARACTERS:
        reading.doubt(line, "a command is too long to be read")
        return
    for _ in range(8):
        match = _CONDITION.match(command)
        if match is None or not match[0].strip():
            break
        command = command[match.end() :]
    command = command.strip().lstrip("@").strip()
    words = _WORD.findall(command)
    if not words:
        return
    name = words[0].strip('"').lower().rsplit("\\", 1)[-1].rsplit("/", 1)[-1]
    if _COMPUTED_NAME.search(name):
        reading.run_dynamic(line, command, "the command is computed while it runs")
        return
    bare = re.sub(r"\.(?:exe|com)$", "", name)
    _judge_text(bare, command, line, reading)
    if bare not in _SILENT:
        _judge_program(bare, name, words, command, line, reading)


def _judge_text(bare: str, command: str, line: int, reading: Reading) -> None:
    if CREDENTIAL_FILE.search(command):
        reading.add(_K.READS_CREDENTIALS, _S.HIGH, line, command)
    if SECURITY_UNIT.search(command) and STOPS.search(command):
        reading.add(_K.DISABLES_SECURITY, _S.HIGH, line, command)
    if bare in ("net", "net1") and _ACCOUNTS.search(command):
        reading.add(_K.CHANGES_ACCOUNTS, _S.HIGH, line, command)


def _judge_program(
    bare: str, name: str, words: list[str], command: str, line: int, reading: Reading
) -> None:
    if bare in ("powershell", "pwsh", "cmd"):
        _run_shell(bare, command[len(words[0]) :], command, line, reading)
    elif bare in _CODE_FILES:
        reason = "runs code of a file or library that is not in the text"
        reading.run_dynamic(line, command, reason, _S.MEDIUM)
    elif SCRIPT_FILE.search(name) or bare in ("python", "py", "perl", "ruby", "node"):
        reason = "runs a script that is not in the text"
        reading.run_dynamic(line, command, reason, _S.MEDIUM)
    else:
        _look_up(bare, name, words[1:], command, line, reading)


def _look_up(
    bare: str, name: str, arguments: list[str], command: str, line: int, reading: Reading
) -> None:
    entry = (
        _OWN_COMMANDS.get(bare) or POWERSHELL_COMMANDS.get(name) or POWERSHELL_COMMANDS.get(bare)
    )
    if entry is None or only_looks(bare, arguments):
        return
    kind, severity = entry
    if kind is _K.DELETES_FILES and re.search(r"(?i)\s/s\b", command):
        severity = _S.CRITICAL if _WIDE_DELETE.search(command) else severity
    reading.add(kind, severity, line, command)


def _run_shell(shell: str, rest: str, command: str, line: int, reading: Reading) -> None:
    rest = " " + rest.strip()
    if shell == "cmd":
        found = _CMD_CODE.search(rest)
        if found is None:
            return
        code = found[1].strip()
        if len(code) > 1 and code[0] == code[-1] == '"':
            code = code[1:-1]
        reading.nested.append(NestedCode(interpreter="cmd", code=code, line=line))
        return
    reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, command)
    if encoded := _ENCODED.search(rest):
        decoded = decode_base64(encoded[1])
        if decoded is None:
            reading.doubt(line, "the encoded command cannot be decoded")
        else:
            reading.nested.append(NestedCode(interpreter="powershell", code=decoded, line=line))
        return
    found = _POWERSHELL_CODE.search(rest) or re.search(r"\s([\"&{].*|[A-Za-z].*)$", rest, re.DOTALL)
    if re.search(r"(?i)\s-f(?:ile?)?\s", rest) or found is None:
        reading.doubt(line, "runs a script that is not in the text")
        return
    code = found[1].strip()
    if len(code) > 1 and code[0] == code[-1] == '"':
        code = code[1:-1].replace('\\"', '"')
    if re.search(r"%[^%\s]+%|%%[a-z]", code):
        code = re.sub(r"%([^%\s]+)%", r"$env:\1", code)
    reading.nested.append(NestedCode(interpreter="powershell", code=code, line=line))
