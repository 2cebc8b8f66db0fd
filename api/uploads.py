# SPDX-License-Identifier: Apache-2.0
"""Reads one uploaded file with its fields (multipart/form-data, RFC 7578), bounded as it comes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from api.errors import BodyTooLargeError, InvalidRequestError, UnsupportedMediaError
from api.sessions import Form, field
from guardrails.sanitise import plain_text
from retrieval.articles import PLATFORMS
from retrieval.parsing.limits import ParserLimits
from retrieval.sources import SourceTerms, Trust

MAX_FIELDS: Final = 60
MAX_FIELD_BYTES: Final = 4096
MAX_NAME_CHARACTERS: Final = 200
MAX_UPLOAD_BYTES: Final = ParserLimits().max_file_bytes + 256 * 1024  # and the fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was sent; its name is plain and has no folder."""

    form: Form
    name: str
    content: bytes


async def read_upload(request: Request) -> Upload:
    """Return the one file of a form, and its fields.

    Raises:
        BodyTooLargeError: the body is longer than a file may be.
        UnsupportedMediaError: it is no such form.
        InvalidRequestError: it is malformed, or has no file or several.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise UnsupportedMediaError("send the file as Content-Type: multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        _read_bounded(request.receive),
        max_files=1,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        sent = await parser.parse()
    except MultiPartException as error:
        raise InvalidRequestError(f"the form cannot be read: {error.message}") from error
    try:
        return await _take_parts(sent.multi_items())
    finally:
        await sent.close()


def read_terms(form: Form) -> SourceTerms:
    """Return what a form says of a source; an empty field says nothing.

    Raises:
        InvalidRequestError: a value is none that a source may have.
    """
    trust = field(form, "trust")
    if trust not in ("", Trust.INTERNAL, Trust.EXTERNAL):
        raise InvalidRequestError("trust is internal or external")
    platforms = _list_values(form, "platform")
    if not set(platforms) <= PLATFORMS:
        raise InvalidRequestError(f"platforms are {', '.join(sorted(PLATFORMS))}")
    return SourceTerms(
        trust=Trust(trust) if trust else None,
        platforms=platforms or None,
        products=_list_values(form, "product") or None,
        access_groups=_list_values(form, "group") or None,
    )


def _list_values(form: Form, name: str) -> tuple[str, ...]:
    """Return a field's values; one field may hold several, with commas."""
    words = (word.strip() for text in form.get(name, []) for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


async def _read_bounded(receive: Receive) -> AsyncGenerator[bytes, None]:
    n_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequestError("the client left before its body was complete")
        piece = message.get("body", b"")
        n_bytes += len(piece)
        if n_bytes > MAX_UPLOAD_BYTES:
            raise BodyTooLargeError(f"the body exceeds {MAX_UPLOAD_BYTES} bytes: split the file")
        yield piece
        if not message.get("more_body", False):
            return


async def _take_parts(parts: list[tuple[str, UploadFile | str]]) -> Upload:
    form: Form = {}
    files = [value for name, value in parts if isinstance(value, UploadFile) and name == "file"]
    for name, value in parts:
        if isinstance(value, str):
            if "\x00" in value:
                raise InvalidRequestError("a field holds a zero byte")
            form.setdefault(name, []).append(value)
    if len(files) != 1:
        raise InvalidRequestError("send one file, in the field named file")
    return Upload(form=form, name=_read_name(files[0].filename), content=await files[0].read())


def _read_name(filename: str | None) -> str:
    """Return a file's own name as it may be stored and shown.

    Raises:
        InvalidRequestError: it has none.
    """
    plain = " ".join(plain_text((filename or "").replace("\\", "/")).split())
    name = PurePosixPath(plain).name
    if not name.strip(". "):
        raise InvalidRequestError("the file has no name")
    suffix = PurePosixPath(name).suffix[:20]
    stem = name.removesuffix(suffix)
    return f"{stem[: MAX_NAME_CHARACTERS - len(suffix)]}{suffix}"
