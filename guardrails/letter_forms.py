# SPDX-License-Identifier: Apache-2.0
"""Letters, digits and marks of ASCII in another form: fullwidth, in circles, mathematical, raised.

Unicode's compatibility forms (NFKC) as far as they are one character of ASCII or two or three, and
what it has no such form for: letters in filled circles and squares, pairs of regional letters,
angle brackets. Signs that ordinary texts have are not among them.
"""

import unicodedata
from functools import cache
from typing import Final

# A set of characters, as expressions write it.
FORMS: Final = (
    "\u00aa\u00ba\u02b0-\u02b8\u02e1-\u02e3\u1d2c-\u1d6a\u2039\u203a\u2070-\u209c\u2100-\u2102"
    "\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59\u2104-\u2108\u210a-\u2115\u2117-\u211f\u2124-\u214f\u2160-\u217f\u2329\u232a\u2460-\u24ff"
    "\u276e\u276f\u2776-\u2793\u27e8\u27e9\u3002\u3008\u3009\ufb00-\ufb06\ufe50-\ufe6b\uff01-\uff61"
    "\U0001d400-\U0001d7ff\U0001f100-\U0001f189\U0001f1e6-\U0001f1ff"
)
_BRACKETS: Final = {
    **dict.fromkeys("\u2039\u2329\u276e\u27e8\u3008", "<"),
    **dict.fromkeys("\u203a\u232a\u276f\u27e9\u3009", ">"),
}
# (first, last, what the first stands for): letters and digits in their order.
_ROWS: Final = (
    (0x1F150, 0x1F169, "A"), (0x1F170, 0x1F189, "A"), (0x1F1E6, 0x1F1FF, "A"),
    (0x2776, 0x277E, "1"), (0x2780, 0x2788, "1"), (0x278A, 0x2792, "1"),
)  # fmt: skip
_IN_BRACKETS: Final = 3  # characters, `(a)`, which a circle is worth where Unicode knows no other


def fold_form(written: str) -> str:
    r"""Return a run of such characters as ASCII; what has no such meaning stays.

    >>> fold_form("\uff4a\u24d0\U0001d427\U0001f174")
    'janE'
    """
    return "".join(map(_fold_one, written))


@cache
def _fold_one(character: str) -> str:
    if character in _BRACKETS:
        return _BRACKETS[character]
    code = ord(character)
    for first, last, begins in _ROWS:
        if first <= code <= last:
            return chr(ord(begins) + code - first)
    meant = unicodedata.normalize("NFKC", str(unicodedata.decimal(character, character)))
    if len(meant) == _IN_BRACKETS and meant[0] == "(":
        meant = meant[1]
    meant = meant.replace("\u3002", ".")
    return meant if meant.isascii() and meant.isprintable() and " " not in meant else character
