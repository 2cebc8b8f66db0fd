# SPDX-License-Identifier: Apache-2.0
"""The bytes of brought files: bounded, and of regular files alone."""

import os
import time

import pytest

from retrieval.brought_files import BroughtFile, list_files, read_bytes
from retrieval.parsing.errors import OversizeError, UnreadableFileError
from retrieval.parsing.limits import MEGABYTE, ParserLimits


def test_a_file_from_disk(tmp_path):
    (tmp_path / "a.md").write_bytes(b"# A")
    (file,) = list_files(tmp_path).files
    assert read_bytes(file, ParserLimits()) == b"# A"


def test_a_file_too_large_is_refused_by_its_size(tmp_path):
    path = tmp_path / "large.md"
    with path.open("wb") as stream:
        stream.truncate(200 * MEGABYTE)
    started = time.process_time()
    with pytest.raises(OversizeError, match="209,715,200 bytes"):
        read_bytes(BroughtFile(path="large.md", content=path), ParserLimits())
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("name", ["missing.md", "folder", "pipe", "link"])
def test_what_cannot_be_opened(tmp_path, name):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.md").touch()
    (tmp_path / "link").symlink_to("a.md")
    with pytest.raises(UnreadableFileError):
        read_bytes(BroughtFile(path=name, content=tmp_path / name), ParserLimits())
