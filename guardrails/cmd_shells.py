# SPDX-License-Identifier: Apache-2.0
"""Interpreters that a batch line starts: the code that their arguments hold is handed on.

What is piped in, stands in a file or cannot be decoded is a doubt.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_folding import decode_base64
from guardrails.script_reading import NestedCode, Reading

_K, _S = EffectKind, EffectSeverity
_ENCODED: Final = re.compile(r"\s[-/]e(?:c|nc?\w*)?\s+\"?([A-Za-z0-9+/=]{4,})", re.IGNORECASE)
_ENCODED_FLAG: Final = re.compile(r"\s[-/]e(?:c|nc?\w*)?\s", re.IGNORECASE)
_POWERSHELL_CODE: Final = re.compile(
    r"\s[-/]c(?:ommand|omman?|om?m?)?\s+(.*)", re.IGNORECASE | re.DOTALL
)
_BARE_CODE: Final = re.compile(r"\s([\"&{].*|[A-Za-z].*)$", re.DOTALL)
_POWERSHELL_FILE: Final = re.compile(r"\s-f(?:i|il|ile)?\s", re.IGNORECASE)
_WORKING_FOLDER: Final = re.compile(
    r"\s[-/](?:wo\w*|wd)[\s:]+(?:\"([^\"]*)\"|(\S+))", re.IGNORECASE
)
_CMD_CODE: Final = re.compile(r"\s?/[ckr]\s*(.*)", re.IGNORECASE | re.DOTALL)


def run_shell(
    shell: str, rest: str, command: str, line: int, reading: Reading, folders: Sequence[str] = ()
) -> None:
    """Hand on the code that a shell is given.

    Args:
        shell: `cmd`, `powershell` or `pwsh`.
        rest: its arguments.
        command: all of it.
        line: 1-based.
        reading: added to.
        folders: in which it may work, as written; its code goes there first.

    """
    n_before = len(reading.nested)
    if shell == "cmd":
        _run_cmd(rest, command, line, reading)
    else:
        reading.add(_K.RUNS_DYNAMIC_CODE, _S.MEDIUM, line, command)
        if _ENCODED_FLAG.search(rest + " "):
            _decode(rest, line, reading)
        else:
            _run_powershell(rest, line, reading)
        folders = [*folders, *(each[1] or each[2] for each in _WORKING_FOLDER.finditer(rest))]
    reading.nested[n_before:] = [enter_folders(each, folders) for each in reading.nested[n_before:]]


def enter_folders(code: NestedCode, folders: Sequence[str]) -> NestedCode:
    """Return code behind lines that enter these folders, one after another."""
    plain = [each.strip(" \"'") for each in folders if "\n" not in each]
    if code.interpreter == "cmd":
        before = "".join(f'cd /d "{each}"\n' for each in plain)
    elif code.interpreter == "powershell":
        put = [re.sub(r"%([^%\s]+)%", r"$env:\1", each) for each in plain]
        before = "".join(f'Set-Location "{each}"\n' for each in put if '"' not in each)
    else:
        return code
    return replace(code, code=before + code.code)


def _run_cmd(rest: str, command: str, line: int, reading: Reading) -> None:
    found = _CMD_CODE.search(rest)
    if found is None or not found[1].strip():
        reading.run_dynamic(line, command, "runs what it is given through a pipe", _S.MEDIUM)
        return
    code = _unwrap(found[1])
    reading.nested.append(NestedCode(interpreter="cmd", code=code, line=line))


def _decode(rest: str, line: int, reading: Reading) -> None:
    encoded = _ENCODED.search(rest)
    decoded = decode_base64(encoded[1]) if encoded else None
    if decoded is None:
        reading.doubt(line, "the encoded command cannot be decoded")
    else:
        reading.nested.append(NestedCode(interpreter="powershell", code=decoded, line=line))


def _run_powershell(rest: str, line: int, reading: Reading) -> None:
    found = _POWERSHELL_CODE.search(rest) or _BARE_CODE.search(rest)
    if _POWERSHELL_FILE.search(rest) or found is None or found[1].strip() in ("-", ""):
        reading.doubt(line, "runs a script that is not in the text")
        return
    if re.search(r"[%!]", rest[: found.start(1)]):
        reading.doubt(line, "options of another interpreter are computed")
    written = found[1].strip()
    code = _unwrap(written)
    if code != written:
        code = code.replace('\\"', '"')
    if re.search(r"%%[a-z]|%[~\d*]", code):
        reading.doubt(line, "code for another interpreter holds variables")
    code = re.sub(r"%([^%\s]+)%", r"$env:\1", code)
    reading.nested.append(NestedCode(interpreter="powershell", code=code, line=line))


def _unwrap(written: str) -> str:
    """Return code without the quotes around all of it."""
    code = written.strip()
    return code[1:-1] if len(code) > 1 and code[0] == code[-1] == '"' else code
