# SPDX-License-Identifier: Apache-2.0
"""A first look over an HTML page: its style sheets, which of its tables hold data, what stays open.

A table with headings, lists, code or tables inside lays out a page; its cells are read as flow.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from lxml import etree

from retrieval.parsing.errors import BrokenDocumentError

_STOPPING = frozenset({"ERR_RESOURCE_LIMIT", "ERR_INTERNAL_ERROR", "ERR_USER_STOP"})
_SURROUNDING_TAG = re.compile(r"<(/?)(nav|header|footer)(?=[\s/>])", re.IGNORECASE)
_STRUCTURE = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "table", "hr"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """`data_tables` are the positions, in order of their start tags, of tables with data."""

    style_sheet: str
    data_tables: frozenset[int]


class _Surveyor:
    def __init__(self) -> None:
        self.css: list[str] = []
        self.data_tables: set[int] = set()
        self._n_tables = 0
        self._open_tables: list[int] = []
        self._in_style = False

    def start(self, tag: str, _attributes: Mapping[str, str]) -> None:
        if tag == "style":
            self._in_style = True
        if tag in _STRUCTURE and self._open_tables:
            self.data_tables.discard(self._open_tables[-1])
        if tag == "table":
            self.data_tables.add(self._n_tables)
            self._open_tables.append(self._n_tables)
            self._n_tables += 1

    def end(self, tag: str) -> None:
        if tag == "style":
            self._in_style = False
        if tag == "table" and self._open_tables:
            self._open_tables.pop()

    def data(self, text: str) -> None:
        if self._in_style:
            self.css.append(text)

    def close(self) -> "_Surveyor":
        return self


def survey_html(html: str) -> Survey:
    """Return what must be known before the page is read."""
    lowered = html.lower()
    if "<table" not in lowered and "<style" not in lowered:
        return Survey(style_sheet="", data_tables=frozenset())
    surveyor = _Surveyor()
    feed_html(html, surveyor)
    return Survey(style_sheet="\n".join(surveyor.css), data_tables=frozenset(surveyor.data_tables))


def list_unclosed(html: str) -> frozenset[str]:
    """Return which tags of a page's surroundings are opened more often than closed.

    The parser closes them where the page ends, so that content after the menu seems to be in it.
    """
    counts = Counter[str]()
    for slash, tag in _SURROUNDING_TAG.findall(html):
        counts[tag.lower()] += -1 if slash else 1
    return frozenset(tag for tag, number in counts.items() if number > 0)


class HtmlTarget(Protocol):
    """What takes tags and text."""

    def start(self, tag: str, attributes: Mapping[str, str], /) -> None:
        """Take a start tag."""

    def end(self, tag: str, /) -> None:
        """Take an end tag."""

    def data(self, text: str, /) -> None:
        """Take text."""


def feed_html(html: str, target: HtmlTarget) -> None:
    """Feed a page's tags and text to a target, whatever its depth and however it is broken.

    Raises:
        MemoryError: the parser ran out of memory; it says so only in its log, and stops.
        BrokenDocumentError: the parser stopped at a bound of its own.
    """
    parser = etree.HTMLParser(
        target=cast("Any", target), huge_tree=True, no_network=True, encoding="utf-8"
    )
    parser.feed(html.encode("utf-8", "replace"))
    parser.close()
    complaints = {entry.type_name for entry in (*parser.error_log, *parser.feed_error_log)}
    if "ERR_NO_MEMORY" in complaints:
        raise MemoryError
    if stopped := complaints & _STOPPING:
        raise BrokenDocumentError(f"the HTML parser gave up: {min(stopped)}")
