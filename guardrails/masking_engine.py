# SPDX-License-Identifier: Apache-2.0
"""What masking loads slowly, once: presidio's analyser and its anonymizer."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from guardrails.directory import Directory
from guardrails.finder import SpanFinder
from guardrails.findings import Span, leave_kept, unite
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

    def number(
        self,
        texts: Iterable[str],
        known: Mapping[str, str],
        own: Directory | None = None,
        taken: Mapping[str, int] | None = None,
    ) -> Pseudonyms:
        """Return the pseudonyms of a call that masks these texts."""
        return Pseudonyms(texts, known, own, taken)

    def look_up(self, text: str, directory: Directory) -> list[Span]:
        """Return the places of what a directory knows, outside of pseudonyms and error codes."""
        return leave_kept(text, directory.find_spans(text))

    def add_known(self, spans: Sequence[Span], known: Iterable[Span]) -> tuple[Span, ...]:
        """Return the spans with the places of known originals; what overlaps is as its longest.

        What is known tells better than its form what something is.
        """
        more = tuple(known)
        if not more:
            return tuple(spans)
        places = {(start, end) for start, end, _ in more}
        found = [span for span in spans if span[:2] not in places]
        return unite((start, end, entity, 1.0) for start, end, entity in (*found, *more))
