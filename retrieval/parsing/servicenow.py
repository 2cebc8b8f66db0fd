# SPDX-License-Identifier: Apache-2.0
"""Reads knowledge articles exported from ServiceNow, as JSON or as an XML unload.

Only articles in force are taken: published, or with no state given, and not inactive. Of the others
it is said why not.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from retrieval.parsing.errors import BrokenDocumentError, Reason
from retrieval.parsing.exports import (
    ExportedPage,
    LeftOutPage,
    iterate_xml,
    load_json,
    read_string,
)
from retrieval.parsing.instants import read_instant

TABLE = "kb_knowledge"
_IN_FORCE = frozenset({"published", ""})
_METADATA = {
    "number": "number",
    "kb_category": "category",
    "kb_knowledge_base": "knowledge_base",
    "workflow_state": "workflow_state",
    "sys_updated_on": "updated",
}


def list_json_articles(content: bytes) -> Iterator[ExportedPage | LeftOutPage]:
    """Yield the articles of `{"result": [...]}`.

    Raises:
        BrokenDocumentError: it is not such an export.
    """
    export = load_json(content)
    records = export.get("result", export.get("records")) if isinstance(export, dict) else export
    if isinstance(records, Mapping):
        records = [records]
    if not isinstance(records, list):
        raise BrokenDocumentError('the export has no list "result": export the articles again')
    for record in records:
        if isinstance(record, Mapping):
            yield _read_record(record)


def list_xml_articles(content: bytes) -> Iterator[ExportedPage | LeftOutPage]:
    """Yield the articles of `<unload><kb_knowledge>...`.

    Raises:
        BrokenDocumentError: the XML is damaged or hostile.
    """
    for depth, element in iterate_xml(content):
        if depth == 1 and element.tag == TABLE:
            record = {
                child.tag: child.get("display_value") or child.text or "" for child in element
            }
            yield _read_record(record)


def _read_record(record: Mapping[str, Any]) -> ExportedPage | LeftOutPage:
    field = {str(name): read_string(value) for name, value in record.items()}
    external_id = field.get("sys_id") or field.get("number", "")
    name = field.get("number") or external_id or "an article"
    state = field.get("workflow_state", "").strip().lower()
    if state not in _IN_FORCE:
        return LeftOutPage(
            name=name, why=f"in the state {state}, and only published ones are taken"
        )
    if field.get("active", "").lower() == "false":
        return LeftOutPage(name=name, why="not active")
    if not external_id or "text" not in field:
        missing = "sys_id" if not external_id else "text"
        why = f"without {missing}: export the articles with that field"
        return LeftOutPage(name=name, why=why, reason=Reason.EMPTY)
    return ExportedPage(
        external_id=external_id,
        title=_name(field.get("short_description", ""), field.get("number", "")),
        body=field["text"],
        updated_at=read_instant(field.get("sys_updated_on", "")),
        metadata={new: field[old] for old, new in _METADATA.items() if field.get(old)},
    )


def _name(title: str, number: str) -> str:
    """Return a title with the article's number, by which people ask for it."""
    title, number = title.strip(), number.strip()
    if number in title:
        return title
    return f"{title} ({number})" if title else number
