# SPDX-License-Identifier: Apache-2.0
"""Reads PDF: text by page; short lines in larger type are headings, bullets are list items.

A scan without recognised text has none, and is refused as empty. Forms, annotations, pictures, and
what runs along the tops and bottoms of the pages, but for its first line, are left out.
"""

import logging
import re
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.errors import FileNotDecryptedError, LimitReachedError, PyPdfError

from retrieval.parsing.characters import normalise_characters
from retrieval.parsing.codes import has_code
from retrieval.parsing.composition import Composition
from retrieval.parsing.errors import BrokenDocumentError, EncryptedDocumentError, OversizeError

HEADING_SCALE = 1.12  # how much larger than the body's type a heading's is
MAX_HEADING_CHARACTERS = 120
SHORT_LINE = 0.7  # of the line before: set text, ragged or not, leaves less than that to the margin
MAX_HEADING_LEVELS = 3
# A running line is among so many lines at the begin or end of a page, on at least so many pages.
# In the order of the file, in which some programs write header and footer both first or both last.
EDGE_LINES = 3
# On a page with fewer lines these would be half of it and more: steps and warnings, not its edges.
LEAST_EDGED_LINES = 4 * EDGE_LINES
LEAST_RUNNING_PAGES = 3
# A page's number is sought in lines as short as running lines are, beside a date and a version.
MAX_NUMBERED_CHARACTERS = 200
_BULLET = re.compile(r"\s*[•◦▪‣●○■□\u2013*\-]\s+(?=\S)")
_NUMBER = re.compile(r"\s*(\d{1,3})[.)]\s+(?=\S)")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zà-ÿ])")
# No part of a code, date or amount. From 1,000 on they are those of exit codes and ports, hardly of
# pages.
_PLAIN_NUMBER = re.compile(r"(?<![\w.,:])\d{1,3}(?!\w|[.,:]\d)")
_WORD = re.compile(r"\w")
_PAGE_OF_PAGES = re.compile(
    r"\b(page|seite|p[aá]gina|strona)\s+\d{1,4}\s*(of|von|sur|de|di|van|z|/)\s*\d{1,4}\b",
    re.IGNORECASE,
)
_ENDS = (".", ":", ";", "!", "?")
_LOGGER = logging.getLogger("pypdf")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfFacts:
    """What the file says about itself."""

    title: str
    updated_at: datetime | None


def read_pdf(content: bytes, composition: Composition) -> PdfFacts:
    """Write the pages into a composition.

    Raises:
        EncryptedDocumentError: it asks for a password.
        BrokenDocumentError: it is damaged.
        OversizeError: the text, or what a stream unpacks to, is too large.
    """
    _LOGGER.setLevel(logging.CRITICAL)  # its complaints about damaged files are our verdicts
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedDocumentError
        pages = [list(_read_lines(page)) for page in reader.pages]
        _write(pages, composition)
        return _read_facts(reader)
    except FileNotDecryptedError as error:
        raise EncryptedDocumentError from error
    except LimitReachedError as error:
        raise OversizeError(
            "a part of the PDF unpacks to more than is read: print it to a new PDF, or split it"
        ) from error
    except (PyPdfError, *_DAMAGE) as error:
        raise BrokenDocumentError(
            "the PDF is damaged or was cut short: fetch it again, or open it and print it to a new"
            " PDF"
        ) from error


# What pypdf lets through when a file's objects are not what they should be.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


def _read_lines(page: Any) -> Iterator[_Line]:
    """Yield a page's lines with the size of most of their type."""
    text, sizes = "", Counter[float]()

    def visit(part: str, _cm: Any, tm: Sequence[float], _font: Any, size: float) -> None:
        nonlocal text
        for position, line in enumerate(part.split("\n")):
            if position:
                finished.append(_finish(text, sizes))
                text = ""
                sizes.clear()
            text += line
            scale = (tm[2] ** 2 + tm[3] ** 2) ** 0.5 or 1.0
            sizes[round(abs(size * scale), 1)] += len(line.strip())

    finished: list[_Line] = []
    page.extract_text(visitor_text=visit)
    yield from finished
    yield _finish(text, sizes)


def _finish(text: str, sizes: Counter[float]) -> _Line:
    ((size, _),) = sizes.most_common(1) or [(0.0, 0)]
    return _Line(normalise_characters(text).replace("\n", " ").strip(), size)


def _write(pages: Sequence[Sequence[_Line]], composition: Composition) -> None:
    levels = _rank_sizes([line for page in pages for line in page])
    for number, lines in enumerate(_drop_running(pages, levels), start=1):
        composition.page = number
        _write_page(lines, levels, composition)


