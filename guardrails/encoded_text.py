# SPDX-License-Identifier: Apache-2.0
r"""Texts in which characters are written otherwise, read as they are meant.

Percent signs of addresses, entities of HTML, quoted-printable of mail, escapes of JSON and of
programs, base64, letters that only look otherwise (fullwidth, in circles, of another script), an
address that a line's end breaks, and what people write so that machines do not see an address
(`user[at]host[.]com`, `hxxp`): a recogniser sees none of it. So the text is decoded, each stretch
with the one that it stands for, and what is found is masked in the text as it is. What is encoded
twice or three times is decoded as often.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import base64
import binascii
import html
import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.disguise import LOOK_ALIKES
from guardrails.letter_forms import FORMS, fold_form
from guardrails.pattern_parts import compile_bounded
from guardrails.sanitise import plain_text

MAX_ROUNDS: Final = 3
_ALIKE: Final = "".join(map(chr, LOOK_ALIKES))
# Runs of bytes are long: one that was cut within a character could not be read.
_ENCODED: Final = compile_bounded(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2}){1,4096})"
    r"|(?P<entity>&(?:#0{0,8}[0-9]{1,7};?|#[xX]0{0,8}[0-9A-Fa-f]{1,6};?|[A-Za-z]{2,8};))"
    r"|(?P<escape>(?:\\{1,8}(?:u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2})){1,4096}|(?:\\[0-3][0-7]{2}){2,4096}|(?:`u\{[0-9A-Fa-f]{1,6}\}){1,64})"
    r"|(?P<backslash>(?<=[\w):])\\{2,8}(?=\w))"
    r"|(?P<share>(?<![\w\\:])\\{4,8}(?=\w))"
    r"|(?P<json>\\{1,8}[\"'/]|(?<!\\)\\[nrt])"
    r"|(?P<soft>=\n)"
    r"|(?P<goes_on>(?<=\S)\\\n[ \t]{0,8}(?=\S))"
    # marks of HTML and Markdown within an address
    r"|(?P<markup>(?<=[\w.@>])(?:</?(?:b|i|u|em|strong|span|wbr|code|font|a)\b[^<>\n]{0,80}>|<!--[^<>\n]{0,80}-->)(?=[\w.@<])|(?<=\w)(?:\*\*|__?|`)(?=@)|(?<=@)(?:\*\*|__?|`)(?=\w))"
    r"|(?P<quoted>(?:=[0-9A-F]{2}){1,4096})"
    r"|(?P<at>[ ]?[\[({<](?:at|AT|At|@)[\])}>][ ]?|[ ]-at-[ ]|(?<=[\w.])[\t]{1,2}@[\t]{1,2}(?=[\w.]))"
    r"|(?P<dot>[ ]?[\[({<](?:dot|DOT|Dot|\.)[\])}>][ ]?|(?<=\d)[ ](?:\.|dot)[ ](?=\d)|[ ]-dot-[ ])"
    # an address in words, and letters set apart
    r"|(?P<spoken>(?<![\w.@])(?:[\w+-]{1,32}(?:(?:\.|[ ](?:dot|DOT)[ ])[\w+-]{1,32}){0,3}[ ]@[ ](?:[\w-]{1,32}\.){1,4}[a-z]{2,12}|(?:[\w+-]{1,32}(?:\.|[ ](?:dot|DOT)[ ]|_)){1,3}[\w+-]{1,32}[ ](?:at|AT)[ ][\w-]{1,32}(?:(?:\.|[ ](?:dot|DOT)[ ])[\w-]{2,32}){1,4}|[\w+-]{1,32}[ ](?:at|AT)[ ][\w-]{1,32}(?:[ ](?:dot|DOT)[ ][\w-]{2,32}){1,4})(?![\w@]))"
    r"|(?P<apart>(?<!\S)(?=(?:[ -`{-~]{0,8}[a-z]){4})(?:[!-~][ ]){5,127}[!-~](?!\S))"
    r"|(?P<dash>(?<=\w)[\u2010-\u2015\u2212](?=\w))"
    r"|(?P<scheme>\bhxxps?(?=://))"
    r"|(?P<colon>\[:\]|\[://\]|(?<=\b[0-9A-Fa-f]{2})[ ]:[ ](?=[0-9A-Fa-f]{2}\b))"
    r"|(?P<plus>(?=\+)(?<=[?&][\w.-]{1,40}=[\w%.-]{1,64}(?:\+[\w%.-]{1,64}){0,3})\+(?=[\w%]))"
    # a line that ends within a mail address: beside its `@`, within its host, within its name
    r"|(?P<broken>(?=[ \t]{0,4}\n)(?:(?<=[\w-]@[\w.-]{0,64})(?<=@|[.-]|@[\w-]{1,64})[ \t]{0,4}\n[ \t>]{0,8}(?=[\w-]{1,64}(?:\.[\w-]{2,63}){1,4}(?![\w@])|(?<=\.[ \t]{0,4}\n[ \t>]{0,8})(?:(?:local|lan|internal|intern|corp|com|net|org|edu|gov|eu|de|uk|fr|io)(?![\w-])|[a-z]{2,12}(?![\w-]|[ ]\w|\.\w)))|(?<=[\w.-]{2}\w)[ \t]{0,4}\n[ \t>]{0,8}(?=@[\w-]{1,64}\.\w)|(?<=(?<![\w@.])[\w+-]{1,32}[._][\w.+-]{0,32})(?<=[\w-])\n(?=[\w.+-]{1,32}@[\w-]{1,64}\.\w)))"
    r"|(?P<codes>(?<![\w.:,-])(?:[0-9]{2,3}[ ,]{1,2}){7,255}[0-9]{2,3}(?![\w.:-]))"
    rf"|(?P<form>[{FORMS}])"
    # of another script, within a word of ours
    rf"|(?P<script>(?:(?<=[A-Za-z@])|(?=[{_ALIKE}]{{1,16}}[A-Za-z@]))[{_ALIKE}]{{1,16}})"
    r"|(?P<base64>(?<![A-Za-z0-9+/=_.-])(?=[A-Z+/_-]{0,64}[a-z\d])(?=[a-z\d+/_-]{0,64}[A-Z])(?:[A-Za-z0-9+/]{16,4096}|[A-Za-z0-9_-]{16,4096})={0,2}(?![A-Za-z0-9+/=_-]))"
    r"|(?P<hexadecimal>(?<![0-9A-Za-z-])(?=[\dx :]{0,64}[A-Fa-f])(?:0x)?(?:(?:[2-7][0-9A-Fa-f]){8,2048}|(?:[2-7][0-9A-Fa-f][ :]){7,1365}[2-7][0-9A-Fa-f])(?![0-9A-Za-z-]))"
)
# Where one of these may begin: quick to look for, so that plain text costs next to nothing.
_BEGINS: Final = re.compile(
    rf"[%`\\{FORMS}{_ALIKE}]|&(?=[#A-Za-z])|=(?=[\n0-9A-F])|[ ]?[\[({{<](?=[aA@dD.:])|hxxp|\+(?=[\w%])|(?<=\d) (?:\.|dot) (?=\d)| -(?:at|dot)- |[\t]@|[\t][\t]@|<(?=[/!biuescwfa])|[*_`]{{1,2}}(?=@)|(?<=@)[*_`]| : |(?<=\w)[\u2010-\u2015\u2212](?=\w)|[ \t]{{0,4}}\n|(?<![A-Za-z0-9+/=_.-])(?=[A-Za-z0-9+/_-]{{16}})"
)
# The same, of what runs over several words; looked for only where a text has such a run.
_WORDS_BEGIN: Final = re.compile(
    rf"{_BEGINS.pattern}|(?<![\w.@])(?=[\w.+-]{{1,80}} (?:at|AT|@|dot|DOT) )|(?<!\S)(?=(?:[!-~] ){{5}})|(?<![0-9A-Za-z-])(?=(?:[2-7][0-9A-Fa-f][ :]){{7}})|(?<![\w.:,-])(?=(?:[0-9]{{2,3}}[ ,]{{1,2}}){{7}})"
)
_HAS_WORDS: Final = re.compile(
    r" (?:dot|DOT|@|AT) |[._][\w+-]{1,64} at [\w-]{1,32}[. ]|(?: [!-~]){4} |(?:[0-9]{2,3}[ ,]{1,2}){7}|(?:[2-7][0-9A-Fa-f][ :]){7}"
)
_MEANT: Final = {"at": "@", "dot": ".", "soft": "", "backslash": "\\", "share": "\\\\",
                 "plus": " ", "broken": "", "dash": "-", "markup": "",
                 "goes_on": ""}  # fmt: skip
# Of mail alone: elsewhere `port=33` is what it says.
_MAIL: Final = compile_bounded(
    r"=\?[\w-]{2,40}\?[qQ]\?|=3D|=\n|=20\n|=[C-E][0-9A-F]=[89AB][0-9A-F]"
)
_JSON: Final = compile_bounded(r"\\[\"]|[\"]\s{0,8}:\s{0,8}[\"]")
_ESCAPE: Final = compile_bounded(r"[`\\]+(?:[uUx]\{?([0-9A-Fa-f]{1,8})\}?|([0-7]{3}))")
_SPOKEN_AT: Final = re.compile(r" (?:at|AT|@) ")
_SPOKEN_DOT: Final = re.compile(r" (?:dot|DOT) ")
_READ_AGAIN: Final = frozenset(("json", "escape"))
_WHITE: Final = {"n": "\n", "r": "\n", "t": "\t"}
_NUMBER: Final = re.compile(r"[0-9]+")
_FIRST_CODE, _LAST_CODE = 32, 126  # of ASCII, as far as it is printed
_MIN_DECODED: Final = 8  # characters: anything shorter is legible by chance


class DecodedText:
    r"""A text with its encoded characters read, and where each of them stands.

    Args:
        text: as it is.
        keeps_backslashes: whether a backslash that was doubled stays one, whatever follows it:
            `HQ\\nortonk` is an account, or two lines, and only who wrote it knows.

    Attributes:
        text: as it is meant; the same where nothing is encoded.
        is_doubtful: whether a backslash that was doubled was read again, with what follows it.

    """

    def __init__(self, text: str, *, keeps_backslashes: bool = False) -> None:
        self._rounds: list[_Round] = []
        self.text = text
        self.is_doubtful = False
        for _ in range(MAX_ROUNDS):
            known = self._rounds[-1].list_backslashes() if self._rounds else frozenset()
            one = _Round(self.text, known, keeps_known=keeps_backslashes)
            self.is_doubtful |= one.is_doubtful
            if not one.changed:
                break
            self._rounds.append(one)
            self.text = one.text

    def find_place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the decoded text stands in the text as it is."""
        for one in reversed(self._rounds):
            start, end = one.find_place(start, end)
        return start, end

    def list_changed(self) -> list[tuple[int, int]]:
        """Return the stretches of the text as it is that are meant otherwise, in order."""
        changed: list[tuple[int, int]] = []
        for number, one in enumerate(self._rounds):
            for place in one.changed:
                for before in reversed(self._rounds[:number]):
                    place = before.find_place(*place)  # noqa: PLW2901 - moved from round to round
                changed.append(place)
        return sorted(changed)


