# SPDX-License-Identifier: Apache-2.0
"""Which characters a document's text may hold: those that a person sees, and line breaks.

Control, format, bidirectional and tag characters go, and fillers that show nothing: they hide
instructions from a reader, not from a model. The rest is brought to NFC. Joiners stay where a
script or an emoji needs them: single, between two characters beyond ASCII.
"""

import re
import unicodedata

_LINE_BREAKS = re.compile("\r\n?|[\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
# Combining grapheme joiner, fillers, variation selectors and Mongolian separators show nothing.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000e-\u001b\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f"
    "\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_STRAY_JOINERS = re.compile(
    "[\u200c\u200d\ufe0f]{3,}|(?<![^\x00-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f])"
)
_BULLETS = str.maketrans({"\uf0b7": "•", "\uf0a7": "•", "\uf0d8": "•", "\uf02d": "-"})
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def normalise_characters(text: str) -> str:
    """Return the text in NFC with line feeds, and nothing that a person cannot see."""
    if text.isascii() and text.isprintable():
        return text
    text = _SPACES.sub(" ", _LINE_BREAKS.sub("\n", text))
    text = _INVISIBLE.sub("", text.translate(_BULLETS))
    text = _STRAY_JOINERS.sub("", _PRIVATE.sub("", text))
    return unicodedata.normalize("NFC", text)
