# SPDX-License-Identifier: Apache-2.0
"""Which words look like accounts made of a name: an initial and a family name, cut or numbered."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from guardrails.name_lists import read_name_lists
from guardrails.person_names import fold
from guardrails.spelling import is_misspelt
from guardrails.vocabulary import is_common, is_english, is_name, read_english, read_names

_MIN_ACCOUNT: Final = 5
_MAX_NUMBER: Final = 4
_TWO: Final = 2
_CUT_TO: Final = (6, 7)  # letters of a family name after the initial
_CUT_LENGTHS: Final = frozenset(cut + 1 for cut in _CUT_TO)
_MIN_GIVEN: Final = 4
# That are names, too, or end as such.
_FILE_ENDINGS: Final = frozenset(
    ("wim", "esd", "iso", "img", "cab", "mst", "ova", "ovf", "vmx", "pem", "ram", "tar", "tom")
)
_CACHED_WORDS: Final = 20_000


@lru_cache(maxsize=_CACHED_WORDS)
def is_account_like(word: str) -> bool:
    """Say whether a word is made of a name as accounts are: `jlindqvist`, `abdulr`, `p.kessler`.

    >>> is_account_like("jlindqvist"), is_account_like("keyboard")
    (True, False)
    """
    lower = word.lower()
    letters = lower.rstrip("0123456789")
    if len(letters) < _MIN_ACCOUNT or len(lower) - len(letters) > _MAX_NUMBER:
        return False
    parts = re.split(r"[._-]", letters)
    if len(parts) > 1:
        if parts[-1] in _FILE_ENDINGS and is_english(parts[0]):
            return False
        return len(parts) == _TWO and all(map(str.isalpha, parts)) and _are_of_a_name(parts)
    return (
        letters.isalpha()
        and not is_english(letters)
        and _is_joined_name(letters)
        and not is_misspelt(letters)
    )


def _are_of_a_name(parts: Sequence[str]) -> bool:
    """Say whether one of two parts is a name, and not both are English: `p.kessler`."""
    return any(is_name(part) for part in parts) and not all(
        len(part) > 1 and is_english(part) for part in parts
    )


def _is_joined_name(letters: str) -> bool:
    """Say whether letters are a family name with an initial or two, or a given name with them."""
    given, family = read_names()
    if any(
        part in family and not is_common(part) for part in (letters[1:], letters[2:], letters[:-1])
    ):
        return True
    if len(letters) in _CUT_LENGTHS and letters[1:] in _list_cut_families():
        return True
    if any(letters[:-cut] in given for cut in (1, 2) if len(letters) - cut > _MIN_GIVEN):
        return True
    return any(
        letters[:cut] in given and letters[cut:] in family for cut in range(3, len(letters) - 3)
    )


@cache
def _list_cut_families() -> frozenset[str]:
    """Return family names cut to the length that old systems allow."""
    return frozenset(name[:cut] for name in read_names()[1] for cut in _CUT_TO if len(name) > cut)


@cache
def _list_families() -> frozenset[str]:
    """Return all family names of our lists, those that are words, too, folded."""
    words = map(fold, read_name_lists().people["words"]["family"])
    return read_names()[1] | frozenset(words)


@lru_cache(maxsize=_CACHED_WORDS)
def is_account_of_word(word: str) -> bool:
    """Say whether a word is an initial and a family name that is a word, too: `ssmith1`, `millerm`.

    Too many words are, for all that has no account beside it.
    """
    letters = word.lower().rstrip("0123456789")
    family = _list_families()
    return (
        len(letters) >= _MIN_ACCOUNT
        and letters.isalpha()
        and (letters[1:] in family or letters[:-1] in family)
        and not (letters in read_english() or is_common(letters))
    )
