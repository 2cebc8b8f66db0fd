# SPDX-License-Identifier: Apache-2.0
"""What a language model's sentence must be like before anybody weighs it.

Legible, short, in a language that is expected, without identifiers that were not offered. Pure, and
strict: a sentence that is not clearly in order is a fault. Whether it is true is not decided here.
"""

import re
import unicodedata
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
# template and shell expansion, formulas, addresses with a scheme or without.
_MARKUP: Final = re.compile(
    r"[<>`|~{}\\]|&#?\w+;|\]\s*\(|!\[|^\s*(?:#|>|=|[-*+]\s)|\*\*|__|\$\(|://|\bwww\.|\b\w+@\w+"
    r"|\bmailto:|\b[\w-]+\.[a-z]{2,}/",
    re.IGNORECASE,
)
# What reads as a name in a catalogue: words joined by hyphens or dots, three or more, or by
# underscores, or written together behind a platform.
_IDENTIFIER: Final = re.compile(
    r"(?<![\w-])[a-z0-9]+(?:-[a-z0-9]+){2,}(?![\w-])|\b\w+_\w+\b"
    r"|\b[a-z]\w*(?:\.[a-z]\w*){2,}\b|\b(?:windows|linux|macos)(?-i:[A-Z][a-z]+){2,}\b",
    re.IGNORECASE,
)
_HYPHENS: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63", "-"))
_WORD: Final = re.compile(r"[^\W\d_]+")


class OutputFault(StrEnum):
    """Why a sentence is refused."""

    ILLEGIBLE = "illegible"  # control, format or line characters, mixed scripts, or no words
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
    folded = unicodedata.normalize("NFKC", sentence.translate(_HYPHENS))
    if not sentence.isprintable() or plain_text(sentence) != sentence or not _has_words(folded):
        return OutputFault.ILLEGIBLE
    if _MARKUP.search(folded):
        return OutputFault.MARKUP
    if any(name.lower() not in known_ids for name in _IDENTIFIER.findall(folded)):
        return OutputFault.FOREIGN_ID
    return None


def _has_words(sentence: str) -> bool:
    words = _WORD.findall(sentence)
    is_long_enough = sum(len(word) > 1 for word in words) >= MIN_WORDS
    return is_long_enough and not any(map(_mixes_scripts, words))


def _mixes_scripts(word: str) -> bool:
    """Tell whether Latin letters stand among those of another script, which may look the same.

    Units mix as well, such as that of a millionth of a second, and are shorter than any name.
    """
    return len(word) > 3 and len({letter < _LATIN_END for letter in word}) > 1


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
