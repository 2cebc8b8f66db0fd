# SPDX-License-Identifier: Apache-2.0
"""Names in positions where people stand, told by words that nobody knows.

At the end of a text, after "approved by" or "thx", and as two strange words side by side, a word
that is neither English nor of the trade is somebody: "thx meaghan", "full access for anvi chadha".
"""

# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, Final

from guardrails.account_words import is_account_like
from guardrails.expression_index import ExpressionIndex
from guardrails.findings import find_all
from guardrails.foreign_words import is_foreign_word
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import SYSTEM_ACCOUNTS, compile_bounded
from guardrails.spelling import is_misspelt
from guardrails.strange_words import is_compound
from guardrails.vocabulary import is_common, is_english, is_listed

_MIN_STRANGE: Final = 4
_CACHED_WORDS: Final = 20_000
_LATIN: Final = compile_bounded(r"[a-z\u00c0-\u024f\u1e00-\u1eff]+")
_CAPITAL_INSIDE: Final = compile_bounded(
    r"(?<!\bMc|\bMac|\bDe|\bDi|\bLe|\bLa|\bVan)(?<=\p{Ll})\p{Lu}"
)
_NOT: Final = ("n't", "n\u2019t")
_PART: Final = r"\p{L}[\p{L}\p{M}'\u2019-]{1,24}"
# The last words of a text, after a sentence or a line, a telephone number behind them.
_LAST: Final = compile_bounded(
    rf"(?:[.!?][ ]|\n)[ \t]{{0,8}}(?:[-\u2013/~][ ]?)?({_PART}(?:[ ]{_PART}){{0,2}})(?:,?[ ]\+?[\d ()/.-]{{7,18}}|,[ ][\p{{L}}&/ ]{{2,40}})?[.!]?\s{{0,8}}\Z"
)
_LAST_CHARACTERS: Final = 120
_BARE_INITIALS: Final = compile_bounded(
    r"(?:(?m:^)[ \t]{0,4}[-\u2013/~]?[ ]?|[.!?][ ][-\u2013/~]?[ ]?|\b(?i:by|from|initials:?)[ ]|\b(?i:cheers|thanks|thx|regards|br|merci|gracias|gr\u00fc\u00dfe|vg|lg),?[ ])\K(?!(?:U\.S|U\.K|E\.U|P\.S|P\.O|N\.B|A\.M|P\.M|I\.T|Q\.A|I\.D|H\.R|O\.K)\.)(?:\p{Lu}\.){2,3}(?=[ \t]{0,4}(?:(?m:$)|[,;]))"
)
_SIGN: Final = compile_bounded(
    r"(?<=[.!?\n][ ]{0,2})[/~-]\K(?!(?:OK|NO|AM|PM)\b)\p{Lu}{2,3}(?=[ \t]{0,4}(?m:$))"
)
# Two words in small letters, side by side.
_PAIR: Final = compile_bounded(
    r"(?<![\w./\\@%$&+~`#=<'\u2019-])(\p{Ll}[\p{Ll}\p{M}'\u2019-]{2,24})[ ](?=(\p{Ll}[\p{Ll}\p{M}'\u2019-]{2,24})(?![\p{L}\p{M}\d_@\\/(`=:]|[.-]\w))"
)
# As directories and forms write people: `Stone, M.`
_INITIAL_BEHIND: Final = compile_bounded(
    r"(?<![\w./@-])(?:(?:van|von|de|der|den|da|di|del|la|le|el|al|bin|ter|ten)[ ]){0,2}\p{Lu}[\p{L}\p{M}'\u2019-]{1,24},[ ]\p{Lu}\.(?:[ ]?\p{Lu}\.)?(?![\w.]|[ ]\p{Ll}\.)"
)
# Two words with capitals, side by side.
_TITLED_PAIR: Final = compile_bounded(
    r"(?<![\w./\\@%$&+~`#=<'\u2019-])(\p{Lu}[\p{Ll}\p{M}'\u2019-]{2,24})[ ](?=(\p{Lu}[\p{Ll}\p{M}'\u2019-]{2,24})(?![\p{L}\p{M}\d_@\\/(`=:]|[.-]\w))"
)
# After these stands somebody, if the word is no other.
_CUE: Final = compile_bounded(
    r"(?<![\w-])(?i:(?:approved|requested|reported|renewed|tested|checked|reviewed|signed|confirmed|authori[sz]ed|escalated|closed|opened|handled|raised|resolved|fixed|verified|agreed|called|reset|done)[ ]by|asked|per|cc|thx|thanks|tnx|cheers|regards|gracias|danke|merci|grazie|saludos|gru\u00df|gru\u00dfe|viele[ ]gr\u00fc\u00dfe|cordialement|hi|hey|hello|dear|ask|tell|told|remind|inform(?:ed)?|to[ ]\+?[\d ()/-]{7,20}[ ]for)[ ,]{1,2}\K(\p{L}[\p{Ll}\p{M}'\u2019-]{2,24})(?=[ ]?(?:[,;!?\n)]|\.(?!\w)|\Z|[ ](?:until|till|from|to|and|for|at|on|in|has|is|was|can|will|please|pls)\b))"
)
# Who did something, if the word is like no other.
_BY: Final = compile_bounded(
    r"(?<![\w-])(?i:\p{L}{2,12}ed|run|done|made|sent|seen|set|written|taken)[ ]by[ ]\K([\p{L}][\p{Ll}\p{M}'\u2019]{3,24})(?![\w@\\/(`=>-]|\.\w)"
)
# Somebody has been told, or will do something.
_TOLD: Final = compile_bounded(
    r"(?:(?m:^)|[.!?][ ])\K(\p{Lu}[\p{L}\p{M}'\u2019-]{1,24})(?=[ ](?:informed|notified|to[ ](?:observe|monitor|test|confirm|call[ ]back|follow[ ]up|check|report|verify)|happy|confirmed|will[ ](?:call|test|check|confirm|report|bring|come))(?![\w-]))"
)
_NOT_TOLD: Final = frozenset(
    "user users customer customers caller team manager vendor client everyone everybody all staff requester"
    " security support helpdesk business system service monitoring they we he she nobody owner engineer"
    " technician please network management supplier it you who agent sla device issue ticket".split()
)


