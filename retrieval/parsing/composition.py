# SPDX-License-Identifier: Apache-2.0
"""Writes a document's parts as Markdown and notes where each block stands.

What is prose stays prose: a line that would read as a heading, list, quote or tag is escaped.
"""

import re
from collections.abc import Sequence

from retrieval.parsing.characters import normalise_characters
from retrieval.parsing.documents import Block, BlockKind
from retrieval.parsing.errors import EmptyDocumentError, OversizeError

MAX_HEADING_LEVEL = 6
MAX_LIST_DEPTH = 9
_BLANKS = re.compile(r"[ \t]+")
_BLANKS_AROUND_BREAK = re.compile(r" *\n[ \n]*")
_MARKUP_AT_START = re.compile(
    r"^(?=#{1,6}(?:\s|$)|[-+*](?:\s|$)|>|```|~~~|\||={2,}$|-{2,}$)", re.MULTILINE
)
_NUMBER_AT_START = re.compile(r"^(\d{1,9})(?=[.)](?:\s|$))", re.MULTILINE)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BACKTICKS = re.compile("`{3,}")


def tidy_line(text: str) -> str:
    """Return the text on one line, single blanks between words."""
    return " ".join(normalise_characters(text).split())


def escape_prose(text: str) -> str:
    """Return prose that means the same when it is read as Markdown."""
    return _NUMBER_AT_START.sub(r"\1\\", _MARKUP_AT_START.sub(r"\\", escape_tags(text)))


def escape_tags(text: str) -> str:
    """Return text in which nothing outside of `code` reads as an HTML tag."""
    parts = text.split("`")
    return "`".join(
        part if position % 2 else _TAG.sub(r"\\<", part) for position, part in enumerate(parts)
    )


class Composition:
    """A document being written; blocks are added in reading order."""

    def __init__(self, *, max_characters: int) -> None:
        self._max_characters = max_characters
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0
        self.page: int | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks so far."""
        return tuple(self._blocks)

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def clear(self) -> None:
        """Forget all that was added."""
        self._parts.clear()
        self._blocks.clear()
        self._length = 0

    def require_text(self) -> None:
        """Raise EmptyDocumentError if nothing has been added."""
        if not self._blocks:
            raise EmptyDocumentError

    def add_heading(self, level: int, text: str) -> None:
        """Add a heading of level 1 to 6."""
        level = min(max(level, 1), MAX_HEADING_LEVEL)
        if line := escape_tags(tidy_line(text)):
            self._add(BlockKind.HEADING, f"{'#' * level} {line}", level=level)

    def add_paragraph(self, text: str) -> None:
        """Add prose; its line breaks are kept."""
        if lines := _tidy_lines(text):
            self._add(BlockKind.PARAGRAPH, escape_prose(lines))

    def add_list_item(self, depth: int, text: str, *, number: int | None = None) -> None:
        """Add an item, numbered or not, at a depth from 1."""
        depth = min(max(depth, 1), MAX_LIST_DEPTH)
        indent = "   " * (depth - 1)
        if lines := _tidy_lines(text):
            marker = "- " if number is None else f"{number}. "
            body = escape_prose(lines).replace("\n", f"\n{indent}{' ' * len(marker)}")
            self._add(BlockKind.LIST_ITEM, f"{indent}{marker}{body}", level=depth)

    def add_code(self, text: str, *, language: str = "") -> None:
        """Add code as it is, in a fence longer than any within."""
        code = normalise_characters(text).expandtabs(4).strip("\n")
        if not code.strip():
            return
        fence = max(["```", *(run + "`" for run in _BACKTICKS.findall(code))], key=len)
        name = re.sub(r"[^\w+#.-]", "", language)[:30]
        self._add(BlockKind.CODE, f"{fence}{name}\n{code}\n{fence}")

    def add_table(self, rows: Sequence[Sequence[str]]) -> None:
        """Add a table; its first row is the header. One column is prose."""
        tidy = [[tidy_line(cell).replace("|", r"\|") for cell in row] for row in rows]
        tidy = [row for row in tidy if any(row)]
        width = max(map(len, tidy), default=0)
        if width <= 1:
            for row in rows:
                self.add_paragraph(" ".join(row))
            return
        lines = [_table_line([*row, *[""] * (width - len(row))]) for row in tidy]
        self._add(BlockKind.TABLE, "\n".join([lines[0], "|" + "---|" * width, *lines[1:]]))

    def _add(self, kind: BlockKind, text: str, *, level: int = 0) -> None:
        if self._blocks:
            in_list = kind is BlockKind.LIST_ITEM is self._blocks[-1].kind
            self._append("\n" if in_list else "\n\n")
        start = self._length
        self._append(text)
        self._blocks.append(
            Block(
                kind=kind,
                level=level,
                start_offset=start,
                end_offset=self._length,
                page=self.page,
            )
        )

    def _append(self, text: str) -> None:
        self._length += len(text)
        if self._length > self._max_characters:
            raise OversizeError(
                f"the document has more than {self._max_characters:,} characters: split it"
            )
        self._parts.append(text)


def _tidy_lines(text: str) -> str:
    blanks = _BLANKS.sub(" ", normalise_characters(text))
    return _BLANKS_AROUND_BREAK.sub("\n", blanks).strip()


def _table_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escape_tags, cells))} |"
