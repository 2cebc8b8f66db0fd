# SPDX-License-Identifier: Apache-2.0
"""Turns bytes into text: by byte order mark, as UTF-8, as declared, else as the likeliest legacy.

Bytes that are text in none of these are refused, rather than read as noise. Western European
Windows text is the default among the legacy encodings, since a short text gives a detector too
little to tell them apart; text mostly beyond ASCII is left to the detector.
"""

import codecs
import re

from charset_normalizer import from_bytes

from retrieval.parsing.errors import EncodingError

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LEGACY = [
    "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "shift_jis", "euc_jp", "gb18030",
    "big5", "euc_kr", "cp1252",
]  # fmt: skip
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""")
_DECLARATION_BYTES = 2048  # HTML asks for it in the first 1024; some editors need more
_SAMPLE_BYTES = 64 * 1024  # what tells an encoding; a detector takes seconds for a megabyte
_MAX_CONTROL_SHARE = 0.001  # stray control characters of a pasted log, not those of a program
_MANY_BEYOND_ASCII = 0.3  # of letters: more than any Western European language has
# UTF-16 of Latin letters has a NUL in nearly every other byte, and hardly any in between.
_MANY_NULS, _FEW_NULS = 0.7, 0.05
_CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"


def decode_text(content: bytes, *, declared: bool = False) -> str:
    """Return the text; `declared` looks for an HTML or XML declaration of the encoding.

    Raises:
        EncodingError: the bytes are binary, or the encoding is unknown.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decode(content[len(mark) :], encoding)
    if not _seems_binary(content):
        return _decode_narrow(content, declared=declared)
    wide = _guess_wide(content)
    if wide is None:
        raise EncodingError
    return _decode(content, wide)


def _decode(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise EncodingError from error


def _decode_narrow(content: bytes, *, declared: bool) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if declared and (found := _DECLARED.search(content[:_DECLARATION_BYTES])):
        try:
            return content.decode(found[1].decode("ascii"))
        except (LookupError, ValueError):
            pass
    n_beyond = len(content) - len(content.translate(None, bytes(range(128, 256))))
    n_letters = sum(content.count(bytes([code])) for code in b"aeinorstAEINORST")
    if n_beyond > _MANY_BEYOND_ASCII * (n_beyond + n_letters):
        best = from_bytes(content[:_SAMPLE_BYTES], cp_isolation=_LEGACY).best()
        if best is None:
            raise EncodingError
        return content.decode(best.encoding, errors="replace")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _seems_binary(content: bytes) -> bool:
    n_control = len(content) - len(content.translate(None, _CONTROL))
    return n_control > _MAX_CONTROL_SHARE * len(content)


def _guess_wide(content: bytes) -> str | None:
    """Tell UTF-16 without a mark by where its NUL bytes stand."""
    sample = content[:_SAMPLE_BYTES]
    if len(content) % 2 or len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * _MANY_NULS and even < half * _FEW_NULS:
        return "utf-16-le"
    if even > half * _MANY_NULS and odd < half * _FEW_NULS:
        return "utf-16-be"
    return None
