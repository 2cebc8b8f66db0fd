# SPDX-License-Identifier: Apache-2.0
"""Finds personal data in a text: the analyser, run over pieces, and its findings settled."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from guardrails.encoded_text import DecodedText, may_be_encoded
from guardrails.errors import MaskingError
from guardrails.findings import Span, add_inferred, leave_pseudonyms, make_whole, settle, unite
from guardrails.long_stretches import find_long
from guardrails.name_recogniser import DOUBTFUL, NameRecogniser
from guardrails.pattern_parts import LANGUAGE, PSEUDONYM
from guardrails.presidio_runtime import RecognizerResult
from guardrails.recognisers import build_analyser
from guardrails.record_rows import find_in_rows
from guardrails.spelling import load_words
from guardrails.stand_ins import TextWithStandIns, merge
from guardrails.stretches import Stretches
from guardrails.time_budget import is_first_overrun, left_seconds, seconds_for, spend_at_most
from kernel.logs import get_logger

_PIECE_CHARACTERS: Final = 32_768
# What a piece shares with the next: longer than what is found by one expression, keys included.
_SHARED_CHARACTERS: Final = 4096
# What is beyond is masked wholly: callers take less, but for an object of many strings.
MAX_CHARACTERS: Final = 2_000_000
_PIECE_SECONDS: Final = 5.0
_WHOLE: Final = "SECRET"
_FIRST_TEXT: Final = "Is 5 Main Street the address?"
_MASKED_WHOLLY: Final = "a part of a text is masked wholly"
_MAX_LOOKS: Final = 8
_ROUNDS_OF_ROWS: Final = 2
_NEARBY_CHARACTERS: Final = 2048
_CACHED_TEXTS: Final = 4096
_CACHED_CHARACTERS: Final = 256
_log = get_logger(__name__)
Recognise = Callable[[str], list[RecognizerResult]]


class SpanFinder:
    """Finds spans. Safe to call from several threads; short texts are remembered.

    Args:
        name_models: the folder of the models that recognise names of outsiders; None is without.

    """

    def __init__(self, name_models: Path | None = None) -> None:
        self._forget()
        self._names = [] if name_models is None else [NameRecogniser(name_models, self._forget)]
        self._analyser = build_analyser(*self._names)
        load_words()
        self._run_all(_FIRST_TEXT)  # what is made of expressions when they are first asked about

    @property
    def knows_outsiders(self) -> bool:
        """Whether names are recognised that neither directory nor context gives away."""
        return any(recogniser.is_trained for recogniser in self._names)

    def _forget(self) -> None:
        """Forget what was found in short texts, since more is found from now on."""
        self._find_short = lru_cache(maxsize=_CACHED_TEXTS)(self._find_long)

    def find(self, text: str) -> tuple[Span, ...]:
        """Return the spans of personal data, in order and apart from each other.

        What cannot be looked at within the bounds of size and of time is a span as a whole.

        Raises:
            MaskingError: the analysis failed; the text must not be passed on.

        """
        if len(text) > _CACHED_CHARACTERS:
            return self._find_long(text)
        try:
            left_seconds()
        except TimeoutError:  # not remembered: the text itself is soon looked at
            _tell_overrun(len(text))
            return ((0, len(text), _WHOLE),) if text.strip() else ()
        return self._find_short(text)

    def _find_long(self, text: str) -> tuple[Span, ...]:
        if len(text.strip()) < 2 or (text.isdigit() and len(text) < 9):
            return ()
        if len(text) > MAX_CHARACTERS:
            beyond = (MAX_CHARACTERS, len(text), _WHOLE)
            _log.warning(_MASKED_WHOLLY, reason="too long", characters=len(text) - MAX_CHARACTERS)
            return (*self._find_long(text[:MAX_CHARACTERS]), beyond)
        with spend_at_most(seconds_for(1, len(text))):
            if not may_be_encoded(text):
                return self._find_plain(text)
            decoded = DecodedText(text)
            changed = decoded.list_changed()
            if not changed:
                return self._find_plain(text)
            readings = [decoded]
            if decoded.is_doubtful:
                readings.append(DecodedText(text, keeps_backslashes=True))
            meant = (
                (*reading.find_place(start, end), entity, 1.0)
                for reading in readings
                for start, end, entity in self._find_plain(reading.text)
            )
            written = self._find_around(text, changed)
            return unite((*written, *leave_pseudonyms(text, meant)))

    def _find_around(
        self, text: str, changed: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int, str, float]]:
        """Yield what is found in the text as it is written, near what is meant otherwise."""
        for first, last in _surround(text, changed):
            for start, end, entity in self._find_plain(text[first:last]):
                yield first + start, first + end, entity, 1.0

    def _find_plain(self, text: str) -> tuple[Span, ...]:
        long = find_long(text)
        if long:
            characters = sum(end - start for start, end in long)
            _log.warning(
                _MASKED_WHOLLY,
                reason="a word or a key too long",
                characters=characters,
                stretches=len(long),
            )
        pseudonyms = [match.span() for match in PSEUDONYM.finditer(text)]
        taken = merge([*pseudonyms, *long])
        findings = [make_whole(_WHOLE, start, end) for start, end in long]
        found, doubtful = _part_doubtful(self._analyse(text, Stretches(taken), self._run_all))
        findings += found
        spans = settle(text, findings)
        # A name that is masked gives its neighbours away, or a model would the next time.
        fresh: Sequence[Span] = spans
        for _ in range(_MAX_LOOKS):
            taken = merge([*pseudonyms, *((start, end) for start, end, _ in spans)])
            doubtful = Stretches(taken).list_outside(doubtful)
            if not fresh or not doubtful:
                break
            found, more = _part_doubtful(self._look_again(text, taken, fresh, doubtful))
            if not found:
                break
            findings += found
            doubtful += more
            before, spans = frozenset(spans), settle(text, findings)
            fresh = [span for span in spans if span not in before]
        for _ in range(_ROUNDS_OF_ROWS):  # a number gives its neighbour away, and that a name
            before_row = spans
            spans = add_inferred(text, spans, find_in_rows(text, spans))
            if spans == before_row:
                break
        return spans

    def _look_again(
        self,
        text: str,
        taken: Sequence[tuple[int, int]],
        fresh: Sequence[Span],
        doubtful: Sequence[tuple[int, int]],
    ) -> list[RecognizerResult]:
        """Return what the name model finds of the doubtful words beside what is masked now."""
        known, wanted = Stretches(taken), Stretches(merge(doubtful))
        return [
            finding
            for first, last in _surround(text, [(start, end) for start, end, _ in fresh])
            if wanted.touch(first, last)
            for finding in self._analyse(text, known, self._run_names, first, last)
            if not known.hold(finding.start, finding.end)
        ]

    def _analyse(
        self, text: str, taken: Stretches, run: Recognise, first: int = 0, last: int | None = None
    ) -> list[RecognizerResult]:
        """Return the findings in a part of a text whose taken stretches are stood in for."""
        part = text[first:last]
        seen = TextWithStandIns(part, taken.cut(first, first + len(part)))
        findings: list[RecognizerResult] = []
        for start, end in _cut(seen.shown):
            for finding in _look_at(seen.shown[start:end], run):
                begins, ends = seen.find_place(finding.start + start, finding.end + start)
                finding.start, finding.end = begins + first, ends + first
                findings.append(finding)
        return findings

    def _run_all(self, text: str) -> list[RecognizerResult]:
        return self._analyser.analyze(text, LANGUAGE)

    def _run_names(self, text: str) -> list[RecognizerResult]:
        return [
            finding
            for recogniser in self._names
            for finding in recogniser.analyze(text, recogniser.supported_entities)
        ]


def _part_doubtful(
    findings: Sequence[RecognizerResult],
) -> tuple[list[RecognizerResult], list[tuple[int, int]]]:
    """Return what was found, and the places of the words that are to be looked at again."""
    found = [finding for finding in findings if finding.entity_type != DOUBTFUL]
    doubtful = [
        (finding.start, finding.end) for finding in findings if finding.entity_type == DOUBTFUL
    ]
    return found, doubtful


def _tell_overrun(characters: int) -> None:
    """Log the first text of a call that takes too long; its others may follow unsaid."""
    if is_first_overrun():
        _log.warning(_MASKED_WHOLLY, reason="takes too long", characters=characters)


def _look_at(piece: str, run: Recognise) -> list[RecognizerResult]:
    """Return the findings in a piece of a text: all of it where that takes too long."""
    try:
        with spend_at_most(_PIECE_SECONDS):
            if len(piece) > _CACHED_CHARACTERS:
                left_seconds()
            return run(piece)
    except TimeoutError:
        _tell_overrun(len(piece))
        return [make_whole(_WHOLE, 0, len(piece))]
    except Exception as error:
        raise MaskingError(f"masking failed: {type(error).__name__}") from error


def _surround(text: str, changed: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the lines around stretches, in order and apart; of a short text, all of it."""
    if len(text) <= _NEARBY_CHARACTERS:
        yield 0, len(text)
        return
    begun, done = 0, -1
    for start, end in changed:
        first, last = _find_lines(text, start, end)
        if done >= 0 and first > done:
            yield begun, done
            begun = first
        elif done < 0:
            begun = first
        done = max(done, last)
    if done >= 0:
        yield begun, done


def _find_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the lines around a stretch begin and end; of long lines, what is near."""
    floor, ceiling = max(0, start - _NEARBY_CHARACTERS), min(len(text), end + _NEARBY_CHARACTERS)
    before = text.rfind("\n", floor, max(floor, start - _NEARBY_CHARACTERS // 4)) + 1 or floor
    after = text.find("\n", min(ceiling, end + _NEARBY_CHARACTERS // 4), ceiling)
    return before, ceiling if after < 0 else after


def _cut(text: str) -> Iterator[tuple[int, int]]:
    """Yield pieces of bounded length that overlap, cut after a line or space where there is one."""
    start = 0
    while True:
        end = min(start + _PIECE_CHARACTERS, len(text))
        if end == len(text):
            yield start, end
            return
        floor = start + _PIECE_CHARACTERS // 2
        cut = max(text.rfind("\n", floor, end), floor - 1)
        if cut < floor:
            cut = max(text.rfind(" ", floor, end), floor - 1)
        end = cut + 1 if cut >= floor else end
        yield start, min(end + _SHARED_CHARACTERS, len(text))
        start = end
