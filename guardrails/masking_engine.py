# SPDX-License-Identifier: Apache-2.0
"""What masking loads slowly, once: presidio's analyser and its anonymizer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from guardrails.directory import Directory
from guardrails.echoes import find_echoes, list_echoes
from guardrails.finder import SpanFinder
from guardrails.findings import Span, add_inferred, leave_kept, unite
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

    def list_echoes(self, text: str, spans: Sequence[Span]) -> Iterator[tuple[str, str]]:
        """Yield (entity, word) of what was found in a text that is masked in others, too."""
        yield from list_echoes(text, spans)

    def find_echoes(self, text: str, spans: Sequence[Span]) -> Iterator[Span]:
        """Yield the places where what was found in a text stands, all of them."""
        yield from find_echoes(text, spans)

    def add_inferred(
        self, text: str, spans: Sequence[Span], inferred: Iterable[Span]
    ) -> tuple[Span, ...]:
        """Return the spans with what follows from them, where nothing else is known of it."""
        return add_inferred(text, spans, inferred)
