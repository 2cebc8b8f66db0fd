# SPDX-License-Identifier: Apache-2.0
"""Which words are ones of English but for a letter, in time that hostile words do not stretch.

A word of n letters has some 53 n neighbours. Nearly all begin or end as no word does, so they are
not made: only where what stands before and behind a letter could be of a word is it exchanged.
"""

from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from guardrails.plain_words import is_plain, read_plain_words
from guardrails.vocabulary import read_english, read_names

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_MIN_LETTERS: Final = 5  # of a word that somebody may have meant
_EDGE: Final = 4  # letters by which beginnings and ends are known
# With what a plain word is one, too (guardrails.plain_words).
_INFLECTIONS: Final = ("s", "es", "ed", "ly", "d", "y")
# Ends of words that no list has.
_ENDINGS: Final = tuple(
    f"{ending}{plural}"
    for ending in (
        "ing", "tion", "sion", "ment", "ness", "ally", "edly", "ently", "ively", "ously", "fully",
        "lessly", "ated", "ized", "ised", "ified", "able", "ible", "ities", "ative", "ional",
        "ience", "ically", "eness", "urable", "rupted",
    )
    for plural in ("", "s")
)  # fmt: skip
_LONGEST_ENDING: Final = max(map(len, _ENDINGS)) + 1
_CACHED_WORDS: Final = 20_000


class _Known(NamedTuple):
    """Words that somebody may have meant; how they, and parts of them, begin and end."""

    words: frozenset[str]
    heads: frozenset[str]
    tails: frozenset[str]


@cache
def _read_known() -> _Known:
    plain = read_plain_words()
    given, family = read_names()
    inflected = {word + ending for word in plain for ending in _INFLECTIONS}
    words = frozenset(
        word
        for word in (read_english() | plain | inflected) - given - family
        if len(word) >= _MIN_LETTERS and (word in read_english() or is_plain(word))
    )
    heads = frozenset(word[:length] for word in words for length in range(_EDGE + 1))
    tails = frozenset(word[len(word) - length :] for word in words for length in range(_EDGE + 1))
    return _Known(words, heads, tails)


def load_words() -> None:
    """Read the words that somebody may have meant, so that the first text need not wait."""
    _read_known()
    _list_bent_endings()


@cache
def _list_bent_endings() -> frozenset[str]:
    """Return the endings, and what they are with one letter exchanged, added or left out."""
    bent = set(_ENDINGS)
    for ending in _ENDINGS:
        bent.update(_list_neighbours(ending, 0))
    return frozenset(bent)


@lru_cache(maxsize=_CACHED_WORDS)
def is_misspelt(word: str) -> bool:
    """Say whether a lower-case word is one of ours, but for a letter; names do not count."""
    word = word.replace("\u2019", "'").removesuffix("'s")
    if "-" in word:
        parts = word.split("-")
        return any(
            (len(part) < _MIN_LETTERS or is_plain(part) or is_misspelt(part))
            and all(not one or is_plain(one) for one in (*parts[:place], *parts[place + 1 :]))
            for place, part in enumerate(parts)
        )
    if _has_neighbour(word, _read_known()):
        return True
    bent = _list_bent_endings()
    if not any(word[-length:] in bent for length in range(2, _LONGEST_ENDING + 1)):
        return False
    given, family = read_names()
    first = max(len(word) - _LONGEST_ENDING, 0)
    return any(
        len(near) >= _MIN_LETTERS
        and near.endswith(_ENDINGS)
        and near not in given
        and near not in family
        and is_plain(near)
        for near in _list_neighbours(word, first)
    )


def _has_neighbour(word: str, known: _Known) -> bool:
    """Say whether a known word is one letter away: only those are made that begin and end so."""
    words, heads, tails = known
    for cut in range(len(word) + 1):
        before, after = word[:cut], word[cut:]
        if before[:_EDGE] not in heads:
            return False
        rest = after[1:]
        if after and rest[-_EDGE:] in tails:
            if before + rest in words:
                return True
            if not words.isdisjoint([f"{before}{one}{rest}" for one in _LETTERS]):
                return True
        if after[-_EDGE:] in tails and not words.isdisjoint(
            [f"{before}{one}{after}" for one in _LETTERS]
        ):
            return True
        if rest and f"{before}{rest[0]}{after[0]}{rest[1:]}" in words:
            return True
    return False


def _list_neighbours(word: str, first: int) -> Iterator[str]:
    """Yield what a word is with a letter left out, exchanged or added from a place on."""
    for cut in range(first, len(word) + 1):
        before, after = word[:cut], word[cut:]
        yield from (before + one + after for one in _LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + one + after[1:] for one in _LETTERS)
    for place, (one, other) in enumerate(pairwise(word[first:]), first):
        yield word[:place] + other + one + word[place + 2 :]
