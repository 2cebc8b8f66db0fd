# SPDX-License-Identifier: Apache-2.0
"""What is no name although it stands where names stand: words of articles, products and prose.

Context alone takes "ask Thunderbird" and "disable extensions" for people and accounts. The words
are in `plain_words.txt`: those of our own articles and of common products, without any that people
are called.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

_FILE: Final = Path(__file__).parent / "plain_words.txt"
_CACHED_WORDS: Final = 20_000
_SHORT: Final = 40  # letters of a word that is remembered
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['\u2019-][\p{L}\p{M}]+)*")
_LETTERS: Final = regex.compile(r"[\p{L}]+")
# Products and makers: no street is named after a thing that has them in its name.
PRODUCTS: Final = frozenset(
    " ".join(  # noqa: FLY002 - one line would be too long
        (
            "microsoft windows office outlook excel word powerpoint onenote teams sharepoint",
            "exchange azure intune visio project publisher access server adobe acrobat apple macos",
            "ios chrome firefox edge thunderbird mozilla google version build release update error",
            "event code port tcp udp dword reg kb mb gb ghz mhz usb hdmi intel amd nvidia realtek",
            "dell lenovo hp",
        )
    ).split()
)
_ENGLISH_END: Final = regex.compile(
    r"[a-z]{3,}(?:ing|ings|tions?|sions?|ments?|ness|ally|edly|ently|ively|ously|fully|lessly|ated|ized|ised"
    r"|ified|ables?|ibles?|ities|ative|ional|ience|ently|ically|eness|urable|rupted)"
)


@cache
def read_plain_words() -> frozenset[str]:
    """Return the words, in lower case."""
    lines = (line for line in _FILE.read_text().splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def is_plain(word: str) -> bool:
    """Say whether a word is one of prose or products, also as a plural or a compound."""
    return _is_plain_short(word) if len(word) <= _SHORT else _is_plain(word)


def _is_plain(word: str) -> bool:
    plain = read_plain_words()
    lower = word.lower().replace("\u2019", "'").removesuffix("'s")
    if lower in plain or (lower.endswith("s") and lower[:-1] in plain):
        return True
    if len(lower) > 6 and _ENGLISH_END.fullmatch(lower) and word.islower():
        return True
    if lower.endswith(("ed", "es", "ly")) and {lower[:-2], lower[:-1]} & plain:
        return True
    return "-" in lower and all(is_plain(part) for part in lower.split("-") if part)


_is_plain_short = lru_cache(maxsize=_CACHED_WORDS)(_is_plain)


def name_length(text: str) -> int:
    """Return how many characters at the beginning are a name: up to the first plain word.

    Of two words the second may be plain, "Ring" or "Post": it is a surname then, not a product.
    """
    words = list(_WORD.finditer(text))
    length = 0
    for number, match in enumerate(words):
        word = match.group()
        acronym = 1 < len(word) < 5 and word.isascii() and word.isupper()
        surname = number == 1 and len(words) == 2 and word.lower() not in PRODUCTS and not acronym
        if (is_plain(word) and not surname) or (acronym and not text[:length].isupper()):
            break
        length = match.end()
    return length if length < len(text.rstrip(". ")) else len(text)


def names_length(text: str) -> int:
    """Return as `name_length`; nothing where only one word is left of several."""
    length = name_length(text)
    return length if len(_WORD.findall(text[:length])) > 1 else 0


def account_length(text: str) -> int:
    """Return the length of an account's name; nothing where all its words are plain."""
    words = _LETTERS.findall(text)
    if any(character.isdigit() for character in text):
        return len(text) if any(not is_plain(word) for word in words if len(word) > 2) or (
            not words or max(map(len, words)) < 3
        ) else 0  # fmt: skip
    return 0 if all(is_plain(word) for word in words if len(word) > 2) else len(text)


def is_all_plain(text: str) -> bool:
    """Say whether no word of a text can be a name of a street or a town."""
    return all(len(word) < 3 or is_plain(word) for word in _LETTERS.findall(text))


def host_length(text: str) -> int:
    """Return the length of a host's name; a plain word or a bare acronym is none."""
    if any(character.isdigit() for character in text):
        return len(text)
    words = _LETTERS.findall(text)
    return 0 if all(is_plain(word) for word in words) else len(text)
