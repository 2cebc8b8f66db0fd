# SPDX-License-Identifier: Apache-2.0
"""Loops of batch and PowerShell scripts that never end and never wait: they take a device's time.

What may leave a loop, or makes it wait, is looked for by its words; a loop without any is told of.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_LABEL: Final = re.compile(r"[\s;,=]*:([^\s:;,=+&|<>()]+)")
_GOTO: Final = re.compile(r"\bgoto[\s:;,=]+([^\s:;,=+&|<>()]+)", re.IGNORECASE)
_CMD_LEAVES: Final = re.compile(
    r"\b(?:exit|timeout|ping|pause|choice|waitfor|sleep|shutdown|set\s*/p|start\s.*/w(?:ait)?)\b",
    re.IGNORECASE,
)
_COUNTS: Final = re.compile(
    r"\bfor\s+/l\s+%%?\S\s+in\s*\(\s*(?:(-?\d+)[\s,;]+(-?\d+)[\s,;]+(-?\d+))?\s*\)", re.IGNORECASE
)
_MANY: Final = 1_000_000
_ENDLESS: Final = re.compile(
    r"(?:\bwhile\s*\(\s*(?:\$true|[1-9]\d*|-not\s+\$false|!\s*\$false)\s*\)|\bfor\s*\(\s*[^;()]*;\s*(?:\$true)?\s*;[^()]*\))\s*\{"
    r"|\bdo\s*\{(?=[^{}]*\}\s*while\s*\(\s*\$true\s*\))"
)
_POWERSHELL_LEAVES: Final = re.compile(
    r"\b(?:break|return|exit|throw|start-sleep|sleep|read-host|wait-\w+|receive-job|trap)\b"
    r"|::sleep\(|\.(?:wait\w*|read\w*|accept\w*|getcontext|join)\(|-wait\b"
)
_BRACE: Final = re.compile(r"[{}]")
_REASON: Final = "a loop without an end never waits"
_MAX_BODY: Final = 65_536
_MAX_LOOPS: Final = 200


def list_endless_cmd(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, reason) for the loops of a batch script that do not end.

    Args:
        lines: numbered logical lines, labels among them.

    """
    labels: dict[str, int] = {}
    for position, (number, text) in enumerate(lines):
        if label := _LABEL.match(text):
            labels[label[1].lower()] = position
            continue
        for start, step, last in _COUNTS.findall(text):
            if not step or not int(step) or abs((int(last) - int(start)) // int(step)) > _MANY:
                yield number, "a loop counts without an end"
        for found in _GOTO.finditer(text):
            begun = labels.get(found[1].lower())
            if begun is None or position - begun > _MAX_LOOPS:
                continue
            body = "\n".join(each for _, each in lines[begun : position + 1])
            if len(_GOTO.findall(body)) == 1 and not _CMD_LEAVES.search(body):
                conditional = re.match(r"[\s@(]*(?:if|for)\b", text, re.IGNORECASE)
                if conditional is None:
                    yield number, _REASON


def may_loop_endlessly(text: str) -> bool:
    """Say whether a PowerShell script, in lower case, has a loop without a condition at all."""
    return _ENDLESS.search(text) is not None


def list_endless_powershell(text: str) -> Iterator[tuple[int, str]]:
    """Yield (1-based line, reason) for the loops of a PowerShell script that do not end.

    Args:
        text: in lower case, without comments.

    """
    for count, found in enumerate(_ENDLESS.finditer(text)):
        if count >= _MAX_LOOPS:
            return
        body = _cut_block(text, found.end())
        if not _POWERSHELL_LEAVES.search(body):
            yield text.count("\n", 0, found.start()) + 1, _REASON


def _cut_block(text: str, start: int) -> str:
    """Return the text up to the brace that closes the one before `start`."""
    depth = 1
    for found in _BRACE.finditer(text, start, start + _MAX_BODY):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return text[start : found.start()]
    return text[start : start + _MAX_BODY]
