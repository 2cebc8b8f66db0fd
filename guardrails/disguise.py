# SPDX-License-Identifier: Apache-2.0
"""Readings of a text that its writer may have meant to hide from whoever looks for signs.

Look-alike letters are read as the Latin ones (a few of Unicode TS 39's confusables), letters set
apart are joined, digits in words are read as letters, and what is base64, hexadecimal, percent-
encoded, ROT13 or reversed is read back. Pure and bounded.
"""

# ruff: noqa: RUF001 - look-alikes are what it is about

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

MAX_CHARACTERS: Final = 20_000
MAX_BLOCKS: Final = 8
LOOK_ALIKES: Final = str.maketrans(
    "аɑαеёεоοօрρсϲухχіιїјѕһвнкмтгпԁԛԝӏոսԍɡ" + "АΑВΒЕΕНΗІΙЈКΚМΜΝОΟРΡСϹТΤУΥХΧЅZΖ",
    "aaaeeeoooppccyxxiiijshbhkmtrndqwlnugg" + "AABBEEHHIIJKKMMNOOPPCCTTYYXXSZZ",
)
_DIGIT_LETTERS: Final = str.maketrans("013457@$", "oieastas")
_DIGITS_IN_WORDS: Final = re.compile(r"\b(?=\w*[a-z@$])(?=[\w@$]*[013457@$])[a-z013457@$]{4,}\b")
_SET_APART: Final = re.compile(r"\b(?:\w[ .\-_*]){4,}\w\b")
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{16,}={0,2}(?![A-Za-z0-9+/=_-])")
_HEX: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[ :]?){12,}(?![0-9A-Fa-f])")
_PERCENT: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{2}|[\w.+-]){0,200}(?:%[0-9A-Fa-f]{2}[\w.+-]*){4,200}"
)
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_LEGIBLE_SHARE: Final = 0.9
_MIN_DECODED: Final = 10


def read_disguised(text: str) -> Iterator[str]:
    """Yield other readings of a plain text, without those that change nothing."""
    text = text[:MAX_CHARACTERS]
    folded = fold_look_alikes(text)
    if folded != text:
        yield folded
    joined = _SET_APART.sub(lambda found: re.sub(r"[ .\-_*]", "", found[0]), folded)
    if joined != folded:
        yield joined
    lowered = folded.lower()
    lettered = _DIGITS_IN_WORDS.sub(lambda found: found[0].translate(_DIGIT_LETTERS), lowered)
    if lettered != lowered:
        yield lettered
    yield from read_encoded(text)
    yield text[::-1]
    yield codecs.encode(folded, "rot13")


def fold_look_alikes(text: str) -> str:
    """Return the text in NFKC, without accents, with look-alike letters as Latin ones."""
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFKD", text)[: 2 * MAX_CHARACTERS]
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return bare.translate(LOOK_ALIKES)


def mixes_scripts(text: str) -> bool:
    """Tell whether a word mixes Latin letters with ones of other scripts that look like them."""
    if text.isascii():
        return False
    return any(
        any(each < "\u0250" for each in word)
        and any("\u0370" <= each < "\u0590" for each in word)
        and word.translate(LOOK_ALIKES).isascii()
        for word in _WORD.findall(text)
    )


def read_encoded(text: str) -> Iterator[str]:
    """Yield what blocks in base64, hexadecimal or percent-encoding say, where it is text."""
    for block in _BASE64.findall(text)[:MAX_BLOCKS]:
        padded = block.rstrip("=") + "=" * (-len(block.rstrip("=")) % 4)
        try:
            yield from _read_bytes(base64.b64decode(padded, altchars=_altchars(block)))
        except (binascii.Error, ValueError):
            continue
    for block in _HEX.findall(text)[:MAX_BLOCKS]:
        try:
            yield from _read_bytes(bytes.fromhex(re.sub(r"[ :]", "", block)))
        except ValueError:
            continue
    for found in list(_PERCENT.finditer(text))[:MAX_BLOCKS]:
        yield unquote(found[0])


def _altchars(block: str) -> bytes:
    return b"-_" if "-" in block or "_" in block else b"+/"


def _read_bytes(content: bytes) -> Iterator[str]:
    if content[1::2].count(0) > len(content) // 4:  # as PowerShell encodes commands
        decoded = content.decode("utf-16-le", "replace")
    else:
        decoded = content.decode("utf-8", "replace")
    n_legible = sum((each.isprintable() and each != "\ufffd") or each in "\n\t" for each in decoded)
    if len(decoded) >= _MIN_DECODED and n_legible >= _LEGIBLE_SHARE * len(decoded):
        yield decoded
