# SPDX-License-Identifier: Apache-2.0
r"""What was found once is masked wherever else it stands, if it cannot be mistaken for a word.

`C:\\Users\\triveni` gives away who "Triveni OK with deleting" is, and an address who `friehl` is.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from guardrails.findings import Span
from guardrails.foreign_words import are_foreign_words
from guardrails.identifier_tokens import TECHNICAL
from guardrails.known_originals import KnownOriginals
from guardrails.pattern_parts import SYSTEM_ACCOUNTS
from guardrails.person_names import fold, split_name
from guardrails.spelling import is_misspelt
from guardrails.stretches import Stretches
from guardrails.vocabulary import is_common, is_english, is_listed

_MIN_CHARACTERS: Final = 4
_TWO: Final = 2
_MIN_SECRET: Final = 8
_IDENTIFIERS: Final = frozenset(
    ("EMPLOYEE", "IP", "LICENCE", "MAC", "NATIONAL_ID", "PASSPORT", "SERIAL", "SSID", "SSN")
)
_MIN_DIGITS: Final = 6  # of what has no letter
_CACHED_WORDS: Final = 20_000
_SHORT: Final = 40  # letters of a word that is remembered
# Mailboxes of nobody, beside what is English.
_ROLES: Final = frozenset("noreply helpdesk servicedesk postmaster hostmaster webmaster".split())  # noqa: SIM905 - a table


def list_echoes(text: str, spans: Iterable[Span]) -> Iterator[tuple[str, str]]:
    """Yield (entity, word) of what was found that is to be masked elsewhere, too."""
    for start, end, entity in spans:
        value = text[start:end]
        for kind, word in _list_words(entity, value):
            if _is_telling(word):
                yield kind, word


def find_echoes(text: str, spans: Sequence[Span]) -> Iterator[Span]:
    """Yield where else in a text stands what was found in it."""
    known = KnownOriginals()
    places = []
    for start, end, entity in spans:
        places.append((start, end))
        for kind, word in _list_words(entity, text[start:end]):
            known.add(kind, word)
    found = Stretches(places)
    for start, end, entity in known.find(text):
        # Few are: what a word stands for is asked last.
        if not found.hold(start, end) and _is_telling(text[start:end]):
            yield start, end, entity


def _list_words(entity: str, value: str) -> Iterator[tuple[str, str]]:
    if entity == "PERSON":
        parts = split_name(value)
        if not any(_is_name(part) for part in parts):
            return  # a guess: what was wrong once would be wrong everywhere
        yield from ((entity, part) for part in parts)
        yield from _list_forms(parts)
    elif entity == "EMAIL":
        local, _, _ = value.partition("@")
        yield "USERNAME", local
        parts = split_name(local)
        if len(parts) > 1:
            yield from (("PERSON", part) for part in parts)
            yield from _list_forms(parts)
    elif entity == "USERNAME":
        account = value.rpartition("\\")[2].partition("@")[0]
        yield entity, account
    elif entity == "HOST":
        yield entity, value.partition(".")[0]
    elif entity in _IDENTIFIERS or (entity == "SECRET" and len(value) >= _MIN_SECRET):
        yield entity, value


def _list_forms(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield a name of two parts as people write it, and the accounts that are made of it."""
    if len(parts) != _TWO:
        return
    first, last = (fold(part) for part in parts)
    yield "PERSON", f"{first} {last}"
    yield "PERSON", f"{last}, {first}"
    for given, family in ((first, last), (last, first)):
        yield "USERNAME", f"{given[0]}{family}"
        yield "USERNAME", f"{given[0]}.{family}"
        yield "USERNAME", f"{given}{family[0]}"
        yield "USERNAME", f"{given}.{family}"
        yield "USERNAME", f"{given}_{family}"


def _is_name(part: str) -> bool:
    return is_listed(part, given=True) or is_listed(part, given=False)


def _is_telling(word: str) -> bool:
    """Say whether a word stands for nothing but what it was found for."""
    lower = word.strip().lower()
    if len(lower) < _MIN_CHARACTERS or lower in SYSTEM_ACCOUNTS or lower in _ROLES:
        return False
    if not lower.isalpha():
        if not any(one.isalpha() for one in lower):
            return sum(one.isdigit() for one in lower) >= _MIN_DIGITS
        return not _is_of_words(lower)
    return not (_is_word_of_short(lower) if len(lower) <= _SHORT else _is_word(lower))


def _is_word(lower: str) -> bool:
    """Say whether a word is one of a language or of the trade, or nearly."""
    return (
        lower in TECHNICAL
        or is_common(lower)
        or is_english(lower)
        or is_misspelt(lower)
        or are_foreign_words(lower)
    )


_is_word_of_short = lru_cache(maxsize=_CACHED_WORDS)(_is_word)


def _is_of_words(lower: str) -> bool:
    """Say whether all pieces of a word with marks are words or numbers: `sign-in`, `port 8`."""
    pieces = "".join(one if one.isalpha() else " " for one in lower).split()
    return not any(one.isdigit() for one in lower) and all(
        is_english(piece) or piece in TECHNICAL for piece in pieces
    )
