# SPDX-License-Identifier: Apache-2.0
"""Real files of every format, made here, and the limits that the tests read them within."""

import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from retrieval.parsing.documents import ParsedFile
from retrieval.parsing.limits import ParserLimits
from retrieval.parsing.reading import read_file

ParseDirectly = Callable[..., ParsedFile]


@pytest.fixture
def read() -> ParseDirectly:
    """Read a file in this process."""

    def read_directly(content: bytes | str, name: str = "file", **limits: int) -> ParsedFile:
        encoded = content.encode() if isinstance(content, str) else content
        return read_file(encoded, name=name, limits=ParserLimits(**limits))

    return read_directly


@pytest.fixture
def read_one(read):
    """Read the only document of a file."""

    def read_document(content: bytes | str, name: str = "file", **limits: int):
        (document,) = read(content, name, **limits).documents
        return document

    return read_document


@pytest.fixture
def pack() -> Callable[..., bytes]:
    """Make a ZIP archive of names and contents."""

    def make(members: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
        stream = BytesIO()
        with zipfile.ZipFile(stream, "w", compression) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return stream.getvalue()

    return make
