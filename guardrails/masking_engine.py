# SPDX-License-Identifier: Apache-2.0
"""What masking loads slowly, once: presidio's analyser and its anonymizer."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from guardrails.finder import SpanFinder
from guardrails.findings import Span, unite
from guardrails.pseudonyms import Pseudonyms, PseudonymWriter


class MaskingEngine:
    """Finds and writes.

    Args:
        name_models: the folder of the models that recognise names of outsiders; None is without.

    Attributes:
        finder: finds personal data.
        writer: writes pseudonyms over it.

    """

    def __init__(self, name_models: Path | None = None) -> None:
        self.finder = SpanFinder(name_models)
        self.writer = PseudonymWriter()

    def number(self, texts: Iterable[str], known: Mapping[str, str]) -> Pseudonyms:
        """Return the pseudonyms of a call that masks these texts."""
        return Pseudonyms(texts, known)

    def add_known(self, spans: Sequence[Span], known: Iterable[Span]) -> tuple[Span, ...]:
        """Return the spans with the places of known originals; what overlaps is as its longest."""
        more = tuple(known)
        if not more:
            return tuple(spans)
        return unite((start, end, entity, 1.0) for start, end, entity in (*spans, *more))
