# SPDX-License-Identifier: Apache-2.0
"""Reads the words for streets from the expressions that have them as alternatives."""

import re
from collections.abc import Iterator
from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.trace_alphabets import WORDS

_LAST_GROUP: Final = re.compile(r"\(\?:([^()]*)\)\Z")
_OPTIONAL: Final = re.compile(r"(.)\?")
_ESCAPED: Final = re.compile(r"\\u([0-9a-f]{4})")
_UNREAD: Final = re.compile(r"[\[\]{}*+^$]")
_LETTERS: Final = regex.compile(r"\p{L}+")


def list_last_words(expression: str) -> Iterator[str]:
    """Yield the last words of the alternatives with which an expression ends, folded.

    Raises:
        ValueError: they are no plain words, `x?` and `[ ]` apart.

    """
    group = _LAST_GROUP.search(expression)
    if group is None:
        raise ValueError(f"no list of words for streets: {expression}")
    for one in group[1].split("|"):
        written = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), one.replace("[ ]", " "))
        if _UNREAD.search(written):
            raise ValueError(f"no word for a street: {one}")
        for form in (_OPTIONAL.sub("", written), _OPTIONAL.sub(r"\1", written)):
            yield from _LETTERS.findall(WORDS.trace(form))[-1:]
