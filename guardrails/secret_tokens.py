# SPDX-License-Identifier: Apache-2.0
"""Passwords in any wording: what looks like one, near a word that speaks of credentials.

How people say a password is without end ("he wrote it on a sticky note: ...", "tried both ... and
..."), how it looks is not: letters mixed with digits and marks, no form that everybody has. The
stranger it looks, the less the words around it have to say.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.findings import find_all
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import compile_bounded
from guardrails.plain_words import PRODUCTS
from guardrails.vocabulary import is_english

_CUE: Final = compile_bounded(
    r"(?i)(?<![\p{L}\d_$%-])(?:pass(?:word|wort|wd|phrase|code|key|es)?s?|pwds?|pws?|psw|pswd|p/w|pins?|puk|kennw(?:ort|\u00f6rter)|mot[ ]de[ ]passe|mdp|contrase\u00f1a|clave|senha|has\u0142o|wachtwoord|l\u00f6senord|passord|adgangskode|parola|salasana|jelsz\u00f3|heslo"
    r"|credentials?|creds|secrets?|psk|wpa\d?|passphrases?|unlock[ ]code|door[ ]code|access[ ]code|(?:security|wi-?fi|network|wireless|wlan)[ ]key|otp|log[ -]?in[ ](?:details?|data|info)|logins?)(?![\p{L}\d_$-])"
)
# What people do with passwords, without naming them.
_DEED: Final = compile_bounded(
    r"(?i)\b(?:reset|set|changed?|switched)[ ](?:(?:it|this|that|her|his|him|hers|mine|them|theirs|the\s\w+|everything|everyone)[ ]){0,2}(?:back[ ])?(?:to|as)\b|\b(?:reset|changed)[ ]?(?:->|=>|\u2192|:)|\b(?:sticky|post-?it)(?:[ ]note)?s?\b|\bsign(?:s|ed|ing)?[ -]?in[ ]with\b|\blog(?:s|ged|ging)?[ -]?(?:in|on)[ ](?:with|using)\b"
    r"|\b(?:typ(?:ed|es|ing)|entered|enter|tried|tries|try|using|used|uses?|keyed)\b|\b(?:reject(?:s|ed|ing)?|refus(?:es|ed|ing)|not[ ]accept(?:ed|ing)?|won['\u2019]?t[ ]accept|too[ ](?:short|weak|similar)|complexity|compromised|written[ ]down|wrote[ ](?:it|down)|new[ ]one|old[ ]one|the[ ]old[ ]was|verbally|told[ ](?:the[ ])?(?:user|her|him|them)|over[ ]the[ ]phone|read[ ]out|forced?[ ](?:password[ ])?change|reset[ ]done|first[ ](?:login|logon|sign-in)|combination|combo|wi-?fi|wlan|hotspot|poster|printed)\b"
)
_QUICK: Final = compile_bounded(
    r"(?i)pass|pwd|\bpw|p/w|\bpins?\b|puk|kennw|mdp|contrase|clave|senha|has\u0142o|wachtw|l\u00f6sen|adgang|parola|salasana|jelsz|heslo|cred|secret|psk|wpa|code|key|otp|log|sign|reset|set|chang|switch|sticky|post-?it|typ|enter|tri|try|us(?:ed|ing|es)|keyed|reject|refus|accept|too |complex|compromis|wr(?:itten|ote)|one\b|verbal|told|phone|read|force|first|combi?|wi-?fi|wlan|hotspot|poster|print"
)
_NAMES_ONE: Final = compile_bounded(r"(?i)pass|pwd|\bpw\b|p/w|kennw|secret|\bkey|code|\bpin\b")
_CHUNK: Final = re.compile(r"\S{5,2048}")
_TOKEN: Final = compile_bounded(
    r"(?<![^\s\"'`(\[{<,;:=>|\u201c\u2018*/])[^\s\"'`(\[{<>|,;\u201c\u201d\u2018\u2019][^\s\"'`<>|,;\u201c\u201d\u2018\u2019]{3,63}"
)
_EDGES: Final = "\"'`([{<>|,;.:)]}!?*\u201c\u201d\u2018\u2019"
_MARKS: Final = frozenset("!#$&^%*?@+~=_.-")
_OUTER: Final = frozenset("!#$&^*?@+~")
_HARD: Final = frozenset("!#$&^*?%~+")
_SHORTEST, _USUAL = 6, 7  # characters
_MIN_LETTERS: Final = 3
_OUTER_MARKS: Final = ".:)]}"
# Forms that everybody has, whatever they stand beside.
_NO_SECRET: Final = compile_bounded(
    r"(?i)\w{1,12}://.*|www\..*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|.*[\\/].*|\$\w+|%.+%|--?[a-z].*|@\w+|#\w+|[\w.-]+\.(?:exe|dll|sys|msi|log|txt|ini|conf|cfg|json|xml|ps1|bat|cmd|zip|iso|docx?|xlsx?|pptx?|pdf|png|jpe?g|csv|html?|py|sh|js|dat|db|pst|ost|lnk|reg|plist|dmg|pkg|deb|rpm|com|net|org|local|service|md)"
    r"|(?:kb|cve-|ms)\d.*|0x[0-9a-f]+|v?\d+(?:[._-]\d+)*[a-z]{0,5}|\d+(?:[.,:]\d+)*(?:%|[a-z]{1,5})?|(?:\d+[x*]){1,2}\d+\w*|\d\dh\d|\{?[0-9a-f]{8}-.*|(?:inc|req|chg|ritm|prb|task|sctask|case|ticket|tkt|ref|bug|id|no|nr|event|error|code)[#:-]?\d+"
    r"|(?:ctrl|alt|shift|win|cmd|fn|esc|strg|option|command)\+.*|\w+\+\w{1,3}|[a-z]+-[a-z]+(?:-[a-z]+)*|[a-z]+_[a-z_]+|\d{1,2}(?:am|pm)(?:-.*)?|\d{1,2}:\d\d.*|(?:q[1-4]|fy|h[12])[-/]?\d{2,4}|\d+(?:st|nd|rd|th)|\w{1,3}\d|\d\w{1,3}|[a-z]{2,8}=\S*|.*[({\[].*|<.*|.*(?:\.\.\.|\u2026).*|x{3,}\S*|[*\u2022#]+|.*\)\..*|[=?@].*|u?int\d+&|.*%[0-9a-f]{2}.*|\w+[?&]\w+=.*|(?:microsoft|windows|office|mozilla|google|adobe)\w*.*|\d+-[a-z]+|\w+-(?:based|encoded|aware|only|like|style|compatible|enabled|bit)"
    # classes of programs, messages of banks, codes of directories
    r"|(?:[a-z_]\w{1,30}\.){2,8}(?-i:[A-Z][A-Za-z]{2,60})|(?:pain|camt|pacs|acmt|admi|auth|head|seev|sese|setr)\.\d{3}(?:\.\d{3}(?:\.\d\d)?)?|dsid-[0-9a-f]{8}|(?!\w*(?:pass|pwd|pin|key|secret|token))[a-z]+(?:_[a-z]+){1,3}=\d{1,5}"
    r"|[a-z]{1,10}\d{1,2}\.\d\w*|[a-z]{2,5}\d{0,3}(?:-[a-z]{2,8}\d{0,4}){2,}|(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
)
_MEMBER: Final = compile_bounded(r"[A-Z]\w*![A-Z][a-z]\w*")  # of Visual Basic
_LEET: Final = compile_bounded(r"(?i)p[a@4](?:s|\$|5){2}w[o0]rd")
# Groups of letters and digits as password managers make them: `7yz8-I0Ri-5ASt`.
_GROUPED: Final = compile_bounded(r"[A-Za-z\d]{3,7}(?:-[A-Za-z\d]{3,7}){2,4}")
_IRREGULAR: Final = compile_bounded(r"[a-z][A-Z]|[A-Z]{2}[a-z]|\d[a-z]+\d|[a-z]\d[a-z]")
_PAIR: Final = compile_bounded(r"[\w.@!-]{2,40}[ ]?/[ ]\Z")
# A code of capitals and digits behind "error" is what the error is called.
_CODE: Final = compile_bounded(r"[A-Z]{2,8}(?:-[A-Z]{0,8})?\d{2,6}[.!]?")
_CODE_BEFORE: Final = compile_bounded(
    r"(?i)\b(?:error|exception|fault|code)[ ]?[:=(]?[ ]?[\"'(]?\Z"
)
_CODE_REACH: Final = 16  # characters
_PIECES: Final = regex.compile(r"\p{L}+|\d+")
_MIN_CHARACTERS: Final = 4
_MANY_PIECES: Final = 4
_PAIR_CHARACTERS: Final = 44
_UNCUED, _STRONG, _MIXED, _CALM = 4, 3, 2, 1
# How many characters before and after a token words about credentials may stand: set by hand, not
# fitted (docs/masking.md, "Numbers in the rules").
_REACH: Final = {_STRONG: (150, 70), _MIXED: (90, 40), _CALM: (45, 0)}
# A phrase of several words, where it is said to be one.
_PHRASE: Final = compile_bounded(
    r"(?i)(?:\b(?:pass[ -]?phrase|pass(?:word|wort|code)?|pwd?|secret|kennwort|(?:wi-?fi|wlan|wireless|network|hotspot)[ ](?:key|code|password|pass))\b(?:[ ](?:for|of|on|to)[ ][\w.@ -]{2,40}?)?(?:[ ]?(?:is|was|:|=|->|to|as|says|reads|now|of)){0,3}[ ]{0,2}[\"\u201c]\K(?!(?:the|your|you|this|a|an|is|invalid|incorrect|wrong|access|login|sign|enter|please|forgot|reset|change|password|user\w*|must|never|don['\u2019]t|i)\b)[^\"\u201d\n]{4,80}(?=[\"\u201d])"
    r"|\bpass[ -]?phrase(?:[ ](?:for|of|on)[ ][^\n:=,.;]{2,40}?)?[ ]?(?:is|was|:|=)[ ]{1,2}\K(?!(?:not|too|no|the|in|on|stored|lost|gone|known|wrong|unknown|required|needed|expired|long|short)\b)\p{L}[\w'-]{1,15}(?:[ -]\p{L}[\w'-]{1,15}){2,7}(?=[ ]?(?:[.,;!?)\n]|\Z)))"
)
# "it is banana", at the end of what is said
_PLAIN: Final = compile_bounded(
    r"(?i)\b(?:pass(?:word|wort|code|phrase)?|pwd?|p/w|kennwort)(?:[ ](?:for|of|on|to)(?:[ ][\w.@\\-]{1,24}){1,7}?)?(?:[ ](?:is|was)(?:[ ](?:now|just|simply|still|literally|actually))?|[ ]?(?:->|=>|\u2192|=|:))[ ]{1,2}\K\p{L}[\w!?-]{3,30}(?=[ ]?(?:[.,;!)(\n]|\Z|[ ](?:and|but|pls|please|for[ ](?:now|both|all)|on[ ]both)\b))"
    r"|\b(?:pass(?:word|wort|code|phrase)?|pwd?|p/w|kennwort|pin|passcode)[ ]?(?::|is)[ ]?\n[ \t]{0,4}\K[^\s:]{4,64}(?=[ \t]*(?:\n|\Z))"
)
_STATES: Final = frozenset(
    """
    wrong correct incorrect invalid valid blank empty unknown known lost gone fine okay good short long
    weak strong required needed changed reset expired expiring rejected accepted refused denied
    forgotten visible hidden saved stored cached synced same different case-sensitive sensitive old new
    temporary permanent mandatory optional missing compromised leaked secure insecure safe unsafe
    ignored disabled enabled locked blocked working broken right ready encrypted hashed shared
    complex simple easy hard hers mine ours theirs always never protected there here okay true false
    yes none null nothing something everything below above attached redacted confidential private
    required-by-policy n/a unchanged outdated stale public plain visible
    """.split()
)  # fmt: skip


def find_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of passwords."""
    yield from _find_tokens(text)
    if _NAMES_ONE.search(text):
        yield from _find_said(text)


