# SPDX-License-Identifier: Apache-2.0
"""Finds what is known to be personal wherever it stands as a word, however much is known.

Each is looked up by its first word and its length, so that a text is read once, whatever the number
of originals, and however many begin alike.
"""

import re
from collections.abc import Iterator
from typing import Final

from guardrails.findings import Span
from guardrails.pattern_parts import PSEUDONYM, SYSTEM_ACCOUNTS
from guardrails.stretches import Stretches

MIN_CHARACTERS: Final = 2  # a single letter is in every text
_WORD: Final = re.compile(r"[^\W_]+")


class KnownOriginals:
    """Originals that are masked wherever they stand."""

    def __init__(self) -> None:
        # By the first word; by characters before it and in all: originals in lower case, entities.
        self._by_word: dict[str, dict[tuple[int, int], dict[str, dict[str, None]]]] = {}
        self._by_mark: dict[tuple[str, str], None] = {}  # those that have no word at all

    def add(self, entity: str, original: str) -> None:
        """Look for an original from now on; accounts that every system has are left out."""
        bare = original.strip().lower()
        if len(bare) < MIN_CHARACTERS or bare in SYSTEM_ACCOUNTS:
            return
        word = _WORD.search(bare)
        if word is None:
            self._by_mark[entity, bare] = None
        else:
            shapes = self._by_word.setdefault(word.group(), {})
            shapes.setdefault((word.start(), len(bare)), {}).setdefault(bare, {})[entity] = None

    def find(self, text: str) -> Iterator[Span]:
        """Yield the places of originals, outside of pseudonyms; they may overlap."""
        if not self._by_word and not self._by_mark:
            return
        taken = Stretches(match.span() for match in PSEUDONYM.finditer(text))
        lower = _lower(text)
        for start, end, entity in (*self._find_words(lower), *self._find_marks(lower)):
            if not taken.touch(start, end):
                yield start, end, entity

    def _find_words(self, lower: str) -> Iterator[Span]:
        for match in _WORD.finditer(lower) if self._by_word else ():
            for (before, length), originals in self._by_word.get(match.group(), {}).items():
                start = match.start() - before
                end = start + length
                if start < 0 or not _is_apart(lower, start, end):
                    continue
                for entity in originals.get(lower[start:end], ()):
                    yield start, end, entity

    def _find_marks(self, lower: str) -> Iterator[Span]:
        for entity, original in self._by_mark:
            start = lower.find(original)
            while start >= 0:
                end = start + len(original)
                if _is_apart(lower, start, end):
                    yield start, end, entity
                start = lower.find(original, end)


def _lower(text: str) -> str:
    """Return a text in lower case, each character in its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := one.lower()) == 1 else one for one in text)


def _is_apart(text: str, start: int, end: int) -> bool:
    """Say whether no letter or digit touches a stretch."""
    return not (text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum())
