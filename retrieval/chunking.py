# SPDX-License-Identifier: Apache-2.0
"""Cuts a document into passages along its structure, with offsets into its text.

Invariants: `text[chunk.start_offset:chunk.end_offset] == chunk.text`, so a citation can be shown in
place; every character that is not blank is in exactly one passage; no passage has more words than
the limit. A heading stays with what follows it. A code block, a table or a step is cut only where
it does not fit with its heading: between lines, else sentences, else words, else characters.

Where the blocks come from is left to the parsers; without them the text is read as Markdown.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.parsing.documents import Block, BlockKind
from retrieval.parsing.markdown import find_blocks, read_heading
from retrieval.unspaced import UNSPACED

MAX_WORDS = 180  # of prose about the embedding model's 256 tokens; beyond them it reads nothing
EVENNESS = 1.15  # how much larger than its fair share a part of an over-long block may be
MIN_WORDS = 30  # a smaller section joins its neighbour, where one has room
LONG_WORD_CHARACTERS = 64  # a longer run without blanks counts as several words
MAX_HEADING_CHARACTERS = 200
# Scripts that put no blanks between words: two characters count as one word.
_UNSPACED = re.compile(f"[{UNSPACED}]")
_AFTER_LINE = re.compile(r"\n")
_AFTER_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|(?<=[\u3002\uff01\uff1b\uff1f])")
_AFTER_WORD = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A passage: characters [start_offset, end_offset) of the text.

    `headings` are those that hold for all of it, outermost first; `page` is where it begins.
    """

    ordinal: int
    start_offset: int
    end_offset: int
    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text that belongs together, under a path of headings."""

    start: int
    end: int
    n_words: int
    path: tuple[tuple[int, str], ...]  # levels and words
    parent: int  # the position of the heading above this section's own; -1 for none
    page: int | None


@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    block: Block | None


@dataclass(frozen=True, slots=True)
class _Section:
    headings: tuple[_Unit, ...]
    content: tuple[_Unit, ...]
    path: tuple[tuple[int, str], ...]
    parent: int


def cut_into_chunks(
    text: str, blocks: Sequence[Block] | None = None, *, max_words: int = MAX_WORDS
) -> list[Chunk]:
    """Return the passages of a text in order, none of them blank."""
    units = _partition(text, find_blocks(text) if blocks is None else blocks)
    pieces = [
        piece
        for section in _list_sections(text, units)
        for piece in _cut_section(text, section, max_words)
    ]
    chunks: list[Chunk] = []
    for piece in _join_small(pieces, max_words):
        start, end = _trim(text, piece.start, piece.end)
        if start >= end:
            continue
        chunks.append(
            Chunk(
                ordinal=len(chunks),
                start_offset=start,
                end_offset=end,
                text=text[start:end],
                headings=tuple(words for _, words in piece.path),
                page=piece.page,
            )
        )
    return chunks


def count_words(text: str) -> int:
    """Return the number of words, at least as many as there are runs without blanks."""
    words = text.split()
    n_words = len(words)
    if text.isascii():
        return n_words + sum(
            (len(word) - 1) // LONG_WORD_CHARACTERS
            for word in words
            if len(word) > LONG_WORD_CHARACTERS
        )
    return sum(
        max(-(-len(word) // LONG_WORD_CHARACTERS), -(-len(_UNSPACED.findall(word)) // 2))
        for word in words
    )


def _partition(text: str, blocks: Iterable[Block]) -> list[_Unit]:
    """Return units that cover the whole text: a gap belongs to the block before it."""
    by_start: dict[int, Block] = {}
    for block in blocks:
        if 0 <= block.start_offset < len(text):
            by_start.setdefault(block.start_offset, block)
    starts = sorted({0, *by_start})
    return [
        _Unit(start, end, by_start.get(start))
        for start, end in pairwise([*starts, len(text)])
        if not _is_blank(text, start, end)
    ]


def _list_sections(text: str, units: Sequence[_Unit]) -> Iterator[_Section]:
    path: list[tuple[int, str]] = []
    starts: list[int] = []  # where each heading of the path stands
    position = 0
    while position < len(units):
        headings: list[_Unit] = []
        while position < len(units) and (block := units[position].block) is not None:
            if block.kind is not BlockKind.HEADING or (headings and block.level == 1):
                break
            while path and path[-1][0] >= block.level:
                path.pop()
                starts.pop()
            words = read_heading(text[block.start_offset : block.end_offset])
            path.append((block.level, words[:MAX_HEADING_CHARACTERS]))
            starts.append(units[position].start)
            headings.append(units[position])
            position += 1
        first = position
        while position < len(units) and not _is_heading(units[position]):
            position += 1
        parent = starts[-2] if len(starts) > 1 else -1
        yield _Section(tuple(headings), tuple(units[first:position]), tuple(path), parent)


def _is_heading(unit: _Unit) -> bool:
    return unit.block is not None and unit.block.kind is BlockKind.HEADING


def _cut_section(text: str, section: _Section, max_words: int) -> list[_Piece]:
    units = (*section.headings, *section.content)
    starts = [unit.start for unit in units]
    pieces: list[_Piece] = []
    for start, end in _group_units(text, section, max_words):
        block = units[max(bisect_right(starts, start) - 1, 0)].block
        pieces.append(
            _Piece(
                start,
                end,
                count_words(text[start:end]),
                section.path,
                section.parent,
                block.page if block else None,
            )
        )
    return pieces


def _group_units(text: str, section: _Section, max_words: int) -> list[tuple[int, int]]:
    """Return spans of whole units, as many as fit; one that does not fit is cut."""
    start, n_words = -1, 0  # of the span being filled
    spans: list[tuple[int, int]] = []
    if section.headings:
        heading = (section.headings[0].start, section.headings[-1].end)
        *spans, (start, end) = _cut(text, *heading, max_words)
        n_words = count_words(text[start:end])
    only_headings = bool(section.headings)
    for unit in section.content:
        unit_words = count_words(text[unit.start : unit.end])
        if n_words + unit_words > max_words:
            if start >= 0 and (not only_headings or n_words > max_words // 2):
                spans.append((start, unit.start))
                start, n_words = -1, 0
            *whole, last = _cut(text, unit.start, unit.end, max_words, used=n_words)
            if whole and start >= 0:
                whole[0] = (start, whole[0][1])
            spans.extend(whole)
            start, n_words = last[0], count_words(text[slice(*last)])
        else:
            start, n_words = unit.start if start < 0 else start, n_words + unit_words
        only_headings = False
    if start >= 0:
        end = (section.content or section.headings)[-1].end
        spans.append((start, end))
    return spans


def _cut(
    text: str,
    start: int,
    end: int,
    max_words: int,
    *,
    used: int = 0,
    breaks: Sequence[re.Pattern[str]] = (_AFTER_LINE, _AFTER_SENTENCE, _AFTER_WORD),
) -> list[tuple[int, int]]:
    """Return spans that cover [start, end), cut as coarsely and as evenly as possible.

    `used` words, fewer than the limit, stand before the first span.
    """
    n_all = used + count_words(text[start:end])
    if n_all <= max_words:
        return [(start, end)]
    if not breaks:
        return _cut_characters(text, start, end, max_words, used)
    fair = min(max_words, int(n_all / -(-n_all // max_words) * EVENNESS))
    spans: list[tuple[int, int]] = []
    cursor, n_words, n_before = start, used, used
    for left, right in _split(text, start, end, breaks[0]):
        part_words = count_words(text[left:right])
        if n_words > n_before and n_words + part_words > fair:
            spans.append((cursor, left))
            cursor, n_words, n_before = left, 0, 0
        if n_words + part_words > max_words:
            finer = _cut(text, left, right, max_words, used=n_words, breaks=breaks[1:])
            spans.extend(finer[:-1])
            cursor, n_words, n_before = finer[-1][0], 0, 0
            part_words = count_words(text[cursor:right])
        n_words += part_words
    spans.append((cursor, end))
    return spans


def _split(text: str, start: int, end: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    cuts = (found.end() for found in pattern.finditer(text, start, end))
    yield from pairwise([start, *(cut for cut in cuts if start < cut < end), end])


def _cut_characters(
    text: str, start: int, end: int, max_words: int, used: int
) -> list[tuple[int, int]]:
    a_word = 2 if _UNSPACED.search(text, start, end) else LONG_WORD_CHARACTERS
    first = min(start + (max_words - used) * a_word, end)
    return list(pairwise([start, *range(first, end, max_words * a_word), end]))


def _join_small(pieces: Iterable[_Piece], max_words: int) -> list[_Piece]:
    """Join small neighbours under one parent: comments of a script are headings of level 1 too."""
    joined: list[_Piece] = []
    for piece in pieces:
        if joined and _may_join(joined[-1], piece, max_words):
            joined[-1] = _join(joined[-1], piece)
        else:
            joined.append(piece)
    return joined


def _may_join(left: _Piece, right: _Piece, max_words: int) -> bool:
    if left.n_words + right.n_words > max_words or min(left.n_words, right.n_words) >= MIN_WORDS:
        return False
    return left.parent == right.parent


def _join(left: _Piece, right: _Piece) -> _Piece:
    shared = sum(1 for _ in _common(left.path, right.path))
    return _Piece(
        left.start,
        right.end,
        left.n_words + right.n_words,
        left.path[:shared],
        left.parent,
        left.page,
    )


def _common(
    left: Sequence[tuple[int, str]], right: Sequence[tuple[int, str]]
) -> Iterator[tuple[int, str]]:
    for one, other in zip(left, right, strict=False):
        if one != other:
            return
        yield one


def _is_blank(text: str, start: int, end: int) -> bool:
    return not text[start:end].strip()


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
