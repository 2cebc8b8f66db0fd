# SPDX-License-Identifier: Apache-2.0
"""Exact-match signals: the names that mean one thing and must not be matched by resemblance.

Error codes, event ids, KB and CVE numbers, enhanced mail status codes, exit codes, symbolic
constants, versions and file names of programs. A signal is written `kind:value` in one canonical
form, so that `0X80070005`, `0x80070005` and `-2147024891` meet. What a match is worth is left to
the ranking.
"""

import re
from collections.abc import Iterator

MAX_SIGNALS = 64
_KB = re.compile(r"\bKB[ -]?(\d{6,7})\b", re.IGNORECASE)
_CVE = re.compile(r"\bCVE-(\d{4})-(\d{4,7})\b", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"\b0x([0-9a-f]{4,16})\b", re.IGNORECASE)
_NEGATIVE = re.compile(r"(?<![\w.])-(2\d{9})\b")
_EVENT = re.compile(r"\bevent(?:\s+id)?s?[\s:#=]+(\d{1,5})\b", re.IGNORECASE)
_NUMBERED = re.compile(
    r"\b(?:error|exit|return|status|stop|fault)(?:\s+(?:code|number|status))?[\s:#=]+(\d{1,6})\b"
    r"|\bcode[\s:#=]+(\d{1,6})\b",
    re.IGNORECASE,
)
_MAIL = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9]{1,}(?:_[A-Z0-9]{2,}){1,}\b|\bE[A-Z]{4,14}\b")
_VERSION = re.compile(r"(?<![\d.\w])v?(\d{1,4}(?:\.\d{1,6}){1,3})(?![\d.\w])", re.IGNORECASE)
_FILE = re.compile(
    r"\b([\w\-]{2,40}\.(?:exe|dll|sys|msi|ps1|bat|cmd|vbs|sh|service|conf|plist|kext|dmg|deb|rpm))\b",
    re.IGNORECASE,
)


def list_signals(text: str) -> tuple[str, ...]:
    """Return the distinct signals of a text in order of appearance by kind, at most 64."""
    return tuple(dict.fromkeys(_find(text)))[:MAX_SIGNALS]


_PLAIN = (("mail", _MAIL), ("constant", _CONSTANT), ("file", _FILE), ("version", _VERSION))


def _find(text: str) -> Iterator[str]:
    yield from (f"kb:{match[1]}" for match in _KB.finditer(text))
    yield from (f"cve:{match[1]}-{match[2]}" for match in _CVE.finditer(text))
    yield from (f"code:0x{int(match[1], 16):x}" for match in _HEXADECIMAL.finditer(text))
    yield from (f"code:0x{2**32 - int(match[1]):x}" for match in _NEGATIVE.finditer(text))
    yield from (f"event:{int(match[1])}" for match in _EVENT.finditer(text))
    yield from (f"number:{int(match[1] or match[2])}" for match in _NUMBERED.finditer(text))
    for kind, pattern in _PLAIN:
        yield from (
            f"{kind}:{(match[1] if match.re.groups else match[0]).lower()}"
            for match in pattern.finditer(text)
        )