def _drop_running(
    pages: Sequence[Sequence[_Line]], levels: Mapping[float, int]
) -> Sequence[Sequence[_Line]]:
    """Return the pages without running headers and footers, but for the first of each.

    One is the same line at the begin or end of most pages, but for the number of the page. A line
    with a code in it is none: what a page is about may stand at its top. The first is kept since
    it may say what is nowhere else: a warning on every page is set no differently.
    """
    keys = [
        {place: _list_running_keys(page[place], number, levels) for place in _list_edges(page)}
        for number, page in enumerate(pages)
    ]
    n_pages = Counter(key for edges in keys for key in frozenset().union(*edges.values()))
    least = max(LEAST_RUNNING_PAGES, len(pages) // 2 + 1)
    running = {key for key, number in n_pages.items() if number >= least}
    seen: set[tuple[str, ...]] = set()
    return [
        [
            line
            for place, line in enumerate(page)
            if not _is_repeated(running & edges.get(place, frozenset()), seen)
        ]
        for page, edges in zip(pages, keys, strict=True)
    ]


def _is_repeated(keys: AbstractSet[tuple[str, ...]], seen: set[tuple[str, ...]]) -> bool:
    """Tell whether a running line with these keys has come before, and note that it has now."""
    is_repeated = not seen.isdisjoint(keys)
    seen.update(keys)
    return is_repeated


def _list_edges(page: Sequence[_Line]) -> frozenset[int]:
    """Return the places of a page's first and last lines that are not empty.

    None of a page with too few lines for its edges to be told from its body.
    """
    written = [place for place, line in enumerate(page) if line.text]
    if len(written) < LEAST_EDGED_LINES:
        return frozenset()
    return frozenset((*written[:EDGE_LINES], *written[-EDGE_LINES:]))


def _list_running_keys(
    line: _Line, page: int, levels: Mapping[float, int]
) -> frozenset[tuple[str, ...]]:
    """Return what the line has in common with those that it may be one running line with.

    None for a line with a code. A number that begins or ends the line may be the page's: it then
    runs as far ahead of the page's index on all of them. Not one within the line, nor one in the
    type of headings, since steps, slots and chapters are counted.
    """
    if has_code(line.text):
        return frozenset()
    if line.size in levels or len(line.text) > MAX_NUMBERED_CHARACTERS:
        return frozenset([(line.text,)])
    keys: set[tuple[str, ...]] = {(_PAGE_OF_PAGES.sub(r"\1 # \2 #", line.text),)}
    for found in _PLAIN_NUMBER.finditer(line.text):
        before, after = line.text[: found.start()], line.text[found.end() :]
        if not (_WORD.search(before) and _WORD.search(after)):
            keys.add((before, str(int(found[0]) - page), after))
    return frozenset(keys)


def _rank_sizes(lines: Sequence[_Line]) -> Mapping[float, int]:
    """Return the level of each size that is larger than the body's."""
    weights = Counter[float]()
    for line in lines:
        weights[line.size] += len(line.text)
    if not weights:
        return {}
    ((body, _),) = weights.most_common(1)
    large = sorted({line.size for line in lines if line.size > body * HEADING_SCALE}, reverse=True)
    return {size: min(rank, MAX_HEADING_LEVELS) for rank, size in enumerate(large, start=1)}


def _write_page(
    lines: Sequence[_Line], levels: Mapping[float, int], composition: Composition
) -> None:
    """Gather lines of one heading, item or paragraph, and write each when the next begins."""
    pending: list[str] = []
    pending_level = 0
    for line in lines:
        level = levels.get(line.size, 0) if len(line.text) <= MAX_HEADING_CHARACTERS else 0
        begins_item = bool(_BULLET.match(line.text) or _NUMBER.match(line.text)) and not level
        if not line.text or level != pending_level or begins_item:
            _flush(pending, pending_level, composition)
        if not line.text:
            continue
        pending.append(line.text)
        pending_level = level
        if not level and line.text.endswith(_ENDS) and _is_short(pending):
            _flush(pending, level, composition)
    _flush(pending, pending_level, composition)


def _flush(pending: list[str], level: int, composition: Composition) -> None:
    joined = _BROKEN_WORD.sub("", "\n".join(pending))
    pending.clear()
    if level:
        composition.add_heading(level, joined)
    elif found := _NUMBER.match(joined):
        composition.add_list_item(1, joined[found.end() :], number=int(found[1]))
    elif found := _BULLET.match(joined):
        composition.add_list_item(1, joined[found.end() :])
    else:
        composition.add_paragraph(joined)


def _is_short(pending: Sequence[str]) -> bool:
    """Tell whether the last line ends a paragraph: it is clearly shorter than the one before."""
    return len(pending) > 1 and len(pending[-1]) < SHORT_LINE * len(pending[-2])


def _read_facts(reader: PdfReader) -> PdfFacts:
    metadata = reader.metadata
    if metadata is None:
        return PdfFacts(title="", updated_at=None)
    try:
        updated_at = metadata.modification_date or metadata.creation_date
    except ValueError:
        updated_at = None
    return PdfFacts(title=str(metadata.title or ""), updated_at=updated_at)
