# SPDX-License-Identifier: Apache-2.0
"""A script as statements in which signs are looked for: line by line, folded where that says more.

Works on the text and needs no syntax tree, so that a syntax error hides nothing from it. Comments
are blanked by the caller where the tree knows them. Each statement comes with its 1-based line.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from guardrails.cmd_commands import join_lines
from guardrails.powershell_folding import decode_base64, fold_statement
from guardrails.shell_folding import fold_bash, fold_cmd

_MAX_JOINED: Final = 16_384
_CONTINUES: Final = {
    "powershell": re.compile(r"(?:`|\||,)\s*$"),
    "bash": re.compile(r"\\$|(?:\||&&)\s*$"),
}
_COMPUTES: Final = re.compile(
    r"['\"]\s*\+|\+\s*['\"(\[]|-f\s*['\"(\[$]|-join|-c?split|-[ci]?replace|\[char|frombase64|::join"
    r"|\.replace\(|\.substring\(|\.insert\(|\[-?\d+(?:,|\.\.)|'\s*\*\s*\d|-bxor",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"\$\{?(\w{1,80})\}?(?![\w(.\[]|:\w|\s*[+]?=(?!=))")
_BLOB: Final = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,}={0,2}(?![A-Za-z0-9+/=])")
_DECODES: Final = re.compile(r"base64|b64|-e(?:c|nc?\w*)?\s", re.IGNORECASE)
_MAX_BLOBS: Final = 16


def list_statements(
    interpreter: str, text: str, history: Sequence[tuple[int, str, Any]] = ()
) -> Iterator[tuple[int, str]]:
    """Yield (line, statement) as written, and again in folded form where that differs.

    Args:
        interpreter: powershell, bash, zsh, cmd; another one is read line by line.
        text: the script, comments blanked where known.
        history: PowerShell's constant assignments, (line, lower-case name, value or None).

    """
    if interpreter == "cmd":
        yield from _fold_each(join_lines(text), fold_cmd)
    elif interpreter in ("bash", "zsh"):
        yield from _fold_each(_join(text, _CONTINUES["bash"]), fold_bash)
    elif interpreter == "powershell":
        yield from _fold_powershell(text, history)
    else:
        yield from enumerate(text.split("\n"), start=1)


def _join(text: str, continues: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    waiting, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() and not waiting:
            continue
        first = number if not waiting else first
        if len(waiting) < _MAX_JOINED and len(line) < _MAX_JOINED and continues.search(line[-200:]):
            waiting += line.rstrip("\\` ") + " "
            continue
        yield first, waiting + line
        waiting = ""
    if waiting:
        yield first, waiting


def _fold_each(statements: Iterator[tuple[int, str]], fold: Any) -> Iterator[tuple[int, str]]:
    variables: dict[str, str] = {}
    for line, statement in statements:
        yield line, statement
        folded = fold(statement, variables)
        if folded != statement:
            yield line, folded
        yield from _decode_blobs(line, statement)


def _fold_powershell(
    text: str, history: Sequence[tuple[int, str, Any]]
) -> Iterator[tuple[int, str]]:
    variables: dict[str, Any] = {}
    position = 0
    for line, statement in _join(text, _CONTINUES["powershell"]):
        while position < len(history) and history[position][0] <= line:
            _, name, value = history[position]
            if value is not None or line == history[position][0]:
                variables[name] = value
            position += 1
        yield line, statement
        folded = statement.replace("`", "") if "`" in statement else statement
        if "$" in folded and variables:
            folded = _VARIABLE.sub(lambda match: _put(match, variables), folded)
        if _COMPUTES.search(folded):
            folded = fold_statement(folded, variables)[0]
        if folded != statement:
            yield line, folded
        yield from _decode_blobs(line, folded)


def _put(match: re.Match[str], variables: dict[str, Any]) -> str:
    value = variables.get(match[1].lower())
    return value if isinstance(value, str) and len(value) < 2048 else match[0]


def _decode_blobs(line: int, statement: str) -> Iterator[tuple[int, str]]:
    """Yield the text of base64 that stands beside a word for decoding."""
    if len(statement) < 24 or not _DECODES.search(statement[:_MAX_JOINED]):
        return
    for count, match in enumerate(_BLOB.finditer(statement)):
        if count >= _MAX_BLOBS:
            return
        decoded = decode_base64(match[0])
        if decoded:
            yield from ((line, each) for each in decoded.split("\n")[:512] if each.strip())
