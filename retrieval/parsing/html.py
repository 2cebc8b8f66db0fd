# SPDX-License-Identifier: Apache-2.0
"""Reads HTML as a stream of tags, so that no depth of nesting can exhaust a stack.

Kept: headings, paragraphs, lists, code, tables, links to the web. Left out: what a reader does
not see, emphasis, images; of whole pages what surrounds their content too (menus, banners, footers:
`visibility.is_furniture`), unless little else is there. Of that the headings of the page's header
are kept, since they may be the content's, and each block with a code, since it may be searched for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from retrieval.parsing.codes import has_code
from retrieval.parsing.composition import Composition, tidy_line
from retrieval.parsing.errors import BrokenDocumentError
from retrieval.parsing.htmlsurvey import feed_html, list_unclosed, survey_html
from retrieval.parsing.visibility import (
    Visibility,
    is_content,
    is_furniture,
    is_head,
    is_section,
    read_role,
    read_style_sheet,
)

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dir",     "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html",
    "legend", "main", "menu", "nav", "ol", "p", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip
# So much of a page's text must be left without its furniture, unless the page has a `main`. Menus
# can be longer than an article, hardly four times as long: where less is left, such as a link that
# skips to the content, the content is marked as furniture. Chosen, not measured.
LEAST_SHARE = 0.2
# What a page declares to be its content is, however much surrounds it: if it is so much of the text
# or so long. A word alone is a notice that scripts replace ("Loading"), the title of a list or the
# aim of a link; a short answer among menus is a tenth, and a paragraph is content. Chosen as well.
LEAST_CONTENT_SHARE = 0.1
ENOUGH_CONTENT_CHARACTERS = 200
# Menus name programs, and footers name the version of the wiki.
_NO_CODES = frozenset({"file", "version"})
_CELLS = frozenset({"td", "th"})
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_CODE_LANGUAGE = re.compile(r"(?:language|lang|brush:?)[-\s:]\s*([\w+#.-]{1,30})")
_WEB_ADDRESS = re.compile(r"https?://[^\s<>()\[\]\"'`\\]{1,300}")


@dataclass(slots=True)
class _Element:
    tag: str
    hidden: bool
    is_furniture: bool = False
    is_head: bool = False  # furniture that may hold the title of the content
    is_content: bool = False  # `main` or `article`: nothing within is a page's furniture
    is_section: bool = False  # headers and footers within are not the page's
    mark: tuple[int, int] = (0, 0)  # flushes and pieces at the start tag
    address: str = ""


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int


class HtmlReader:
    """Target of an HTML parser that writes into a composition."""

    def __init__(
        self,
        composition: Composition,
        *,
        visibility: Visibility,
        data_tables: frozenset[int],
        keeps_furniture: bool = True,
        unclosed: frozenset[str] = frozenset(),
    ) -> None:
        self.title = ""
        self.composition = composition
        self._visibility = visibility
        self._data_tables = data_tables
        self._keeps_furniture = keeps_furniture
        self._unclosed = unclosed
        self._n_tables = 0
        self._stack: list[_Element] = []
        # Open elements of each sort.
        self._n_hidden = self._n_furniture = self._n_heads = self._n_content = self._n_sections = 0
        # Characters, without blanks: left out or not, and of these in what is declared as content.
        self._n_surrounding = self._n_written = self._n_declared = 0
        self._pieces: list[str] = []
        self._n_flushes = 0
        self._heading = 0
        self._lists: list[_List] = []
        self._item: tuple[int, int | None] | None = None
        self._code_depth = 0
        self._code_language = ""
        self._rows: list[list[str]] | None = None
        self._table_depth = 0
        # Whether the table stands among furniture, and whether any of it is to be kept.
        self._is_surrounding_table = self._is_wanted_table = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        element = self._place(tag, attributes)
        self._stack.append(element)
        self._cross_edge(element)
        self._count_open(element, 1)
        is_data_table = tag == "table" and self._count_table()
        if self._n_hidden:
            return
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "a":
            found = _WEB_ADDRESS.fullmatch(attributes.get("href", "").strip())
            element.address = found[0] if found else ""
        elif tag in {"code", "kbd", "samp", "tt"}:
            self._start_inline_code(attributes)
        else:
            self._start_block(tag, attributes, is_data_table=is_data_table)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        position = len(self._stack) - 1
        while position >= 0 and self._stack[position].tag != tag:
            position -= 1
        if position < 0:
            return
        for element in reversed(self._stack[position:]):
            self._stack.pop()
            if not self._n_hidden:
                self._end(element)
                self._cross_edge(element)
            self._count_open(element, -1)

    def data(self, text: str) -> None:
        """Take text."""
        self._count_text(text)
        if self._n_hidden:
            self._take_title(text)
        elif self._code_depth:
            self._pieces.append(text)
        else:
            self._pieces.append(re.sub(r"\s+", " ", text))

    def close(self) -> "HtmlReader":
        """Finish what is still open."""
        while self._stack:
            self.end(self._stack[-1].tag)
        self.flush()
        return self

    def flush(self) -> None:
        """Write the pieces so far as the block that they stand in, unless it is left out."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._n_flushes += 1
        if not text.strip():
            return
        if self._rows is not None and not self._code_depth:
            self._write_into_cell(text)
        elif not self._is_wanted(text):
            return
        elif self._code_depth:
            self.composition.add_code(text, language=self._code_language)
        elif self._heading:
            self.composition.add_heading(self._heading, text)
        elif self._item is not None:
            depth, number = self._item
            self.composition.add_list_item(depth, text, number=number)
            self._item = None
        else:
            self.composition.add_paragraph(text)

    @property
    def is_stripped_bare(self) -> bool:
        """Whether leaving out the furniture has left too little of the page to be its content."""
        n_all = self._n_written + self._n_surrounding
        if self._n_declared > min(ENOUGH_CONTENT_CHARACTERS, LEAST_CONTENT_SHARE * n_all):
            return False
        return self._n_written < LEAST_SHARE * n_all

    @property
    def mark(self) -> tuple[int, int]:
        """A place in what is written, for `written_since`."""
        return self._n_flushes, len(self._pieces)

    def written_since(self, mark: tuple[int, int]) -> bool:
        """Tell whether any text came after the mark."""
        n_flushes, n_pieces = mark
        return n_flushes != self._n_flushes or bool("".join(self._pieces[n_pieces:]).strip())

    def start_code(self, language: str) -> None:
        """Begin a code block."""
        self.flush()
        self._code_depth += 1
        self._code_language = language

    def end_code(self) -> None:
        """End the code block."""
        self.flush()
        self._code_depth = max(self._code_depth - 1, 0)
        self._code_language = ""

    @property
    def _is_surrounding(self) -> bool:
        """Whether this is furniture; content is none, even within furniture."""
        return bool(self._n_furniture and not self._n_content)

    def _is_wanted(self, text: str) -> bool:
        """Tell whether a block with this text is to be written where it stands."""
        if not self._is_surrounding:
            return True
        is_title = bool(self._heading) and self._n_heads == self._n_furniture
        return is_title or has_code(text, besides=_NO_CODES)

    def _cross_edge(self, element: _Element) -> None:
        """End the block at an edge between furniture and what is none; called within furniture."""
        if self._n_hidden or element.hidden:
            return
        if element.is_furniture:
            self.flush()
        elif element.is_content and self._is_surrounding:
            self.flush()
            self._item = None
            self._lists.clear()
        elif element.is_content and self._n_furniture:
            self.flush()

    def _place(self, tag: str, attributes: Mapping[str, str]) -> _Element:
        role = read_role(attributes)
        surrounds = (
            not (self._keeps_furniture or self._n_content)
            and tag not in self._unclosed
            and is_furniture(tag, role, in_section=bool(self._n_sections))
        )
        return _Element(
            tag,
            hidden=self._visibility.hides(tag, attributes),
            is_furniture=surrounds,
            is_head=surrounds and is_head(tag, role),
            is_content=is_content(tag, role),
            is_section=is_section(tag, role),
            mark=self.mark,
        )

    def _count_open(self, element: _Element, change: int) -> None:
        self._n_hidden += change * element.hidden
        self._n_furniture += change * element.is_furniture
        self._n_content += change * element.is_content
        self._n_sections += change * element.is_section
        self._n_heads += change * element.is_head

    def _count_text(self, text: str) -> None:
        if self._keeps_furniture or self._n_hidden:
            return
        n_characters = sum(map(len, text.split()))
        if self._is_surrounding:
            self._n_surrounding += n_characters
        else:
            self._n_written += n_characters
            self._n_declared += n_characters if self._n_content else 0

    def _count_table(self) -> bool:
        self._n_tables += 1
        return self._n_tables - 1 in self._data_tables

    def _start_inline_code(self, attributes: Mapping[str, str]) -> None:
        if not self._code_depth:
            self._pieces.append("`")
        elif not self._code_language:
            self._code_language = _language_of(attributes)

    def _start_block(self, tag: str, attributes: Mapping[str, str], *, is_data_table: bool) -> None:
        if tag in {"pre", "listing", "xmp"}:
            self.start_code(_language_of(attributes))
        elif tag == "li":
            self._start_item()
        elif self._rows is not None:
            self._start_in_table(tag)
        elif tag in HEADINGS:
            self.flush()
            self._heading = HEADINGS[tag]
        elif tag in BLOCKS:
            self.flush()
            if tag in _LISTS:
                self._lists.append(_List(tag == "ol", _first_number(attributes)))
            if is_data_table:
                self._rows, self._table_depth = [], len(self._stack)
                self._is_surrounding_table = self._is_surrounding
                self._is_wanted_table = not self._is_surrounding

    def _start_item(self) -> None:
        self.flush()
        number = None
        if self._lists and self._lists[-1].ordered:
            number = self._lists[-1].number
            self._lists[-1].number += 1
        self._item = (max(len(self._lists), 1), number)

    def _start_in_table(self, tag: str) -> None:
        if tag in BLOCKS:
            self.flush()
        if tag == "caption":
            return
        if self._rows is not None and tag == "tr":
            self._rows.append([])
        elif self._rows is not None and tag in _CELLS:
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append("")

    def _write_into_cell(self, text: str) -> None:
        is_wanted = self._is_wanted(text)
        self._is_wanted_table |= is_wanted
        if not (is_wanted or self._is_surrounding_table):
            return
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] += f" {text}"
        elif is_wanted:  # a caption, or text astray between the rows
            self.composition.add_paragraph(text)

    def _end(self, element: _Element) -> None:
        tag = element.tag
        if tag in {"code", "kbd", "samp", "tt"}:
            self._end_inline_code(element)
        elif tag == "a":
            self._end_link(element)
        elif tag in {"pre", "listing", "xmp"}:
            self.end_code()
        elif tag in HEADINGS:
            self.flush()
            self._heading = 0
        elif tag in BLOCKS or tag == "li":
            self.flush()
            self._end_block(tag)

    def _end_block(self, tag: str) -> None:
        if tag == "li":
            self._item = None
        elif tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "table" and self._rows is not None and len(self._stack) < self._table_depth:
            rows, self._rows = self._rows, None
            if self._is_wanted_table:
                self.composition.add_table(rows)

    def _end_inline_code(self, element: _Element) -> None:
        if self._code_depth or element.mark[0] != self._n_flushes:
            return
        if self._pieces[element.mark[1] :] == ["`"]:
            self._pieces.pop()
        else:
            self._pieces.append("`")

    def _end_link(self, element: _Element) -> None:
        if not element.address or self._code_depth or element.mark[0] != self._n_flushes:
            return
        text = tidy_line("".join(self._pieces[element.mark[1] :]))
        if text and text != element.address:
            self._pieces[element.mark[1] :] = [f"[{text}]({element.address})"]

    def _take_title(self, text: str) -> None:
        if self._stack and self._stack[-1].tag == "title" and len(self.title) < 1000:
            is_in_picture = any(element.tag == "svg" for element in self._stack)
            self.title += "" if is_in_picture else text


