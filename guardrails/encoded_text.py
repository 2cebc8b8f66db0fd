# SPDX-License-Identifier: Apache-2.0
"""Texts in which characters are written otherwise, read as they are meant.

Percent signs of addresses, entities of HTML, quoted-printable of mail and what people write so that
machines do not see an address (`user[at]host[.]com`, `hxxp`): a recogniser sees none of it. So the
text is decoded, each character with the stretch that it stands for, and found in the text as it is.
What is encoded twice is decoded once.
"""

import html
import re
from typing import Final
from urllib.parse import unquote_to_bytes

_ENCODED: Final = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2}){1,64})"
    r"|(?P<entity>&(?:#\d{1,6}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});)"
    r"|(?P<soft>=\n)"
    r"|(?P<quoted>(?:=[0-9A-F]{2}){1,64})"
    r"|(?P<at>[ ]?[\[({<](?:at|AT|@)[\])}>][ ]?)"
    r"|(?P<dot>[ ]?[\[({<](?:dot|DOT|\.)[\])}>][ ]?)"
    r"|(?P<scheme>\bhxxps?(?=://))"
    r"|(?P<colon>\[:\]|\[://\])"
)
_MEANT: Final = {"at": "@", "dot": ".", "soft": ""}
# Of mail alone: elsewhere `port=33` is what it says.
_MAIL: Final = re.compile(r"=3D|=\n|=20\n|=[C-E][0-9A-F]=[89AB][0-9A-F]")
_MARKS: Final = ("%", "&", "=", "[", "(", "{", "xx")


class DecodedText:
    """A text with its encoded characters read, and where each of them stands.

    Args:
        text: as it is.

    Attributes:
        text: as it is meant; the same where nothing is encoded.

    """

    def __init__(self, text: str) -> None:
        pieces: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        done = 0
        is_mail = bool(_MAIL.search(text))
        for match in _ENCODED.finditer(text) if may_be_encoded(text) else ():
            meant = _decode(match)
            if meant is None or (match.lastgroup in {"quoted", "soft"} and not is_mail):
                continue
            start, end = match.span()
            self._keep(done, start)
            pieces += (text[done:start], meant)
            self._starts += [start] * len(meant)
            self._ends += [end] * len(meant)
            done = end
        self._keep(done, len(text))
        self.text = "".join((*pieces, text[done:]))

    def _keep(self, start: int, end: int) -> None:
        self._starts += range(start, end)
        self._ends += range(start + 1, end + 1)

    def find_place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the decoded text stands in the text as it is."""
        return self._starts[start], self._ends[end - 1]


def may_be_encoded(text: str) -> bool:
    """Say whether a text has anything that looks encoded; quick where it has no mark of it."""
    return any(mark in text for mark in _MARKS) and _ENCODED.search(text) is not None


def _decode(match: re.Match[str]) -> str | None:
    """Return what is meant; None where it is no character that a text holds."""
    kind, written = match.lastgroup, match.group()
    if kind in _MEANT:
        return _MEANT[kind]
    if kind == "scheme":
        return written.replace("xx", "tt")
    if kind == "colon":
        return written[1:-1]
    meant = (
        html.unescape(written)
        if kind == "entity"
        else _read_octets(written, is_quoted=kind == "quoted")
    )
    return meant if meant != written and _is_text(meant) else None


def _read_octets(written: str, *, is_quoted: bool) -> str:
    octets = unquote_to_bytes(written.replace("=", "%") if is_quoted else written)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _is_text(meant: str) -> bool:
    return bool(meant) and all(one.isprintable() or one in "\n\t" for one in meant)
