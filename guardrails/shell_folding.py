# SPDX-License-Identifier: Apache-2.0
"""Constant folding of bash and cmd text, statement by statement: variables, escapes, encodings.

Used to see signs through simple disguises; what stays unknown is left as it is written. Patterns
are bounded, and a statement is folded a fixed number of times, so that time is linear.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from guardrails.powershell_folding import decode_base64

MAX_STATEMENT_CHARACTERS: Final = 65_536
_BASH_ASSIGNMENT: Final = re.compile(
    r"(?:^|[;&]\s*|\bexport\s+|\blocal\s+|\bdeclare\s+)(\w{1,60})=(?:'([^']*)'|\"([^\"$`\\]*)\"|([^\s;&|$`'\"()]+))(?=\s|;|&|$)"
)
_BASH_VARIABLE: Final = re.compile(r"\$\{(\w{1,60})(?::(-?\d{1,4})(?::(\d{1,4}))?)?\}|\$(\w{1,60})")
_ESCAPED_TEXT: Final = re.compile(r"\$'((?:[^'\\]|\\.)*)'")
_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|([0-7]{1,3})|(.))", re.DOTALL
)
_SURROGATES: Final = range(0xD800, 0xE000)
_SIMPLE: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b"}
_EMPTY_QUOTES: Final = re.compile(r"(?<=\w)(?:''|\"\")(?=\w)")
_JOINED_QUOTES: Final = re.compile(r"(?<=\w)[\"'](?=\w)|(?<=[\w/])\\(?=[A-Za-z])")
_PRINTED: Final = re.compile(
    r"\$\(\s*(?:echo|printf)\s+(?:-n\s+)?[\"']?([^\"'$`()|]{1,2000})[\"']?\s*\)"
)
_ENCODED: Final = re.compile(
    r"(?:echo|printf)\s+(?:-n\s+)?[\"']?([A-Za-z0-9+/=]{8,})[\"']?\s*\|\s*(?:base64\s+(?:-d|-D|--decode|-di)\b|openssl\s+(?:enc\s+-)?base64\s+-d)"
)
_CMD_ASSIGNMENT: Final = re.compile(
    r"(?:^|[&|(]\s*|\bdo\s+)@?set\s+\"?([^=\s\"/]{1,60})=([^\"&|\r\n]*)\"?", re.IGNORECASE
)
_CMD_SET: Final = re.compile(r"\bset\s+(/[pa]\s+)?\"?([^=\s\"/]{1,60})=", re.IGNORECASE)
_CMD_VARIABLE: Final = re.compile(
    r"%([^%\s:~\"]{1,60})(?::~(-?\d{1,4})(?:,(-?\d{1,4}))?|:([^=%]{1,40})=([^%]{0,40}))?%"
    r"|!([^!\s:~\"]{1,60})(?::~(-?\d{1,4})(?:,(-?\d{1,4}))?)?!"
)
_CMD_KNOWN: Final = {
    "comspec": "C:\\WINDOWS\\system32\\cmd.exe",
    "pathext": ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC",
    "programfiles": "C:\\Program Files",
    "public": "C:\\Users\\Public",
    "os": "Windows_NT",
}


def decode_escapes(text: str) -> str:
    r"""Return text with bash's `$'...'` escapes (`\x41`, `\101`, `\n`) replaced."""

    def put(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            code = int(match[1] or match[2], 16)
            return chr(code) if code not in _SURROGATES else "?"
        if match[3]:
            return chr(int(match[3], 8))
        return _SIMPLE.get(match[4], match[4])

    return _ESCAPE.sub(put, text)


def fold_bash(statement: str, variables: dict[str, str]) -> str:
    """Return a bash statement folded; constants that it assigns are added to `variables`."""
    if len(statement) > MAX_STATEMENT_CHARACTERS:
        return statement
    folded = statement
    if "$'" in folded:
        folded = _ESCAPED_TEXT.sub(lambda match: decode_escapes(match[1]), folded)
    if "$" in folded and variables:
        folded = _BASH_VARIABLE.sub(lambda match: _put_bash(match, variables), folded)
    if "=" in folded:
        for match in _BASH_ASSIGNMENT.finditer(folded):
            variables[match[1]] = (match[2] or match[3] or match[4] or "")[:2000]
    if "\\" in folded or "'" in folded or '"' in folded:
        folded = _JOINED_QUOTES.sub("", _EMPTY_QUOTES.sub("", folded))
    if "$(" in folded:
        folded = _PRINTED.sub(lambda match: match[1], folded)
    if encoded := _ENCODED.search(folded):
        folded += f" ; {decode_base64(encoded[1]) or ''}"
    return folded


def _put_bash(match: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(match[1] or match[4])
    if value is None:
        return match[0]
    if match[2] is None:
        return value
    start = int(match[2])
    return value[start:][: int(match[3])] if match[3] else value[start:]


def list_unstable(text: str) -> frozenset[str]:
    """Return the variables of a cmd script that are set at more than one place, or by input."""
    names = [(match[1] or "", match[2].lower()) for match in _CMD_SET.finditer(text)]
    counts = Counter(name for _, name in names)
    return frozenset(name for option, name in names if option or counts[name] > 1)


def fold_cmd(
    statement: str, variables: dict[str, str], unstable: frozenset[str] = frozenset()
) -> str:
    """Return a cmd statement folded; what it sets is added to `variables`, but not `unstable`."""
    if len(statement) > MAX_STATEMENT_CHARACTERS:
        return statement
    folded = statement.replace("^", "") if "^" in statement else statement
    if "%" in folded or "!" in folded:
        folded = _CMD_VARIABLE.sub(lambda match: _put_cmd(match, variables), folded)
    for match in _CMD_ASSIGNMENT.finditer(folded):
        if match[1].lower() not in unstable:
            variables[match[1].lower()] = match[2].strip()[:2000]
    if '""' in folded:
        folded = _EMPTY_QUOTES.sub("", folded)
    return folded


def _put_cmd(match: re.Match[str], variables: Mapping[str, str]) -> str:
    name = (match[1] or match[6]).lower()
    value = variables.get(name)
    start, length = (match[2], match[3]) if match[1] else (match[7], match[8])
    if value is None and (start is not None or match[4]):
        value = _CMD_KNOWN.get(name)
    if value is None:
        return match[0]
    if match[4]:
        return value.replace(match[4], match[5] or "")
    if start is None:
        return value
    part = value[int(start) :]
    return part[: int(length)] if length else part
