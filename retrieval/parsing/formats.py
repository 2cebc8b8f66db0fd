# SPDX-License-Identifier: Apache-2.0
"""Which format a file has: by its content first, by its suffix where content cannot tell."""

import json
import re
from enum import StrEnum
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

from retrieval.parsing.archives import DAMAGED_ARCHIVE, ZIP_DAMAGE
from retrieval.parsing.encodings import decode_text
from retrieval.parsing.errors import (
    BrokenDocumentError,
    EmptyDocumentError,
    EncodingError,
    EncryptedDocumentError,
    UnknownFormatError,
)

MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml"})
# Text by its bytes, but programs, settings or tables: not written for a reader.
FOREIGN_SUFFIXES = frozenset({
    ".bat", ".c", ".cfg", ".cmd", ".conf", ".cpp", ".cs", ".css", ".csv", ".env", ".go", ".h",
    ".ini",
    ".java", ".js", ".json", ".pem", ".properties", ".ps1", ".psd1", ".psm1", ".py", ".reg", ".rs",
    ".rtf", ".sh", ".sql", ".svg", ".toml", ".ts", ".tsv", ".xml", ".yaml", ".yml", ".zsh",
})  # fmt: skip
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_HEAD_BYTES = 1024
_XML_PROLOG = re.compile(
    r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*>\s*)*", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(r"<([A-Za-z][\w:.-]*)[\s/>]")
_DOCTYPE_HTML = re.compile(r"<!doctype\s+html", re.IGNORECASE)
_MARKUP = re.compile(
    r"</(?:p|div|h[1-6]|ul|ol|li|table|body|span|a|b|strong|td)\s*>|<br\s*/?>", re.IGNORECASE
)
_PAGE_TAGS = frozenset({"html", "head", "body", "title", "meta"})


class Format(StrEnum):
    """A format that is read."""

    MARKDOWN = "markdown"
    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    SERVICENOW_JSON = "servicenow_json"
    SERVICENOW_XML = "servicenow_xml"
    CONFLUENCE_XML = "confluence_xml"
    CONFLUENCE_ZIP = "confluence_zip"
    CONFLUENCE_JSON = "confluence_json"
    ARCHIVE = "archive"


def is_script_folder(path: Path) -> bool:
    """Tell whether the folder is a catalogue entry, which `retrieval.manifest` reads."""
    return (path / "manifest.yaml").is_file()


def recognise(content: bytes, *, name: str) -> Format:
    """Return the format of a file.

    Raises:
        EmptyDocumentError: there are no bytes but blanks.
        UnknownFormatError: it is none that is read.
        EncryptedDocumentError: it is an Office file under a password.
        BrokenDocumentError: it is an archive or export that cannot be opened.
        EncodingError: it should be text, and is not.
    """
    if not content:
        raise EmptyDocumentError(
            "the file is empty (0 bytes): bring it again with its text, or delete it"
        )
    if not content.strip():
        raise EmptyDocumentError("the file holds nothing but blanks: bring it with its text")
    if b"%PDF-" in content[:_HEAD_BYTES] and not content.lstrip()[:1].isalpha():
        return Format.PDF
    if content.startswith(_ZIP_MAGICS):
        return _recognise_zip(content)
    if content.startswith(_OLE_MAGIC):
        _refuse_ole(content)
    suffix = PurePosixPath(name).suffix.lower()
    try:
        text = decode_text(content, declared=True)
    except EncodingError as error:
        if suffix in MARKDOWN_SUFFIXES | HTML_SUFFIXES | {".txt", ".text", ".json", ".xml"}:
            raise
        raise UnknownFormatError from error
    return _recognise_text(text.lstrip("\ufeff"), suffix)


def _recognise_zip(content: bytes) -> Format:
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except ZIP_DAMAGE as error:
        raise BrokenDocumentError(DAMAGED_ARCHIVE) from error
    if "word/document.xml" in names:
        return Format.DOCX
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise UnknownFormatError
    folders = {name.split("/")[0] for name in names if "/" in name}
    if {"entities.xml", "exportDescriptor.properties"} <= names:
        return Format.CONFLUENCE_ZIP
    if "entities.xml" in names and folders <= {"attachments"}:
        return Format.CONFLUENCE_ZIP
    return Format.ARCHIVE


def _refuse_ole(content: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise EncryptedDocumentError
    raise UnknownFormatError("this is a file of an old Office: save it as DOCX or PDF")


def _recognise_text(text: str, suffix: str) -> Format:
    start = text.lstrip()
    if start.startswith("{\\rtf"):
        raise UnknownFormatError("this is RTF: save it as DOCX or PDF")
    if start.startswith(("{", "[")) and (found := _recognise_json(start, suffix)):
        return found
    if start.startswith("<") and (found := _recognise_markup(start, suffix)):
        return found
    if suffix in FOREIGN_SUFFIXES:
        raise UnknownFormatError
    if suffix in HTML_SUFFIXES and _MARKUP.search(text):
        return Format.HTML
    if suffix in MARKDOWN_SUFFIXES or start.startswith("---\n"):
        return Format.MARKDOWN
    return Format.TEXT


def _recognise_json(text: str, suffix: str) -> Format | None:
    if '"storage"' in text and '"body"' in text:
        return Format.CONFLUENCE_JSON
    if '"result"' in text[:_HEAD_BYTES] or '"short_description"' in text:
        return Format.SERVICENOW_JSON
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        if suffix != ".json":
            return None
        raise BrokenDocumentError(f"the JSON is damaged ({error}): export it again") from error
    raise UnknownFormatError(
        "this JSON is no export of ServiceNow or Confluence: export the articles themselves"
    )


def _recognise_markup(text: str, suffix: str) -> Format | None:
    prolog = _XML_PROLOG.match(text)
    found = _TAG.match(text, prolog.end() if prolog else 0)
    tag = found[1].lower() if found else ""
    if tag == "hibernate-generic":
        return Format.CONFLUENCE_XML
    if tag in {"unload", "xml"} and "<kb_knowledge" in text:
        return Format.SERVICENOW_XML
    if tag in _PAGE_TAGS or _DOCTYPE_HTML.match(text):
        return Format.HTML
    is_markdown = suffix in MARKDOWN_SUFFIXES
    if text.startswith(("<?xml", "<!DOCTYPE", "<!ENTITY")) and not is_markdown:
        declared = {"hibernate-generic": Format.CONFLUENCE_XML, "unload": Format.SERVICENOW_XML}
        for root, form in declared.items():
            if f"<{root}" in text:
                return form
        raise UnknownFormatError(
            "this XML is no export of ServiceNow or Confluence: export the articles themselves"
        )
    return Format.HTML if not is_markdown and suffix != ".txt" and _MARKUP.search(text) else None
