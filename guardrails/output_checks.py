# SPDX-License-Identifier: Apache-2.0
"""What a language model's sentence must be like before anybody weighs it.

Legible, short, in a language that is expected, without identifiers that were not offered. Pure, and
strict: a sentence that is not clearly in order is a fault. Whether it is true is not decided here.
"""

import re
from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final

import pycld2

from guardrails.sanitise import plain_text

MAX_SENTENCE_CHARACTERS: Final = 300
MIN_WORDS: Final = 3
MIN_LATIN_LETTERS: Final = 40  # of fewer, only another script tells the language
UNDETERMINED: Final = "und"
_LATIN_END: Final = "\u0250"
# HTML and XML tags and entities, Markdown links, images, code, headings, emphasis and tables,
# template and shell expansion, addresses with a scheme or without.
_MARKUP: Final = re.compile(
    r"[<>`|~{}\\]|&#?\w+;|\]\s*\(|!\[|^\s*(?:#|>|[-*+]\s)|\*\*|__|\$\(|://|\bwww\.|\b\w+@\w+",
    re.IGNORECASE,
)
# What reads as a name in a catalogue: words joined by hyphens, three or more, or by underscores.
_IDENTIFIER: Final = re.compile(
    r"(?<![\w-])[a-z0-9]+(?:-[a-z0-9]+){2,}(?![\w-])|\b\w+_\w+\b", re.IGNORECASE
)


class OutputFault(StrEnum):
    """Why a sentence is refused."""

    ILLEGIBLE = "illegible"  # control, format or line characters, or no words
    MARKUP = "markup"
    TOO_LONG = "too_long"
    FOREIGN_ID = "foreign_id"
    WRONG_LANGUAGE = "wrong_language"


def find_fault(sentence: str, *, known_ids: Collection[str]) -> OutputFault | None:
    """Return the first fault of one sentence, or None.

    Args:
        sentence: as the model wrote it.
        known_ids: identifiers that it may name, such as those of the scripts that were offered.

    """
    if len(sentence) > MAX_SENTENCE_CHARACTERS:
        return OutputFault.TOO_LONG
    if not sentence.isprintable() or plain_text(sentence) != sentence:
        return OutputFault.ILLEGIBLE
    if len(re.findall(r"[^\W\d_]{2,}", sentence)) < MIN_WORDS:
        return OutputFault.ILLEGIBLE
    if _MARKUP.search(sentence):
        return OutputFault.MARKUP
    if any(name.lower() not in known_ids for name in _IDENTIFIER.findall(sentence)):
        return OutputFault.FOREIGN_ID
    return None


def find_language_fault(sentences: Sequence[str], sources: Sequence[str]) -> OutputFault | None:
    """Return WRONG_LANGUAGE if the sentences are in neither English nor a source's language.

    Where the language cannot be told the sentences pass: support by a source decides then.
    """
    language = detect_language(" ".join(sentences))
    allowed = {UNDETERMINED, "en", *(detect_language(source) for source in sources)}
    return None if language in allowed else OutputFault.WRONG_LANGUAGE


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of most of a text; "und" when in doubt."""
    letters = [character for character in text if character.isalpha()]
    n_latin = sum(character < _LATIN_END for character in letters)
    if 2 * n_latin >= len(letters) and len(letters) < MIN_LATIN_LETTERS:
        return UNDETERMINED
    try:
        reliable, _, details = pycld2.detect(text)
    except (pycld2.error, UnicodeError):
        return UNDETERMINED
    code = str(details[0][1]).split("-")[0]
    return code if reliable and code != "un" else UNDETERMINED
