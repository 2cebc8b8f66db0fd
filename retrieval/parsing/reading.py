# SPDX-License-Identifier: Apache-2.0
"""Reads one file of any format into documents; a pure function of its bytes, name and limits.

Runs in the parser process. A bad page or member is left out with its reason; what endangers the
reader (a bomb, a name that climbs) refuses the whole file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZipInfo

from retrieval.parsing import confluence, servicenow
from retrieval.parsing.archives import Archive, ArchiveBudget
from retrieval.parsing.characters import normalise_characters
from retrieval.parsing.composition import Composition, tidy_line
from retrieval.parsing.documents import (
    UNDETERMINED,
    Block,
    BlockKind,
    ParsedDocument,
    ParsedFile,
    Refusal,
)
from retrieval.parsing.docx import read_docx
from retrieval.parsing.encodings import decode_text
from retrieval.parsing.errors import (
    ArchiveBombError,
    BrokenDocumentError,
    EmptyDocumentError,
    NotInForceError,
    OversizeError,
    ParsingError,
    Reason,
    UnknownFormatError,
    UnsafePathError,
)
from retrieval.parsing.exports import ExportedPage, LeftOutPage
from retrieval.parsing.formats import Format, recognise
from retrieval.parsing.html import HtmlReader, read_html
from retrieval.parsing.instants import read_instant
from retrieval.parsing.language import detect_language
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.markdown import (
    find_blocks,
    read_heading,
    show_as_page,
    split_front_matter,
)
from retrieval.parsing.pdf import read_pdf

MAX_TITLE_CHARACTERS = 300
MAX_METADATA_CHARACTERS = 1_000
MAX_FRONT_VALUES = 50
_FRONT_FIELDS = ("id", "products", "platforms", "language")
_UPDATED_FIELDS = ("updated", "updated_at", "last_updated", "date")
_LANGUAGE_CODE = re.compile(r"([a-z]{2})(?:[-_].*)?", re.IGNORECASE)
MAX_NAMED = 3  # pages that are left out for one reason
_FATAL = (ArchiveBombError, UnsafePathError)


@dataclass(slots=True, kw_only=True)
class _Collection:
    """Documents and refusals so far."""

    limits: ParserLimits
    documents: list[ParsedDocument] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    left_out: dict[tuple[str, Reason], list[str]] = field(default_factory=dict)  # names, by why

    def add(self, document: ParsedDocument) -> None:
        if len(self.documents) >= self.limits.max_documents:
            raise OversizeError(
                f"the file holds more than {self.limits.max_documents:,} documents: split it"
            )
        self.documents.append(document)

    def refuse(self, member: str, error: ParsingError) -> None:
        self.refusals.append(Refusal(member=member, reason=error.reason, message=str(error)))

    def leave_out(self, page: LeftOutPage) -> None:
        self.left_out.setdefault((page.why, page.reason), []).append(page.name)

    def finish(self) -> ParsedFile:
        """Return what was read.

        Raises:
            NotInForceError: all that it holds is withdrawn or a draft.
            EmptyDocumentError: there is no document, for another reason.

        """
        refusals = (*self.refusals, *self._list_left_out())
        if not self.documents:
            raise _explain_emptiness(refusals, has_pages=bool(self.left_out))
        return ParsedFile(documents=tuple(self.documents), refusals=refusals)

    def _list_left_out(self) -> Iterator[Refusal]:
        for (why, reason), names in self.left_out.items():
            more = len(names) - MAX_NAMED
            listed = ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield Refusal(member=listed, reason=reason, message=why, n_members=len(names))


def _explain_emptiness(refusals: Sequence[Refusal], *, has_pages: bool) -> ParsingError:
    """Return why a file has no document; what has no text is told of only where pages were."""
    told = [item for item in refusals if item.reason != Reason.EMPTY]
    if not told and has_pages:
        told = [refusals[-1]]
    if not told:
        return EmptyDocumentError(
            "there is no document with text in it: bring the documents themselves"
        )
    why = f"{told[0].member}: {told[0].message}"
    if all(item.reason == Reason.NOT_IN_FORCE for item in told):
        return NotInForceError(f"nothing in it is in force; {why}")
    return EmptyDocumentError(f"no document in it can be read; {why}")


def read_file(content: bytes, *, name: str, limits: ParserLimits) -> ParsedFile:
    """Return the documents of a file.

    Raises:
        ParsingError: none can be read; its class and `reason` say why.
    """
    limits.check_file_size(len(content))
    try:
        return _read(content, name=name, budget=ArchiveBudget(limits=limits), depth=0)
    except RecursionError as error:
        raise BrokenDocumentError("the file is nested too deeply: simplify it") from error
    except MemoryError as error:
        raise OversizeError("reading the file takes too much memory: split it") from error


def _read(content: bytes, *, name: str, budget: ArchiveBudget, depth: int) -> ParsedFile:
    form = recognise(content, name=name)
    if form is Format.ARCHIVE:
        return _read_archive(content, budget=budget, depth=depth + 1)
    if form is Format.CONFLUENCE_ZIP:
        archive = budget.open(content, depth=depth + 1)
        member = next(item for item in archive.members if item.filename == "entities.xml")
        content, form = archive.read(member), Format.CONFLUENCE_XML
    elif form is Format.DOCX:
        budget.open(content, depth=1)
    if reader := _SINGLE_READERS.get(form):
        return ParsedFile(documents=(reader(content, name, budget.limits),))
    return _read_export(form, content, budget.limits)


def _read_archive(content: bytes, *, budget: ArchiveBudget, depth: int) -> ParsedFile:
    archive = budget.open(content, depth=depth)
    collection = _Collection(limits=budget.limits)
    scripts = tuple(archive.list_script_folders())
    for member in archive.list_documents():
        path = member.filename
        if scripts and path.startswith(scripts):
            collection.refuse(path, UnknownFormatError("part of a script: import its folder"))
            continue
        try:
            found = _read_member(archive, member, budget, depth)
        except _FATAL:
            raise
        except ParsingError as error:
            collection.refuse(path, error)
            continue
        for document in found.documents:
            inner = document.external_id
            external_id = f"{path}#{inner}" if inner else path
            collection.add(replace(document, external_id=external_id))
        for refusal in found.refusals:
            collection.refusals.append(replace(refusal, member=f"{path}#{refusal.member}"))
    return collection.finish()


def _read_member(
    archive: Archive, member: ZipInfo, budget: ArchiveBudget, depth: int
) -> ParsedFile:
    budget.limits.check_file_size(member.file_size)
    content = archive.read(member)
    return _read(content, name=member.filename, budget=budget, depth=depth)


def _read_export(form: Format, content: bytes, limits: ParserLimits) -> ParsedFile:

    listings: Mapping[Format, Callable[[bytes], Iterator[ExportedPage | LeftOutPage]]] = {
        Format.SERVICENOW_JSON: servicenow.list_json_articles,
        Format.SERVICENOW_XML: servicenow.list_xml_articles,
        Format.CONFLUENCE_XML: confluence.list_space_pages,
        Format.CONFLUENCE_JSON: confluence.list_rest_pages,
    }
    is_storage = form in {Format.CONFLUENCE_XML, Format.CONFLUENCE_JSON}
    reader_class = confluence.StorageReader if is_storage else HtmlReader
    collection = _Collection(limits=limits)
    for page in listings[form](content):
        if isinstance(page, LeftOutPage):
            collection.leave_out(page)
            continue
        composition = Composition(max_characters=limits.max_text_characters)
        try:
            read_html(page.body, composition, reader_class=reader_class)
            document = _finish(composition, page.title or page.external_id, page)
        except ParsingError as error:
            collection.refuse(page.external_id, error)
        else:
            collection.add(document)
    return collection.finish()


def _read_markdown(content: bytes, name: str, limits: ParserLimits) -> ParsedDocument:
    front, body = split_front_matter(normalise_characters(decode_text(content)))
    page = show_as_page(body)
    document = (
        _finish_text(body, name, limits)
        if page is None
        else _read_page(page, name, limits, keeps_furniture=True)
    )
    return _apply_front_matter(document, front)


def _read_text(content: bytes, name: str, limits: ParserLimits) -> ParsedDocument:
    return _finish_text(normalise_characters(decode_text(content)), name, limits)


def _read_html(content: bytes, name: str, limits: ParserLimits) -> ParsedDocument:
    return _read_page(decode_text(content, declared=True), name, limits, keeps_furniture=False)


def _read_page(
    page: str, name: str, limits: ParserLimits, *, keeps_furniture: bool
) -> ParsedDocument:
    composition = Composition(max_characters=limits.max_text_characters)
    title = read_html(page, composition, keeps_furniture=keeps_furniture)
    return _finish(composition, title or _find_title(composition.text, composition.blocks, name))


def _read_pdf(content: bytes, name: str, limits: ParserLimits) -> ParsedDocument:

    composition = Composition(max_characters=limits.max_text_characters)
    facts = read_pdf(content, composition)
    title = facts.title or _find_title(composition.text, composition.blocks, name)
    return replace(_finish(composition, title), updated_at=facts.updated_at)


def _read_docx(content: bytes, name: str, limits: ParserLimits) -> ParsedDocument:

    composition = Composition(max_characters=limits.max_text_characters)
    facts = read_docx(content, composition)
    title = facts.title or _find_title(composition.text, composition.blocks, name)
    return replace(_finish(composition, title), updated_at=facts.updated_at)


_SINGLE_READERS: Mapping[Format, Callable[[bytes, str, ParserLimits], ParsedDocument]] = {
    Format.MARKDOWN: _read_markdown,
    Format.TEXT: _read_text,
    Format.HTML: _read_html,
    Format.PDF: _read_pdf,
    Format.DOCX: _read_docx,
}


def _finish_text(body: str, name: str, limits: ParserLimits) -> ParsedDocument:
    text = body.strip("\n").rstrip()
    if not text.strip():
        raise EmptyDocumentError
    if len(text) > limits.max_text_characters:
        raise OversizeError(
            f"the document has more than {limits.max_text_characters:,} characters: split it"
        )
    blocks = find_blocks(text)
    return ParsedDocument(
        external_id="",
        title=_tidy_title(_find_title(text, blocks, name)),
        text=text,
        blocks=blocks,
        language=detect_language(text, blocks),
    )


def _finish(
    composition: Composition, title: str, page: ExportedPage | None = None
) -> ParsedDocument:
    composition.require_text()
    text, blocks = composition.text, composition.blocks
    return ParsedDocument(
        external_id=page.external_id if page else "",
        title=_tidy_title(title),
        text=text,
        blocks=blocks,
        language=detect_language(text, blocks),
        metadata=_tidy_metadata(page.metadata) if page else {},
        updated_at=page.updated_at if page else None,
    )


def _find_title(text: str, blocks: Iterable[Block], name: str) -> str:
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            return read_heading(text[block.start_offset : block.end_offset])
    return PurePosixPath(name).stem.replace("_", " ")


def _tidy_title(title: str) -> str:
    return tidy_line(title)[:MAX_TITLE_CHARACTERS].strip() or "Untitled"


def _tidy_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: tidy_line(value)[:MAX_METADATA_CHARACTERS] for name, value in metadata.items()}


def _apply_front_matter(document: ParsedDocument, front: Mapping[str, Any]) -> ParsedDocument:
    found = {name: _join_values(front.get(name)) for name in _FRONT_FIELDS}
    updated = next((_join_values(front[name]) for name in _UPDATED_FIELDS if name in front), "")
    metadata = _tidy_metadata(
        {name: value for name, value in {**found, "updated": updated}.items() if value}
    )
    code = _LANGUAGE_CODE.fullmatch(metadata.get("language", UNDETERMINED))
    title = front.get("title")
    return replace(
        document,
        title=_tidy_title(title) if isinstance(title, str) and title.strip() else document.title,
        language=code[1].lower() if code else document.language,
        metadata=metadata,
        updated_at=read_instant(updated) if updated else None,
    )


def _join_values(value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(
        str(item)
        for item in values[:MAX_FRONT_VALUES]
        if isinstance(item, str | int | float | date | datetime)
    )
