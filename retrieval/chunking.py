# SPDX-License-Identifier: Apache-2.0
"""Cuts an article into passages along its headings, with offsets into the source.

Invariant: `body[chunk.start_offset:chunk.end_offset] == chunk.text`, so a citation can be shown
in place. Sections longer than the limit are cut between lines, never inside one.
"""

import re
from dataclasses import dataclass

MAX_WORDS = 180
HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A passage: characters [start_offset, end_offset) of the body."""

    ordinal: int
    start_offset: int
    end_offset: int
    text: str


def cut_into_chunks(body: str, *, max_words: int = MAX_WORDS) -> list[Chunk]:
    """Return the passages of a Markdown body, in order, none of them blank."""
    starts = sorted({0, *(match.start() for match in HEADING.finditer(body))})
    spans: list[tuple[int, int]] = []
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        spans.extend(_cut_section(body, start, end, max_words))
    kept = [_trim(body, start, end) for start, end in spans]
    return [
        Chunk(ordinal=ordinal, start_offset=start, end_offset=end, text=body[start:end])
        for ordinal, (start, end) in enumerate(span for span in kept if span[0] < span[1])
    ]


def _cut_section(body: str, start: int, end: int, max_words: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    cursor, n_words = start, 0
    position = start
    for line in body[start:end].splitlines(keepends=True):
        line_words = len(line.split())
        if n_words and n_words + line_words > max_words:
            spans.append((cursor, position))
            cursor, n_words = position, 0
        n_words += line_words
        position += len(line)
    spans.append((cursor, end))
    return spans


def _trim(body: str, start: int, end: int) -> tuple[int, int]:
    text = body[start:end]
    return start + len(text) - len(text.lstrip()), start + len(text.rstrip())
