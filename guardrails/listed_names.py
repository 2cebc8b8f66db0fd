# SPDX-License-Identifier: Apache-2.0
"""People whom our lists of names know, wherever they stand and however they are written.

The name model asks whether a sentence speaks for a name. A listed given name needs no sentence:
"priya at the front desk", "mbp-dal884 -> done (Noora)". Names that are words of prose, computing
or the trade ("Will", "Chase", "Norton") are left to what else finds people. What stands beside a
listed name and could be a name belongs to it.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

from collections.abc import Iterator
from typing import Final

from guardrails.findings import find_all
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import PARTICLE, compile_bounded
from guardrails.plain_words import is_plain
from guardrails.spelling import is_misspelt
from guardrails.vocabulary import is_common, is_english, is_listed

_PART: Final = r"\p{L}[\p{L}\p{M}]*(?:['\u2019-]\p{L}[\p{L}\p{M}]*)*"
_WORD: Final = compile_bounded(
    r"(?<![\w./\\@%$&+~`#=<'\u2019-])\p{L}[\p{L}\p{M}]{2,24}(?:['\u2019-]\p{L}[\p{L}\p{M}]{1,20})?(?![\p{L}\p{M}\d_@\\(`=]|[.-]\w|/\w+/)"
)
# Given names that are abbreviations, words or parts of them, too.
_AMBIGUOUS: Final = frozenset(
    """
    hung tone sid isa jun jan may april june char lan san can min long son sun ray van mac sara sam
    tam nam dung hai bao phong hong hoa lam may tin bin ben tan ram mel nat cat les lee jet jed
    dat das dev del ali amin ami ana ani art ash ava bea dan dee dom don eli eve fay flo gil ian ima
    ina ira ivy jay jem kai kit lam lea lex lin liv loc mai mat max meg mia moe neo nil nina noa non
    nur oki ole pam pim pip quan rae rex rik roy rui sal sol sky suk tai tao tat thi tho tia tom ton
    tri ulf una uri val vic wan wei win xin yan yen zac zen com net org adi api siri vera roman
    asahi asia bas bent chad claus divine doha duc ebony fang ferry florence gang georgia harsh hind imam
    innocent ion jihad joke karma kata lama lev liga loan lone mega mate mercedes mere milan misty pau
    pere puck rehab rego rim rio roar rune saga sahib salem sri stein sultan tea tore tram trent tuba
    umm vida viral virginia yoga nada haven honor cadence autumn raven gage wren maverick sterling otis
    marigold octavia journee cohen tine tudor florin angus maxim pascal harper sander evert addison
    yumi nevada ivory ebony summer aurora alla alba jordan paris sydney victoria sierra dakota alexa
    cortana bixby jasper jenkins eclipse phoenix atlas orion nova echo
    """.split()
)  # fmt: skip
# Programs have capitals inside; of names, those that begin so.
_CAMEL: Final = compile_bounded(r"(?!Mc|Mac|De|Di|Fitz|Van|La|Le|O)\p{Lu}\p{Ll}+\p{Lu}\p{L}*")
_SHORT: Final = 3
_ACRONYM: Final = 4
_RIGHT: Final = compile_bounded(
    rf"[ ](?:{PARTICLE}[ ]){{0,2}}(?:\p{{Lu}}\.[ ]){{0,2}}(\p{{Lu}}[\p{{L}}\p{{M}}'\u2019-]{{1,30}}|\p{{Lu}}\.?(?![\w'\u2019]))(?![\w@\\(])"
)
_LEFT: Final = compile_bounded(
    rf"(?<![\w./\\@'\u2019-])((?:\p{{Lu}}[\p{{L}}\p{{M}}'\u2019-]{{1,30}}[ ](?:{PARTICLE}[ ]){{0,2}}|\p{{Lu}}\.[ ]?){{1,3}})\Z"
)
_RIGHT_COMMA: Final = compile_bounded(rf",[ ]({_PART})(?![\w@\\(.]\w|\w)")
_LEFT_COMMA: Final = compile_bounded(rf"(?<![\w./\\@'\u2019-])({_PART}),[ ]\Z")
_RIGHT_SMALL: Final = compile_bounded(r"[ ](\p{Ll}[\p{L}\p{M}'\u2019-]{2,20})(?![\w@\\(.]\w|\w)")
_REACH: Final = 70
_TITLE: Final = compile_bounded(r"(?i)\b(?:mrs?|ms|miss|mx|dr|prof|herr|frau|mme|sra?|sig)\.?[ ]\Z")


def find_listed_names(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of people."""
    done = 0
    for match in find_all(_WORD, text):
        start, end = match.span()
        if start < done:
            continue
        word = match.group()
        if _is_given(word):
            start, end = _extend(text, start, end, small=word.islower())
        elif not word.islower() and _is_family(word):
            start, end = _extend(text, start, end, small=False)
        else:
            continue
        yield start, end
        done = end


def _is_given(word: str) -> bool:
    if _CAMEL.match(word) or not is_listed(word, given=True):
        return False
    lower = word.lower()
    if lower in _AMBIGUOUS or lower in TECHNICAL:
        return False
    if len(word) <= _SHORT and not word.istitle():
        return False
    return not (word.isupper() and len(word) <= _ACRONYM)


def _is_family(word: str) -> bool:
    if _CAMEL.match(word) or not is_listed(word, given=False) or word.lower() in TECHNICAL:
        return False
    return not (word.isupper() and len(word) <= _ACRONYM)


def _extend(text: str, start: int, end: int, *, small: bool) -> tuple[int, int]:
    """Return a name with what beside it belongs to it."""
    if small:
        match = _RIGHT_SMALL.match(text, end)
        if match and _may_be_small(match[1]):
            end = match.end()
    else:
        for _ in range(3):
            match = _RIGHT.match(text, end)
            if not match or (is_plain(match[1]) and not _is_known(match[1])):
                break
            end = match.end(1)
        match = _LEFT.search(text, max(0, start - _REACH), start)
        if match and _may_be_before(match[1]):
            start = match.start(1)
    match = _RIGHT_COMMA.match(text, end)
    if match and _may_be_other(match[1], small=small):
        end = match.end(1)
    match = _LEFT_COMMA.search(text, max(0, start - _REACH), start)
    if match and _may_be_other(match[1], small=small):
        start = match.start(1)
    if match := _TITLE.search(text, max(0, start - 8), start):
        start = match.start()
    return start, end


def _is_known(word: str) -> bool:
    return is_listed(word, given=False) or is_listed(word, given=True)


def _may_be_small(word: str) -> bool:
    """Say whether a word in small letters after a given name may be a family name."""
    if is_listed(word, given=False):
        return True
    return not (is_english(word) or is_misspelt(word))


def _may_be_before(words: str) -> bool:
    """Say whether words with capitals before a name are names: none is one of prose."""
    parts = [part for part in words.replace(".", " ").split() if len(part) > 1]
    return all(not is_common(part.lower()) for part in parts)


def _may_be_other(word: str, *, small: bool) -> bool:
    """Say whether what a comma divides from a name is its other part, and no list goes on."""
    if small != word.islower():
        return False
    return (
        is_listed(word, given=False)
        or is_listed(word, given=True)
        or (not small and not is_common(word.lower()) and word.lower() not in TECHNICAL)
    )
