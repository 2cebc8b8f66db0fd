# SPDX-License-Identifier: Apache-2.0
"""Reads Confluence spaces: the XML export and the REST form, with bodies in storage format.

Only what a reader of the space sees: current pages, not drafts, deleted or historical versions.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from retrieval.parsing.errors import BrokenDocumentError, Reason
from retrieval.parsing.exports import (
    ExportedPage,
    LeftOutPage,
    iterate_xml,
    load_json,
    read_string,
)
from retrieval.parsing.html import HtmlReader
from retrieval.parsing.instants import read_instant

_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_EMPTY_ELEMENT = re.compile(r"<((?:ac|ri):[\w-]+)((?:\s[^<>]*)?)/>")
_LINK_TARGETS = {"ri:page": "ri:content-title", "ri:attachment": "ri:filename"}


def prepare_storage(body: str) -> str:
    """Return storage format as HTML: CDATA becomes text, empty macros get an end tag."""
    body = _CDATA.sub(lambda found: html.escape(found[1]), body)
    return _EMPTY_ELEMENT.sub(r"<\1\2></\1>", body)


class StorageReader(HtmlReader):
    """Reads storage format: HTML with macros, tasks and links of Confluence's own."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._parameter = ""
        self._language = ""
        self._link = (0, 0)
        self._link_name = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        if tag == "ac:structured-macro":
            self._language = ""
        self._parameter = attributes.get("ac:name", "") if tag == "ac:parameter" else ""
        super().start(_HTML_TAGS.get(tag, tag), attributes)
        if tag == "ac:plain-text-body":
            self.start_code(self._language)
        elif tag == "ac:link":
            self._link, self._link_name = self.mark, ""
        elif tag in _LINK_TARGETS:
            self._link_name = attributes.get(_LINK_TARGETS[tag], "")

    def end(self, tag: str) -> None:
        """Take an end tag."""
        if tag == "ac:plain-text-body":
            self.end_code()
        if tag == "ac:parameter":
            self._parameter = ""
        if tag == "ac:link" and not self.written_since(self._link):
            super().data(self._link_name)  # a link without words shows its target's name
        super().end(_HTML_TAGS.get(tag, tag))

    def data(self, text: str) -> None:
        """Take text."""
        if self._parameter == "language":
            self._language = text.strip()
        super().data(text)


_HTML_TAGS = {
    "ac:task-list": "ul", "ac:task": "li", "ac:rich-text-body": "div", "ac:layout": "div",
    "ac:layout-section": "div", "ac:layout-cell": "div", "ac:task-body": "span",
}  # fmt: skip


@dataclass(slots=True)
class _Space:
    pages: dict[str, dict[str, str]] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)  # by the page's id
    names: dict[str, str] = field(default_factory=dict)  # of spaces, by id
    left_out: list[LeftOutPage] = field(default_factory=list)  # but not historical versions


def list_space_pages(entities: bytes) -> Iterator[ExportedPage | LeftOutPage]:
    """Yield the current pages of `entities.xml`, by id.

    Raises:
        BrokenDocumentError: the XML is damaged or hostile.
    """
    space = _Space()
    for depth, element in iterate_xml(entities):
        if depth == 1 and element.tag == "object":
            _take_object(element, space)
    yield from space.left_out
    for page_id in sorted(space.pages, key=lambda key: (len(key), key)):
        page = space.pages[page_id]
        updated = page.get("lastModificationDate") or page.get("creationDate", "")
        metadata = {
            "updated": updated,
            "version": page.get("version", ""),
            "space": space.names.get(page.get("space", ""), ""),
        }
        yield ExportedPage(
            external_id=page_id,
            title=page.get("title", ""),
            body=prepare_storage(space.bodies.get(page_id, "").replace("]] >", "]]>")),
            updated_at=read_instant(updated),
            metadata={name: value for name, value in metadata.items() if value},
        )


def _take_object(element: Element, space: _Space) -> None:
    kind = element.get("class")
    if kind not in {"Page", "BlogPost", "BodyContent", "Space"}:
        return
    fields = {
        str(child.get("name")): (child.findtext("id") or child.text or "").strip()
        for child in element
        if child.tag in {"id", "property"}
    }
    own_id = fields.get("id", "")
    if kind == "BodyContent":
        space.bodies[fields.get("content", "")] = fields.get("body", "")
    elif kind == "Space":
        space.names[own_id] = fields.get("key") or fields.get("name", "")
    elif fields.get("originalVersion"):
        return
    elif (status := fields.get("contentStatus", "current")) == "current":
        space.pages[own_id] = fields
    else:
        space.left_out.append(_leave_out(fields.get("title") or own_id, status))


def _leave_out(name: str, status: str) -> LeftOutPage:
    return LeftOutPage(
        name=name or "a page", why=f"in the state {status}, and only current ones are taken"
    )


def list_rest_pages(content: bytes) -> Iterator[ExportedPage | LeftOutPage]:
    """Yield the current pages of `{"results": [...]}`, or of one page.

    Raises:
        BrokenDocumentError: it is not such an answer.
    """
    answer = load_json(content)
    records = answer.get("results", [answer]) if isinstance(answer, dict) else answer
    if not isinstance(records, list):
        raise BrokenDocumentError('the export has no list "results": export the articles again')
    for record in records:
        if isinstance(record, Mapping):
            yield _read_record(record)


def _read_record(record: Mapping[str, Any]) -> ExportedPage | LeftOutPage:
    body = _dig(record, "body", "storage", "value")
    page_id = read_string(record.get("id"))
    name = read_string(record.get("title")) or page_id
    if (status := read_string(record.get("status"))) not in {"current", ""}:
        return _leave_out(name, status)
    if not page_id or not isinstance(body, str):
        missing = "id" if not page_id else "body.storage.value"
        why = f"without {missing}: ask with expand=body.storage"
        return LeftOutPage(name=name or "a page", why=why, reason=Reason.EMPTY)
    updated = read_string(_dig(record, "version", "when") or _dig(record, "version", "createdAt"))
    space = read_string(_dig(record, "space", "key") or record.get("spaceId"))
    metadata = {"updated": updated, "space": space}
    return ExportedPage(
        external_id=page_id,
        title=read_string(record.get("title")),
        body=prepare_storage(body),
        updated_at=read_instant(updated),
        metadata={name: value for name, value in metadata.items() if value},
    )


def _dig(record: Any, *names: str) -> Any:
    for name in names:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record