def _find_said(text: str) -> Iterator[tuple[int, int]]:
    for match in find_all(_PHRASE, text):
        yield match.span()
    for match in find_all(_PLAIN, text):
        word = match.group().lower().rstrip("!?")
        if word not in _STATES and not word.endswith(("ed", "ing", "able", "ible", "less", "ful")):
            yield match.span()


def _find_tokens(text: str) -> Iterator[tuple[int, int]]:
    candidates = [
        (start, start + len(token), strength)
        for start, token in _split(text)
        if (strength := rate_secret(token))
    ]
    if not candidates:
        return
    spoken = bool(_QUICK.search(text))
    cues = _Places(find_all(_CUE, text) if spoken else ())
    deeds = _Places(find_all(_DEED, text) if spoken else ())
    for start, end, strength in candidates:
        if strength == _UNCUED:
            yield start, end
            continue
        if _CODE.fullmatch(text, start, end) and _CODE_BEFORE.search(
            text, max(0, start - _CODE_REACH), start
        ):
            continue
        paired = strength >= _CALM and _PAIR.search(text, max(0, start - _PAIR_CHARACTERS), start)
        before, after = _REACH[_STRONG if paired else strength]
        if cues.are_near(text, start, end, before, after) or (
            (paired or strength >= _MIXED)
            and deeds.are_near(text, start, end, before // 2, after // 2)
        ):
            yield start, end


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield (start, token) of what is no mere word."""
    for chunk in _CHUNK.finditer(text):
        if chunk.group().strip(_EDGES).isalpha():
            continue
        for match in _TOKEN.finditer(text, *chunk.span()):
            token = match.group().rstrip(_OUTER_MARKS)
            if len(token) > _MIN_CHARACTERS and not token.isalpha():
                yield match.start(), token


class _Places:
    """Where words are, in order."""

    def __init__(self, matches: Iterable[Any]) -> None:
        places = [match.span() for match in matches]
        self._starts: Sequence[int] = [start for start, _ in places]
        self._ends: Sequence[int] = [end for _, end in places]

    def are_near(self, text: str, start: int, end: int, before: int, after: int) -> bool:
        """Say whether one is near a stretch, on its line or the next."""
        last = bisect_right(self._ends, start) - 1
        if last >= 0 and start - self._ends[last] <= before:
            return text.count("\n", self._ends[last], start) <= 1
        first = bisect_left(self._starts, end)
        return (
            first < len(self._starts)
            and self._starts[first] - end <= after
            and text.count("\n", end, self._starts[first]) <= 1
        )


def rate_secret(token: str) -> int:
    """Return how much a token looks like a password: 0 not at all, to 4 wherever it stands.

    >>> rate_secret("Tr0ub4dor&3"), rate_secret("Windows11"), rate_secret("sign-in")
    (4, 0, 0)
    """
    bare = token.rstrip("!?")
    if _GROUPED.fullmatch(bare) and _IRREGULAR.search(bare):
        return _MIXED
    if len(token) <= _MIN_CHARACTERS or _NO_SECRET.fullmatch(bare) or _is_product(bare):
        return 0
    if _MEMBER.fullmatch(token):
        return _STRONG
    look = _look_at(token, bare)
    if _LEET.match(token) and look.digits:
        return _UNCUED
    return next((rating for rating, fits in _RATINGS if fits(look)), 0)


class _Look(NamedTuple):
    """What a token is made of.

    Attributes:
        length: in characters.
        digits, upper, lower: how many of each.
        joined: whether a mark stands inside.
        equated: whether one of `@=+` stands inside.
        hard: whether a mark that no ordinary word has stands inside, or beside digits outside.
        closed: whether such a mark stands before the final `!` or `?`.
        humped: whether it begins small and has capitals inside.

    """

    length: int
    digits: int
    upper: int
    lower: int
    joined: bool
    equated: bool
    hard: bool
    closed: bool
    humped: bool


def _look_at(token: str, bare: str) -> _Look:
    digits, upper = sum(map(str.isdigit, token)), sum(map(str.isupper, token))
    inner = set(bare[1:-1]) & _MARKS
    outer = set(token[-1] + token[0]) & _OUTER
    hard = (inner | outer if digits else inner) & _HARD
    return _Look(
        length=len(token),
        digits=digits,
        upper=upper,
        lower=sum(map(str.islower, token)),
        joined=bool(inner),
        equated=bool(inner & set("@=+")),
        hard=bool(hard),
        closed=bool(hard & (inner | set(bare[-1:]))),
        humped=upper > 1 and token[0].islower(),
    )


_RATINGS: Final[tuple[tuple[int, Callable[[_Look], bool]], ...]] = (
    (
        _UNCUED,
        lambda one: bool(
            one.digits and one.upper and one.lower and one.closed
            and one.upper + one.lower >= _MIN_LETTERS and one.length >= _USUAL
        ),
    ),
    (_STRONG, lambda one: bool(one.hard and (one.upper or one.digits) and one.lower)),
    (_STRONG, lambda one: bool(one.digits and one.equated and one.lower)),
    (_MIXED, lambda one: bool(one.digits and one.upper and one.lower and one.length >= _SHORTEST)),
    (_MIXED, lambda one: bool(one.digits and one.joined and one.upper + one.lower > _MIN_LETTERS)),
    (_CALM, lambda one: one.hard and one.length >= _USUAL),
    (
        _CALM,
        lambda one: bool(
            one.digits and one.upper + one.lower > _MIN_LETTERS and one.length >= _SHORTEST
        ),
    ),
    (_CALM, lambda one: one.humped and one.lower > 1 and one.length >= _USUAL),
)  # fmt: skip


def _is_product(token: str) -> bool:
    """Say whether it begins with a product or a standard, and goes on with numbers and its like."""
    pieces = _PIECES.findall(token)
    if not pieces:
        return True
    letters = [piece.lower() for piece in pieces if piece.isalpha()]
    head = letters[0] if letters else ""
    if head in PRODUCTS:
        return True
    plain = all(one in TECHNICAL or is_english(one) for one in letters)
    if head in TECHNICAL and len(pieces) < _MANY_PIECES and plain:
        return not any(one in token for one in "!#$&^*?")
    return not any(one.isdigit() for one in token) and "-" in token
