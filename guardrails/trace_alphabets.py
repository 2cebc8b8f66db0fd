# SPDX-License-Identifier: Apache-2.0
"""What the traces of texts and of expressions are written in (guardrails.expression_traces).

As words, a text is without capitals and its white space alike: `My  PC` is `my pc`. As a shape,
its letters and digits are alike: `LT-0123 is` is `a-0000 a`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

_LETTER, _DIGIT, _SPACE = "a", "0", " "
# What `(?i)` takes for one, and no folding into one character does.
_FOLDED: Final = {"\u0130": "i", "\u0131": "i", "\u1e9e": "\u00df"}
# As the expressions' engine has them: its Unicode is newer than Python's.
_LETTER_OR_MARK: Final = regex.compile(r"[\p{L}\p{M}]")
_DECIMAL: Final = regex.compile(r"\d")
_KEPT_CODES: Final = 0x10000  # of the first plane: what is beyond is rare, and much
# By the characters of which several in a row are one.
_ROWS: Final = {rows: re.compile(rf"([{rows}])\1+") for rows in (_LETTER + _SPACE, _SPACE)}
# How rare a character is where another stands before it: -log2 of its share, roughly.
_BITS_OF_SHAPE: Final = {_LETTER: 1.0, _SPACE: 1.0, _DIGIT: 4.0}
_BITS_OF_WORDS: Final = {_SPACE: 1.5} | {
    letter: bits
    for letters, bits in (("etaoinsr", 3.5), ("hldcum", 4.5), ("fpgwybv", 5.5), ("kxjqz", 7.5))
    for letter in letters
}
_OTHER_BITS: Final = 6.0


class _Table(dict[int, str]):
    """What a character is in a trace, told when it is first seen."""

    def __init__(self, read: Callable[[str], str]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, code: int) -> str:
        read = self._read(chr(code))
        if code < _KEPT_CODES:
            self[code] = read
        return read


class _Shares(dict[str, float]):
    """In which share of places a string stands, reckoned when it is first asked for."""

    def __init__(self, bits: Mapping[str, float]) -> None:
        super().__init__()
        self._bits = bits

    def __missing__(self, string: str) -> float:
        self[string] = 2.0 ** -sum(self._bits.get(one, _OTHER_BITS) for one in string)
        return self[string]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alphabet:
    r"""What a trace is written in.

    Attributes:
        table: what a character is in it.
        rows: characters of which several in a row are one.
        classes: what `\d` and letters of any kind are in it, where that is one character.
        shares: in which share of places a string stands, roughly.
        most_joined: how many strings parts in a row may have.
        most_united: how many alternatives may have.

    """

    table: _Table
    rows: str
    classes: dict[str, str]
    shares: _Shares
    most_joined: int
    most_united: int

    def trace(self, text: str) -> str:
        """Return the trace of a text."""
        trace = text.translate(self.table)
        return _ROWS[self.rows].sub(r"\1", trace)

    def join(self, before: str, after: str) -> str:
        """Return the trace of two texts in a row from theirs."""
        is_row = before[-1:] == after[:1] and before[-1:] in self.rows
        return before + after[1:] if is_row else before + after

    def rate(self, strings: frozenset[str]) -> float:
        """Return how unlikely a text has one of some strings, in bits."""
        if not strings or "" in strings:
            return 0.0
        return max(0.0, -math.log2(sum(map(self.shares.__getitem__, strings))))


def _read_shape(character: str) -> str:
    if _LETTER_OR_MARK.match(character):
        return _LETTER
    if _DECIMAL.match(character):
        return _DIGIT
    return _SPACE if character.isspace() else character


def _fold(character: str) -> str:
    if character.isspace():
        return _SPACE
    if character in _FOLDED:
        return _FOLDED[character]
    folded = character.casefold()
    return folded if len(folded) == 1 else character


SHAPES: Final = Alphabet(
    table=_Table(_read_shape),
    rows=_LETTER + _SPACE,
    classes={r"\d": _DIGIT, "letters": _LETTER},
    shares=_Shares(_BITS_OF_SHAPE),
    most_joined=32,
    most_united=96,
)
WORDS: Final = Alphabet(
    table=_Table(_fold),
    rows=_SPACE,
    classes={},
    shares=_Shares(_BITS_OF_WORDS),
    most_joined=48,
    most_united=192,
)
