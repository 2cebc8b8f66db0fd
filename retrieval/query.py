# SPDX-License-Identifier: Apache-2.0
"""What is searched for when somebody pastes a ticket: long, noisy, masked text.

Pseudonyms, quoted mail, greetings, sign-offs, addresses and blobs say nothing about a failure and
are left out of the words and the meaning; exact signals are taken before anything is left out. A
text longer than the embedding model reads is cut into windows, whose mean vector is its meaning.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.keywords import cut_marks
from retrieval.signals import list_signals

MAX_CHARACTERS = 8_000  # what is beyond is not read; the cache keeps what it is given
WINDOW_WORDS = 180
MAX_WINDOWS = 4
PSEUDONYM = re.compile(r"<[A-Z][A-Z_]{1,15}_\d{1,6}>")
_ADDRESS = re.compile(r"\b(?:https?|ftp|file)://\S+", re.IGNORECASE)
_BLOB = re.compile(r"\b[A-Za-z0-9+/=_-]{48,}\b")
# Blanks here never span lines, nor meet other blanks: else empty lines would take hours to read.
_QUOTED = re.compile(r"^[^\S\n]*(?:>|\|).*$", re.MULTILINE)
_CEREMONY = re.compile(
    # A greeting of any words ends in a comma; "Hello my printer is dead" is none.
    r"^[^\S\n]*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))\b(?:[^\n.!?,:]{0,40}[,:]"
    r"|(?: (?:there|all|team|everyone|folks|colleagues|it|help|service|desk|support)){0,4}[!.]?)"
    r"|(?:many )?thanks?(?: you)?(?: (?:in advance|a lot|so much))?[^\n]{0,20}"
    r"|(?:(?:kind|best|warm)[^\S\n]+)?regards[^\n]{0,40}|cheers[^\n]{0,20}"
    r"|sent from my [^\n]{0,40})[^\S\n]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """A text as it is searched for: its words, windows of them, and its exact signals."""

    text: str
    windows: tuple[str, ...]
    signals: tuple[str, ...]


def understand_query(text: str) -> SearchQuery:
    """Read a masked text of any length; never fails, and yields an empty text for nothing."""
    text = text[:MAX_CHARACTERS].encode(errors="replace").decode()
    text = unicodedata.normalize("NFC", cut_marks(text))
    text = text.replace("\x00", " ")
    signals = list_signals(text)
    bare = _BLOB.sub(" ", _ADDRESS.sub(" ", PSEUDONYM.sub(" ", text)))
    bare = _CEREMONY.sub(" ", _QUOTED.sub(" ", bare))
    words = bare.split() or text.split()
    read = " ".join([*words, *_respell(signals, text.lower())])
    return SearchQuery(text=read, windows=_cut(words), signals=signals)


def _respell(signals: Sequence[str], text: str) -> list[str]:
    """Return the result codes that the text has in decimal, in hexadecimal: as articles do."""
    codes = (one.removeprefix("code:") for one in signals if one.startswith("code:"))
    return [code for code in codes if code not in text]


def _cut(words: Sequence[str]) -> tuple[str, ...]:
    windows = [
        " ".join(words[start : start + WINDOW_WORDS])
        for start in range(0, len(words), WINDOW_WORDS)
    ]
    return tuple(windows[:MAX_WINDOWS]) or ("",)
