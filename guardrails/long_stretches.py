# SPDX-License-Identifier: Apache-2.0
"""What is longer than the pieces in which a text is looked at, and is masked wholly.

A private key of any length, and a word that goes on for thousands of characters: it says nothing to
a reader, and nobody can say what is in it.
"""

import re
from collections.abc import Iterator
from typing import Final

MAX_WORD_CHARACTERS: Final = 4096
_WORD: Final = re.compile(r"[^\s\"'<>,;:(){}\[\]|&\u3001\u3002\uff0c\uff1a\uff1b\uff01\uff1f]+")
_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY")
_KEY_ENDS: Final = "-----END "


def find_long(text: str) -> list[tuple[int, int]]:
    """Return the places of what is masked wholly, in order and apart from each other."""
    if len(text) <= MAX_WORD_CHARACTERS:
        return []
    found: list[tuple[int, int]] = []
    for start, end in sorted((*_find_keys(text), *_find_words(text))):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _find_words(text: str) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text):
        if match.end() - match.start() > MAX_WORD_CHARACTERS:
            yield match.span()


def _find_keys(text: str) -> Iterator[tuple[int, int]]:
    """Yield private keys, each to the line that ends it, or to the end of the text."""
    done = 0
    for match in _KEY.finditer(text):
        if match.start() < done:
            continue
        ends = text.find(_KEY_ENDS, match.end())
        line_ends = text.find("\n", ends) if ends >= 0 else -1
        done = line_ends if line_ends >= 0 else len(text)
        yield match.start(), done
