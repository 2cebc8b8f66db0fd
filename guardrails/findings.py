# SPDX-License-Identifier: Apache-2.0
"""Findings of recognisers, and how many that overlap become spans of which no tail is left."""

# ruff: noqa: E501 - a regular expression does not read better in pieces

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.expression_index import ExpressionIndex
from guardrails.pattern_parts import DEVICE_WORD, PSEUDONYM
from guardrails.plain_words import is_plain
from guardrails.presidio_runtime import LocalRecognizer, RecognizerResult
from guardrails.stretches import Stretches
from guardrails.time_budget import left_seconds

Span = tuple[int, int, str]  # start, end, entity
CONTEXT_KEY: Final = "context_words"
# Numbers and names that everybody has and that a diagnosis needs.
_KEPT_FORMS: Final = (
    r"\b\d{1,6}(?:[ ]{1,3}\d{1,6})?[ ]?(?:k?Hz|MHz|GHz|ms|[KMGT]B|[KMG]bps|dBm|rpm|mAh)\b",
    r"\bKB\d{6,8}\b",
    r"\bCVE-\d{4}-\d{4,7}\b",
    r"\bMS\d{2}-\d{3}\b",
    r"\b(?:INC|REQ|CHG|RITM|PRB|TASK|SCTASK)\d{5,12}\b",
    r"\b0x[0-9a-f]{2,16}\b",
    r"\b(?:ERR|ERROR|NS_ERROR|STATUS|E)_[A-Z_]{3,60}\b",
    r"(?<![\w.])v?\d{1,5}(?:\.\d{1,6}){1,4}(?:-\d{1,4})?(?:\.?(?:el|fc|deb|ubuntu|build|rc|beta|b|r|p)\d{1,4})?(?![\w.]\w)",
    r"(?<![\w-])\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?(?![\w-])",
    r"\b(?:event|error|code|exit|status|result|stop|port|line|pid|process|thread|bug|issue|rfc)(?:[ ](?:id|code|number|no\.?))?[ :=#]{1,3}-?\d{1,10}\b(?!-\d)",
    r"\b(?:Windows|Win|Office|Server|SQL Server|Exchange|SharePoint|Visual Studio|Ubuntu|Debian|Fedora|macOS|OS X|iOS|Android|Chrome|Firefox|Edge|Java|Python)[ ]\d{1,4}(?:\.\d{1,4}){0,3}\b(?![-/]\d)",
    # a code of capitals and digits that is called an error, and ends what is said
    rf"(?<=\b(?:error|exception|fault|code|failed|failure)(?:[ ]code)?[ ]?[:=(]?[ ]?[\"'(]?)(?-i:(?!{DEVICE_WORD}-?\d)[A-Z]{{1,6}}-?[A-Z]{{0,5}}\d{{3,6}})(?=[\"').,;:!?]|[ ]?(?:\n|\Z))",
)
_KEPT_FORM: Final = regex.compile("(?i)" + "|".join(_KEPT_FORMS))
_CACHED_TEXTS: Final = 64  # each short, and soon asked about again by its thread
_NONE: Final = Stretches(())
# What such a form may be mistaken for; credentials and identities with check digits are never it.
_MISTAKABLE: Final = frozenset(
    [
        "HOST",
        "PHONE",
        "USERNAME",
        "SERIAL",
        "EMPLOYEE",
        "LICENCE",
        "PERSON",
        "LOCATION",
        "ORGANIZATION",
        "DATE",
        "BANK_ACCOUNT",
        "PASSPORT",
        "SSID",
        "MAC",
        "ADDRESS",
    ]
)


_GUESSING: Final = "NameRecogniser"
_GUESSED: Final = frozenset(("PERSON", "ORGANIZATION"))
_TITLE: Final = regex.compile(
    r"(?<![\p{L}\d.>])(?:M(?:rs?|s|iss|x)|D(?:r|ott|ipl)|Prof|Herr|Frau|Hr|Mme|Mlle|Sra?|Srta|Sig|Ing|mrs?|ms|dr|prof)(?:\.[ ]?|[ ])\Z"
)
_TITLE_CHARACTERS: Final = 8
_DATE: Final = "DATE"
_LETTERS: Final = regex.compile(r"\p{L}+")
TIMED_CHARACTERS: Final = 2048
_CERTAIN_SCORE: Final = 0.8  # its context says what it is


def make_result(
    recogniser: LocalRecognizer, entity: str, start: int, end: int, score: float,
    context: frozenset[str] | None = None,
) -> RecognizerResult:  # fmt: skip
    """Return a finding with its recogniser's name, and the words that would make it credible."""
    return RecognizerResult(
        entity_type=entity,
        start=start,
        end=end,
        score=score,
        recognition_metadata={
            RecognizerResult.RECOGNIZER_NAME_KEY: type(recogniser).__name__,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recogniser.id,
            CONTEXT_KEY: context,
        },
    )


def make_whole(entity: str, start: int, end: int) -> RecognizerResult:
    """Return a stretch that is masked whatever is in it."""
    return RecognizerResult(
        entity_type=entity,
        start=start,
        end=end,
        score=1.0,
        recognition_metadata={RecognizerResult.RECOGNIZER_NAME_KEY: "bound"},
    )


