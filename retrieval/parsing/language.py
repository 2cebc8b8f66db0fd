# SPDX-License-Identifier: Apache-2.0
"""Which language a document is written in, from its prose alone; "und" when in doubt."""

from collections.abc import Iterable

import pycld2

from retrieval.parsing.documents import UNDETERMINED, Block, BlockKind

MIN_LATIN_LETTERS = 40  # other scripts tell by themselves
MAX_CHARACTERS = 20_000
_ISO_CODE_LENGTH = 2
_LATIN_END = "\u0250"


def detect_language(text: str, blocks: Iterable[Block]) -> str:
    """Return the ISO 639-1 code of most of the text, commands in code blocks left aside."""
    prose: list[str] = []
    n_characters = 0
    for block in blocks:
        if block.kind is BlockKind.CODE:
            continue
        prose.append(text[block.start_offset : block.end_offset])
        n_characters += block.end_offset - block.start_offset
        if n_characters >= MAX_CHARACTERS:
            break
    return _detect("\n".join(prose)[:MAX_CHARACTERS])


def _detect(prose: str) -> str:
    letters = [character for character in prose if character.isalpha()]
    n_latin = sum(character < _LATIN_END for character in letters)
    if 2 * n_latin >= len(letters) and len(letters) < MIN_LATIN_LETTERS:
        return UNDETERMINED
    try:
        reliable, _, details = pycld2.detect(prose)
    except (pycld2.error, UnicodeError):
        return UNDETERMINED
    code = str(details[0][1]).split("-")[0]
    return code if reliable and len(code) == _ISO_CODE_LENGTH and code != "un" else UNDETERMINED