def find_names_by_position(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of people."""
    match = _LAST.search(text, max(0, len(text) - _LAST_CHARACTERS))
    if match and _are_names(match[1].split(), is_alone=True):
        yield match.span(1)
    for place in _index_positions().list_possible(text):
        expression, tells = _POSITIONS[place]
        for match in find_all(expression, text):
            if tells is None or tells(match):
                yield (
                    (match.start(1), match.end(match.lastindex))
                    if match.lastindex
                    else match.span()
                )


def _are_names(words: list[str], *, is_alone: bool) -> bool:
    """Say whether words are names: none is English, and one is known or unlike all that is.

    Args:
        words: side by side.
        is_alone: whether nothing else stands there, so that an English word may be a name.

    """
    if any(word.isupper() and len(word) > 1 for word in words):
        return False
    if any(word.endswith(_NOT) or _CAPITAL_INSIDE.search(word) for word in words):
        return False
    lower = [word.lower() for word in words]
    fits = all(
        _is_no_word(small) or _is_listed(word) for small, word in zip(lower, words, strict=True)
    )
    if not fits and (not is_alone or len(words) == 1 or any(map(is_common, lower))):
        return False  # nearly all pairs end here, at their first word
    has_listed = any(map(_is_listed, words))
    if not (has_listed or any(map(_is_strange, lower))):
        return False
    return not fits or has_listed or not any(map(is_account_like, lower))


def _is_listed(word: str) -> bool:
    return is_listed(word, given=True) or is_listed(word, given=False)


@lru_cache(maxsize=_CACHED_WORDS)
def _is_no_word(lower: str) -> bool:
    """Say whether a word is neither English, nor computing, nor of our neighbours."""
    letters = _join(lower)
    if len(letters) < _MIN_STRANGE or not letters.isalpha() or not _LATIN.fullmatch(letters):
        return False
    if letters in TECHNICAL or letters in SYSTEM_ACCOUNTS or is_foreign_word(letters):
        return False
    return not is_english(letters)


@lru_cache(maxsize=_CACHED_WORDS)
def _is_strange(lower: str) -> bool:
    """Say whether a word is not even nearly one, nor two."""
    letters = _join(lower)
    return _is_no_word(lower) and not (is_misspelt(letters) or is_compound(letters))


def _join(word: str) -> str:
    return word.replace("'", "").replace("\u2019", "").replace("-", "")


def _is_pair(match: Any) -> bool:
    return _are_names([match[1], match[2]], is_alone=False)


def _is_strange_pair(match: Any) -> bool:
    return _is_strange(match[1].lower()) and _is_strange(match[2].lower())


def _is_cued(match: Any) -> bool:
    return _is_no_word(match[1].lower()) or is_listed(match[1], given=True)


def _is_strange_alone(match: Any) -> bool:
    return _is_strange(match[1].lower())


def _is_told(match: Any) -> bool:
    return match[1].lower() not in _NOT_TOLD and not is_common(match[1].lower())


# Where somebody may stand, and what of the words there says that somebody does; None: nothing need.
_POSITIONS: Final[tuple[tuple[Any, Callable[[Any], bool] | None], ...]] = (
    (_BARE_INITIALS, None),
    (_SIGN, None),
    (_INITIAL_BEHIND, None),
    (_PAIR, _is_pair),
    (_TITLED_PAIR, _is_strange_pair),
    (_CUE, _is_cued),
    (_BY, _is_strange_alone),
    (_TOLD, _is_told),
)


@cache
def _index_positions() -> ExpressionIndex:
    return ExpressionIndex([expression.pattern for expression, _ in _POSITIONS])
