# SPDX-License-Identifier: Apache-2.0
"""Reads DOCX: paragraphs by style, lists, tables; hidden and deleted text is left out."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

from docx import Document
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml import etree

from retrieval.parsing.composition import Composition
from retrieval.parsing.errors import BrokenDocumentError

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_CODE_STYLE = re.compile(r"code|macro|preformatted|listing|console", re.IGNORECASE)
_P, _TBL, _TR, _TC, _T = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc"), qn("w:t")
_BREAKS = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): " ", qn("w:noBreakHyphen"): "-"}
_TRANSPARENT = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag")))
_UNSEEN = frozenset(map(qn, ("w:del", "w:moveFrom", "w:pPr", "w:instrText", "w:txbxContent")))
# What python-docx lets through when the parts of a file are not what they should be.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError,
    NotImplementedError, OSError, RuntimeError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DocxFacts:
    """What the file says about itself."""

    title: str
    updated_at: datetime | None


class _Writer:
    def __init__(self, document: Any, composition: Composition) -> None:
        self._composition = composition
        self._styles = {style.style_id: str(style.name) for style in document.styles}
        self._numbered = _find_numbered(document)
        self._counters: dict[tuple[str, int], int] = {}
        self._code: list[str] = []

    def write(self, body: Any) -> None:
        for element in _walk(body):
            if element.tag == _TBL:
                self._flush_code()
                self._composition.add_table(_read_rows(element))
            else:
                self._write_paragraph(element)
        self._flush_code()

    def _write_paragraph(self, element: Any) -> None:
        text = "".join(_read_text(element))
        properties = element.pPr
        style = ""
        if properties is not None and properties.pStyle is not None:
            style = self._styles.get(properties.pStyle.val, properties.pStyle.val)
        if _CODE_STYLE.search(style):
            self._code.append(text)
            return
        self._flush_code()
        if found := _HEADING.match(style):
            self._composition.add_heading(int(found[1]), text)
        elif style.lower() == "title":
            self._composition.add_heading(1, text)
        elif (place := _list_place(properties)) or style.lower().startswith("list "):
            self._write_item(text, style, place)
        else:
            self._composition.add_paragraph(text)

    def _write_item(self, text: str, style: str, place: tuple[str, int] | None) -> None:
        digits = re.search(r"\d$", style)
        name, depth = place or (style, int(digits[0]) - 1 if digits else 0)
        number = None
        if (name, depth) in self._numbered or style.lower().startswith("list number"):
            number = self._counters[name, depth] = self._counters.get((name, depth), 0) + 1
        for other in [key for key in self._counters if key[0] == name and key[1] > depth]:
            del self._counters[other]
        self._composition.add_list_item(depth + 1, text, number=number)

    def _flush_code(self) -> None:
        self._composition.add_code("\n".join(self._code))
        self._code.clear()


def read_docx(content: bytes, composition: Composition) -> DocxFacts:
    """Write the body into a composition.

    Raises:
        BrokenDocumentError: it is damaged.
        OversizeError: the text is too long.
    """
    try:
        document = Document(BytesIO(content))
        _Writer(document, composition).write(document.element.body)
        core = document.core_properties
        updated = core.modified
        return DocxFacts(
            title=str(core.title or ""),
            updated_at=updated.replace(tzinfo=UTC) if updated else None,
        )
    except (OpcError, etree.LxmlError, BadZipFile, *_DAMAGE) as error:
        raise BrokenDocumentError(
            "the DOCX is damaged: open it in its program and save it again, or save it as PDF"
        ) from error


def _walk(parent: Any) -> Iterator[Any]:
    """Yield paragraphs and tables, also those in content controls and insertions."""
    pending = list(reversed(parent))
    while pending:
        element = pending.pop()
        if element.tag in {_P, _TBL}:
            yield element
        elif element.tag in _TRANSPARENT:
            pending.extend(reversed(element))


def _read_text(paragraph: Any) -> Iterator[str]:
    pending = list(reversed(paragraph))
    while pending:
        element = pending.pop()
        if element.tag == _T:
            yield element.text or ""
        elif element.tag in _BREAKS:
            yield _BREAKS[element.tag]
        elif element.tag not in _UNSEEN and not _is_hidden(element):
            pending.extend(reversed(element))


def _is_hidden(element: Any) -> bool:
    for name in ("w:vanish", "w:webHidden", "w:specVanish"):
        mark = element.find(f"{qn('w:rPr')}/{qn(name)}")
        if mark is not None and mark.get(qn("w:val"), "true") not in {"0", "false", "off"}:
            return True
    return False


def _read_rows(table: Any) -> list[list[str]]:
    return [
        [
            " ".join("".join(_read_text(paragraph)) for paragraph in cell.iter(_P))
            for cell in row.iterchildren(_TC)
        ]
        for row in table.iterchildren(_TR)
    ]


def _list_place(properties: Any) -> tuple[str, int] | None:
    """Return the list's id and depth from 0."""
    numbering = None if properties is None else properties.numPr
    if numbering is None or numbering.numId is None or not numbering.numId.val:
        return None
    return str(numbering.numId.val), numbering.ilvl.val if numbering.ilvl is not None else 0


def _find_numbered(document: Any) -> frozenset[tuple[str, int]]:
    """Return which lists number their items, by id and depth."""
    try:
        root = document.part.numbering_part.element
    except (KeyError, NotImplementedError):
        return frozenset()
    abstract = {
        (item.get(qn("w:abstractNumId")), int(level.get(qn("w:ilvl"), "0")))
        for item in root.iterchildren(qn("w:abstractNum"))
        for level in item.iterchildren(qn("w:lvl"))
        for form in level.iterchildren(qn("w:numFmt"))
        if form.get(qn("w:val")) not in {"bullet", "none"}
    }
    numbered: set[tuple[str, int]] = set()
    for item in root.iterchildren(qn("w:num")):
        for link in item.iterchildren(qn("w:abstractNumId")):
            wanted = link.get(qn("w:val"))
            numbered |= {
                (item.get(qn("w:numId"), ""), depth) for name, depth in abstract if name == wanted
            }
    return frozenset(numbered)