def _language_of(attributes: Mapping[str, str]) -> str:
    found = _CODE_LANGUAGE.search(attributes.get("class", ""))
    return found[1] if found else ""


def _first_number(attributes: Mapping[str, str]) -> int:
    start = attributes.get("start", "")
    return int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1


def read_html(
    html: str,
    composition: Composition,
    *,
    reader_class: type[HtmlReader] = HtmlReader,
    keeps_furniture: bool = True,
) -> str:
    """Write a page into a composition and return its title, "" if it has none.

    Without its furniture, unless it has little else, where that is not to be kept: the body of an
    exported article is all content, a saved page is not.

    Raises:
        BrokenDocumentError: the parser cannot go on.
        OversizeError: the text is too long.
    """
    try:
        survey = survey_html(html)
        reader = reader_class(
            composition,
            visibility=read_style_sheet(survey.style_sheet),
            data_tables=survey.data_tables,
            keeps_furniture=keeps_furniture,
            unclosed=frozenset() if keeps_furniture else list_unclosed(html),
        )
        feed_html(html, reader)
    except (etree.LxmlError, ValueError) as error:
        raise BrokenDocumentError(f"the HTML cannot be read: {error}") from error
    reader.close()
    if not keeps_furniture and (reader.is_stripped_bare or not composition.blocks):
        composition.clear()
        return read_html(html, composition, reader_class=reader_class)
    return tidy_line(reader.title)
