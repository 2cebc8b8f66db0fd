# SPDX-License-Identifier: Apache-2.0
"""Untrusted text made plain: nothing that steers a terminal, a browser or a reader's eye.

Removed: terminal escape sequences, control characters but tab and newline, every Unicode format
character (bidirectional overrides, zero-width characters, tags, soft hyphens), and what Unicode
calls default ignorable (variation selectors, fillers, joiners), which hide text or break up words
that masking looks for. Lone surrogates become U+FFFD, the blank of Braille a space.
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
# Default_Ignorable_Code_Point of Unicode 15.1, as far as Python calls it printable.
_IGNORABLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BRAILLE_BLANK: Final = "\u2800"
_MARK_RUN: Final = re.compile(
    r"([\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]{4})[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff]+"
)


def plain_text(text: str) -> str:
    """Return the text without escape sequences, control, format and surrogate characters."""
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))
    if not text.isascii():
        text = _IGNORABLE.sub("", text).replace(_BRAILLE_BLANK, " ")
        text = _MARK_RUN.sub(r"\1", text)
    return "".join(_plain_character(character) for character in text)


def _plain_character(character: str) -> str:
    if character in _KEPT or character.isprintable():
        return character
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    return "\ufffd" if category == "Cs" else ""
