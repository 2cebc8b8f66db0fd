# SPDX-License-Identifier: Apache-2.0
"""The words of a text, by which copies are found and people's decisions on texts are remembered."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

from retrieval.unspaced import UNSPACED

# A letter of a script without blanks is a word of its own.
_WORD: Final = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")
_MARKUP: Final = "#*`|_>.,;:()[]\"'!?"


def list_words(text: str) -> Iterator[str]:
    """Yield a text's words in lower case, without marks of Markdown."""
    for found in _WORD.finditer(text.casefold()):
        word = found[0].strip(_MARKUP)
        if any(map(str.isalnum, word)):
            yield word


def digest_words(words: Sequence[str]) -> str:
    """Return the SHA-256 (hex) of words in their order."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def digest_text(text: str) -> str:
    """Return the SHA-256 (hex) of a text's words."""
    return digest_words(tuple(list_words(text)))