def find_all(expression: Any, text: str, start: int = 0, end: int | None = None) -> Iterator[Any]:
    """Return the matches of an expression of the `regex` library in a part of a text.

    A slow one fails, if the part is long.

    Its own timer costs more than most expressions, so it runs for long texts only: repetitions are
    bounded, and a short text is soon done.

    Raises:
        TimeoutError: the budget of time is spent; the text must not pass unmasked.

    """
    end = len(text) if end is None else end
    if end - start < TIMED_CHARACTERS:
        matches: Iterator[Any] = expression.finditer(text, start, end)
        return matches
    timed: Iterator[Any] = expression.finditer(text, start, end, timeout=left_seconds())
    return timed


def settle(text: str, findings: Sequence[RecognizerResult]) -> tuple[Span, ...]:
    """Return the spans to mask, in order and apart from each other.

    Findings that overlap become one span over all of them, named by the highest score, then the
    longest. Pseudonyms stay as they are. A KB number, version or error code is no host or phone.
    """
    if not findings:
        return ()
    kept, taken = _find_kept(text), _find_pseudonyms(text)
    stretches = []
    for finding in findings:
        if _is_prose(text, finding):
            continue
        if (
            finding.score < _CERTAIN_SCORE
            and finding.entity_type in _MISTAKABLE
            and kept.hold(finding.start, finding.end)
        ):
            continue
        for start, end in taken.leave_out(finding.start, finding.end):
            stretches.append((start, end, finding.entity_type, finding.score))
    spans = unite(stretches)
    titled = tuple(_take_in_title(text, span) for span in spans)
    if titled == spans:
        return spans
    return unite((start, end, entity, 1.0) for start, end, entity in titled)


def _find_kept(text: str) -> Stretches:
    """Return the places of KB numbers, versions and codes."""
    if len(text) < TIMED_CHARACTERS:
        return _find_kept_in_short(text)
    return Stretches(match.span() for match in _KEPT_FORM.finditer(text))


@lru_cache(maxsize=_CACHED_TEXTS)
def _find_kept_in_short(text: str) -> Stretches:
    """Return as `_find_kept`; it is asked several times of a text."""
    if not _index_kept_forms().find_possible(text):
        return _NONE
    return Stretches(match.span() for match in _KEPT_FORM.finditer(text))


@cache
def _index_kept_forms() -> ExpressionIndex:
    return ExpressionIndex(_KEPT_FORMS)


def _find_pseudonyms(text: str) -> Stretches:
    return Stretches(match.span() for match in PSEUDONYM.finditer(text)) if "<" in text else _NONE


def _take_in_title(text: str, span: Span) -> Span:
    """Return a person's span with the title before it: it is left of nobody."""
    start, end, entity = span
    if entity != "PERSON":
        return span
    title = _TITLE.search(text, max(0, start - _TITLE_CHARACTERS), start)
    return (title.start(), end, entity) if title else span


def _is_prose(text: str, finding: RecognizerResult) -> bool:
    """Say whether all words of a name that the model guessed are words of articles."""
    recogniser = finding.recognition_metadata[RecognizerResult.RECOGNIZER_NAME_KEY]
    if recogniser != _GUESSING or finding.entity_type not in _GUESSED:
        return False
    words = _LETTERS.findall(text, finding.start, finding.end)
    return all(len(word) == 1 or is_plain(word) for word in words)


def leave_pseudonyms(
    text: str, stretches: Iterable[tuple[int, int, str, float]]
) -> Iterator[tuple[int, int, str, float]]:
    """Yield what of stretches (start, end, entity, score) lies outside of pseudonyms."""
    taken = _find_pseudonyms(text)
    for start, end, entity, score in stretches:
        for first, last in taken.leave_out(start, end):
            yield first, last, entity, score


def leave_kept(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans without those that touch a pseudonym or are a KB number, version or code."""
    if not spans:
        return []
    kept, taken = _find_kept(text), _find_pseudonyms(text)
    return [
        (start, end, entity)
        for start, end, entity in spans
        if not taken.touch(start, end) and not (entity in _MISTAKABLE and kept.hold(start, end))
    ]


def add_inferred(text: str, spans: Sequence[Span], inferred: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans with what follows from them; what both cover is named as it was found.

    A date of birth that looks like a version is none: what stands beside it says what it is.
    """
    follows = list(inferred)
    more = leave_kept(text, [span for span in follows if span[2] != _DATE])
    more += [span for span in follows if span[2] == _DATE]
    if not more:
        return tuple(spans)
    found = ((start, end, entity, 1.0) for start, end, entity in spans)
    return unite((*found, *((start, end, entity, 0.0) for start, end, entity in more)))


def unite(stretches: Iterable[tuple[int, int, str, float]]) -> tuple[Span, ...]:
    """Return stretches (start, end, entity, score) in order, those that overlap as one span."""
    united: list[Span] = []
    best = (0.0, 0)
    for start, end, entity, score in sorted(stretches):
        if not united or united[-1][1] <= start:
            united.append((start, end, entity))
            best = (score, end - start)
            continue
        first, last, kind = united[-1]
        if (score, end - start) > best:
            best, kind = (score, end - start), entity
        united[-1] = (first, max(last, end), kind)
    return tuple(united)
