# SPDX-License-Identifier: Apache-2.0
"""Finds personal data in a text: the analyser, run over pieces, and its findings settled."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from guardrails.encoded_text import DecodedText, may_be_encoded
from guardrails.errors import MaskingError
from guardrails.findings import Span, leave_pseudonyms, settle, unite
from guardrails.name_recogniser import NameRecogniser
from guardrails.pattern_parts import LANGUAGE, PSEUDONYM
from guardrails.presidio_runtime import RecognizerResult
from guardrails.recognisers import build_analyser
from guardrails.stand_ins import TextWithStandIns, merge

_PIECE_CHARACTERS: Final = 16_384
# What a piece shares with the next: longer than what is found by one expression, keys included.
_SHARED_CHARACTERS: Final = 4096
_CACHED_TEXTS: Final = 4096
_CACHED_CHARACTERS: Final = 256
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

    @property
    def knows_outsiders(self) -> bool:
        """Whether names are recognised that neither directory nor context gives away."""
        return any(recogniser.is_trained for recogniser in self._names)

    def _forget(self) -> None:
        """Forget what was found in short texts, since more is found from now on."""
        self._find_short = lru_cache(maxsize=_CACHED_TEXTS)(self._find_long)

    def find(self, text: str) -> tuple[Span, ...]:
        """Return the spans of personal data, in order and apart from each other.

        Raises:
            MaskingError: the analysis failed; the text must not be passed on.

        """
        if len(text) <= _CACHED_CHARACTERS:
            return self._find_short(text)
        return self._find_long(text)

    def _find_long(self, text: str) -> tuple[Span, ...]:
        if len(text.strip()) < 2 or (text.isdigit() and len(text) < 9):
            return ()
        if not may_be_encoded(text):
            return self._find_plain(text)
        decoded = DecodedText(text)
        if decoded.text == text:
            return self._find_plain(text)
        meant = (
            (*decoded.find_place(start, end), entity, 1.0)
            for start, end, entity in self._find_plain(decoded.text)
        )
        written = ((start, end, entity, 1.0) for start, end, entity in self._find_plain(text))
        return unite((*written, *leave_pseudonyms(text, meant)))

    def _find_plain(self, text: str) -> tuple[Span, ...]:
        pseudonyms = [match.span() for match in PSEUDONYM.finditer(text)]
        findings = self._analyse(text, pseudonyms, self._run_all)
        spans = settle(text, findings)
        # A name that is masked gives its neighbours away, or a model would the next time.
        while spans and self._names:
            taken = merge([*pseudonyms, *((start, end) for start, end, _ in spans)])
            more = self._analyse(text, taken, self._run_names)
            fresh = [each for each in more if not _is_within(each, taken)]
            findings += fresh
            if not fresh or (found := settle(text, findings)) == spans:
                break
            spans = found
        return spans

    def _analyse(
        self, text: str, taken: Sequence[tuple[int, int]], run: Recognise
    ) -> list[RecognizerResult]:
        """Return the findings in a text whose taken stretches are stood in for."""
        seen = TextWithStandIns(text, taken)
        findings: list[RecognizerResult] = []
        for start, end in _cut(seen.shown):
            try:
                found = run(seen.shown[start:end])
            except Exception as error:
                raise MaskingError(f"masking failed: {type(error).__name__}") from error
            for finding in found:
                finding.start, finding.end = seen.find_place(
                    finding.start + start, finding.end + start
                )
            findings += found
        return findings

    def _run_all(self, text: str) -> list[RecognizerResult]:
        return self._analyser.analyze(text, LANGUAGE)

    def _run_names(self, text: str) -> list[RecognizerResult]:
        return [
            finding
            for recogniser in self._names
            for finding in recogniser.analyze(text, recogniser.supported_entities)
        ]


def _is_within(finding: RecognizerResult, taken: Sequence[tuple[int, int]]) -> bool:
    return any(start <= finding.start and finding.end <= end for start, end in taken)


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