class _Round:
    """A text decoded once.

    Args:
        text: as it is.
        known: where a backslash stands that was doubled.
        keeps_known: whether those are no escapes.

    Attributes:
        text: as it is meant.
        changed: the stretches of the text that are meant otherwise, in order.
        is_doubtful: whether one of those was read with what follows it.

    """

    def __init__(self, text: str, known: frozenset[int], *, keeps_known: bool) -> None:
        self.is_doubtful = False
        pieces: list[str] = []
        self.changed: list[tuple[int, int]] = []
        # Of each of them: where it begins and ends as it is meant.
        self._begins: list[int] = []
        self._ends: list[int] = []
        done = length = 0
        ignored = set() if _MAIL.search(text) else {"quoted", "soft"}
        if not _JSON.search(text):
            ignored.add("json")
        for match in _find_encoded(text):
            kind, written = match.lastgroup, match.group()
            meant = written if kind in ignored else _decode(kind, written)
            if meant == written:
                continue
            start, end = match.span()
            if kind in _READ_AGAIN and start in known:
                if keeps_known:
                    continue
                self.is_doubtful = True
            pieces += (text[done:start], meant)
            length += start - done
            self.changed.append((start, end))
            self._begins.append(length)
            length += len(meant)
            self._ends.append(length)
            done = end
        self.text = "".join((*pieces, text[done:]))

    def list_backslashes(self) -> frozenset[int]:
        """Return where a backslash of the decoded text stands for several."""
        return frozenset(place for place in self._begins if self.text[place : place + 1] == "\\")

    def find_place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the decoded text stands."""
        return self._find_one(start)[0], self._find_one(end - 1)[1]

    def _find_one(self, place: int) -> tuple[int, int]:
        """Return where a character stands, or what stands for it."""
        before = bisect_right(self._begins, place) - 1
        if before < 0:
            return place, place + 1
        if place < self._ends[before]:
            return self.changed[before]
        moved = place - self._ends[before] + self.changed[before][1]
        return moved, moved + 1


def may_be_encoded(text: str) -> bool:
    """Say whether a text has anything that looks encoded."""
    return next(_find_encoded(text), None) is not None


def _find_encoded(text: str) -> Iterator[regex.Match[str]]:
    """Yield what looks encoded, in order."""
    has_address = "@" in text
    search = (_WORDS_BEGIN if _HAS_WORDS.search(text) else _BEGINS).search
    place = 0
    while begins := search(text, place):
        place = begins.end() if begins.group().endswith("\n") else begins.start() + 1
        if not has_address and begins.group().endswith("\n"):
            continue
        if found := _ENCODED.match(text, begins.start()):
            yield found
            place = found.end()


def _decode(kind: str | None, written: str) -> str:
    """Return what is meant; the same where it is no character that a text holds."""
    if kind in _MEANT:
        return _MEANT[kind]
    meant = _DECODERS[kind or ""](written)
    bare = plain_text(meant)
    if _is_text(bare):
        return bare
    is_nothing = meant and not any(unicodedata.category(one) == "Cc" for one in meant)
    return "" if is_nothing and not bare else written


def _read_octets(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _read_escapes(written: str) -> str:
    """Return characters by their numbers; two that are halves of one are joined."""
    codes = [
        int(number, 16) if number else int(octal, 8) for number, octal in _ESCAPE.findall(written)
    ]
    if all(octal for _, octal in _ESCAPE.findall(written)):
        return _read_octets(bytes(codes))
    halves = "".join(map(chr, (code for code in codes if code <= sys.maxunicode)))
    return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_json(written: str) -> str:
    last = written[-1]
    return _WHITE.get(last, last)


def _read_block(written: str) -> str:
    """Return what base64 says, the same where it says nothing legible."""
    bare = written.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        octets = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return written
    return _read_legible(octets) or written


def _read_legible(octets: bytes) -> str:
    """Return octets as text, nothing where they are none."""
    encoding = "utf-16-le" if octets[1::2].count(0) > len(octets) // 4 else "utf-8"
    try:
        text = octets.decode(encoding)
    except UnicodeDecodeError:
        return ""
    return text if len(text) >= _MIN_DECODED and _is_text(text.replace("\r", "")) else ""


def _read_codes(written: str) -> str:
    """Return the text of characters by their decimal numbers, nothing where they are none."""
    codes = [int(number) for number in _NUMBER.findall(written)]
    is_text = all(_FIRST_CODE <= code <= _LAST_CODE for code in codes)
    return "".join(map(chr, codes)) if is_text else ""


_DECODERS: Final[dict[str, Callable[[str], str]]] = {
    "percent": lambda written: _read_octets(unquote_to_bytes(written)),
    "quoted": lambda written: _read_octets(unquote_to_bytes(written.replace("=", "%"))),
    "entity": html.unescape,
    "escape": _read_escapes,
    "json": _read_json,
    "scheme": lambda written: written.replace("xx", "tt"),
    "colon": lambda written: written[1:-1],
    "spoken": lambda written: _SPOKEN_DOT.sub(".", _SPOKEN_AT.sub("@", written)),
    "apart": lambda written: written.replace(" ", ""),
    "form": fold_form,
    "codes": lambda written: _read_codes(written) or written,
    "script": lambda written: written.translate(LOOK_ALIKES),
    "base64": _read_block,
    "hexadecimal": lambda written: (
        _read_legible(bytes.fromhex(written.removeprefix("0x").replace(":", " "))) or written
    ),
}


def _is_text(meant: str) -> bool:
    return bool(meant) and all(one.isprintable() or one in "\n\t" for one in meant)
