# SPDX-License-Identifier: Apache-2.0
"""Finds personal data in a text: the analyser, run over pieces, and its findings settled."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from guardrails.errors import MaskingError
from guardrails.findings import Span, settle
from guardrails.name_recogniser import NameRecogniser
from guardrails.pattern_parts import LANGUAGE
from guardrails.presidio_runtime import RecognizerResult
from guardrails.recognisers import build_analyser

_PIECE_CHARACTERS: Final = 16_384
# What a piece shares with the next: longer than what is found by one expression, keys included.
_SHARED_CHARACTERS: Final = 4096
_CACHED_TEXTS: Final = 4096
_CACHED_CHARACTERS: Final = 256


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
        findings: list[RecognizerResult] = []
        for start, end in _cut(text):
            try:
                found = self._analyser.analyze(text[start:end], LANGUAGE)
            except Exception as error:
                raise MaskingError(f"masking failed: {type(error).__name__}") from error
            for finding in found:
                finding.start += start
                finding.end += start
            findings += found
        return settle(text, findings)


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
