# SPDX-License-Identifier: Apache-2.0
"""What the parts of a person's name are, however it is written.

`Schmidt, Anna-Maria (IT)`, `ANNA MARIA SCHMIDT` and `Müller` / `Mueller` / `Muller` are compared by
folded parts: lower case, without accents, without titles and particles.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTICLES: Final = _words(
    "van von vom zu zum zur der den de del della di da dos das du des la le el al bin ibn ben ter"
    " ten af av y e i und and"
)
_TITLES: Final = _words(
    "mr mrs ms miss dr prof herr frau sir dame jr sr ii iii iv phd md msc bsc mba dipl ing"
)
_IN_BRACKETS: Final = re.compile(r"[(\[{][^)\]}]{0,200}[)\]}]?")
_APART: Final = re.compile(r"[\s,;._/]+")
_HYPHEN: Final = re.compile("[-\u2010\u2011]")
_INSIDE: Final = re.compile(r"[^\W\d_]+(?:[\u0300-\u036f]+[^\W\d_]*)*")
_SPELT: Final = re.compile("([aou])e")
# Letters that Unicode does not take apart.
_LETTERS: Final = str.maketrans(
    {
        "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
        "\u0131": "i", "ħ": "h", "ŋ": "n",
    }
)  # fmt: skip
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_MAX_NAME_CHARACTERS: Final = 200


def fold(word: str) -> str:
    """Return a word in lower case without accents."""
    return word.lower() if word.isascii() else _fold_accents(word)


@lru_cache(maxsize=4096)
def _fold_accents(word: str) -> str:
    apart = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS))
    return "".join(each for each in apart if not unicodedata.combining(each))


def spellings(word: str) -> tuple[str, ...]:
    """Return the folded forms of a word: accents dropped, and umlauts spelt out."""
    plain = fold(word)
    spelt = fold(unicodedata.normalize("NFC", word).casefold().translate(_UMLAUTS))
    return (plain,) if spelt == plain else (plain, spelt)


def split_name(name: str) -> tuple[str, ...]:
    """Return the parts of a name as they are written: no titles, particles, brackets or initials.

    A part with an apostrophe or hyphen is one part.
    """
    bare = _IN_BRACKETS.sub(" ", name[:_MAX_NAME_CHARACTERS])
    parts = []
    for piece in _APART.split(bare):
        letters = "".join(_INSIDE.findall(piece))
        if len(letters) < 2 or fold(letters) in _TITLES | PARTICLES:
            continue
        parts.append(piece.strip("'\u2019-\"` "))
    return tuple(parts)


def join_part(part: str) -> str:
    """Return a part without what joins its pieces: `O'Brien` is `OBrien`."""
    return "".join(_INSIDE.findall(part))


def pieces_of(part: str) -> tuple[str, ...]:
    """Return the pieces of a part that stand for themselves: of `Anna-Maria`, both."""
    pieces = tuple(one for one in _HYPHEN.split(part) if len(one) > 1)
    return pieces if len(pieces) > 1 else ()


@lru_cache(maxsize=1024)
def name_key(name: str) -> frozenset[str]:
    """Return what two ways of writing one name have in common: its folded parts and initials."""
    parts = {_SPELT.sub(r"\1", fold(join_part(part))) for part in split_name(name)}
    initials = {
        fold(letters)
        for piece in _APART.split(name[:_MAX_NAME_CHARACTERS])
        if len(letters := join_part(piece)) == 1
    }
    return frozenset(parts | initials)


def may_be_same(shorter: frozenset[str], longer: frozenset[str]) -> bool:
    """Tell whether each part of a name is one of the other's, or the initial of one.

    >>> may_be_same(name_key("A. Schmidt"), name_key("Schmidt, Anna"))
    True
    """
    if not shorter or len(shorter) > len(longer) or max(map(len, shorter)) < 2:
        return False
    return all(
        part in longer or (len(part) == 1 and any(whole[0] == part for whole in longer))
        for part in shorter
    )
