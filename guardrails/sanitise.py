# SPDX-License-Identifier: Apache-2.0
"""Untrusted text made plain: nothing that steers a terminal, a browser or a reader's eye.

Removed: terminal escape sequences, control characters but tab and newline, and every Unicode
format character (bidirectional overrides, zero-width characters, tags, soft hyphens), which hide
text or break up words that masking looks for. Lone surrogates become U+FFFD.
"""

import re
import unicodedata
from typing import Final

# ECMA-48: CSI sequences, OSC/DCS/APC/PM/SOS strings with their terminator, two-byte escapes.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_LINE_ENDS: Final = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_KEPT: Final = frozenset("\t\n")
# Combining marks may stack without bound and cover other lines; ordinary text needs few.
_MARK_RUN: Final = re.compile(
    r"([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{4})[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def plain_text(text: str) -> str:
    """Return the text without escape sequences, control, format and surrogate characters."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    if not text.isascii():
        text = _MARK_RUN.sub(r"\1", text)
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character in _KEPT or character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    return "\ufffd" if category == "Cs" else ""
