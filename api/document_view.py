# SPDX-License-Identifier: Apache-2.0
"""How a document's text is shown: as it is written, with headings and code told apart.

Nothing is taken away and nothing rendered: offsets of passages are those of the text, and what
somebody wrote stays visible as text. Pieces are escaped by the page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some characters of a document, in their order."""

    text: str
    kind: str  # "text", "heading" or "code"
    is_marked: bool
    is_first: bool = False  # of the marked ones


def cut_document(body: str, start: int, end: int) -> list[Piece]:
    """Cut a document into pieces; characters [start, end) are marked, none if that is empty."""
    start, end = max(start, 0), min(end, len(body))
    pieces: list[Piece] = []
    seen = False
    for kind, begin, stop in _list_parts(body):
        for left, right, marked in _cut_part(begin, stop, start, end):
            pieces.append(
                Piece(
                    text=body[left:right],
                    kind=kind,
                    is_marked=marked,
                    is_first=marked and not seen,
                )
            )
            seen = seen or marked
    return pieces


def _list_parts(body: str) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of runs of lines of one kind."""
    place, run_start, run_kind, in_code = 0, 0, "", False
    for line in body.splitlines(keepends=True):
        is_fence = _FENCE.match(line) is not None
        kind = "code" if in_code or is_fence else "heading" if _HEADING.match(line) else "text"
        in_code ^= is_fence
        if run_kind and (kind != run_kind or kind == "heading"):
            yield run_kind, run_start, place
            run_start = place
        run_kind = kind
        place += len(line)
    if run_kind:
        yield run_kind, run_start, place


def _cut_part(begin: int, stop: int, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    left, right = max(begin, start), min(stop, end)
    if left >= right:
        yield begin, stop, False
        return
    for low, high, marked in ((begin, left, False), (left, right, True), (right, stop, False)):
        if low < high:
            yield low, high, marked
