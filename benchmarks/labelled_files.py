# SPDX-License-Identifier: Apache-2.0
"""Reads the labelled files that measurements are made on: JSON Lines in UTF-8, plain or packed."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class UnusableFileError(Exception):
    """A file cannot be used; the message says why and what it should hold."""


def find_file(folder: Path, stem: str) -> Path | None:
    """Return `stem.jsonl` or `stem.jsonl.gz` of a folder, or None."""
    for suffix in (".jsonl", ".jsonl.gz"):
        if (path := folder / f"{stem}{suffix}").is_file():
            return path
    return None


def require_file(folder: Path, stem: str) -> Path:
    """Return the file as `find_file` does.

    Raises:
        UnusableFileError: there is none.

    """
    path = find_file(folder, stem)
    if path is None:
        raise UnusableFileError(f"{folder} holds neither {stem}.jsonl nor {stem}.jsonl.gz")
    return path


def read_rows(path: Path, wanted: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) of each line that is not empty; the place names file and line.

    Args:
        path: of the file.
        wanted: what a line should hold, for messages.

    Raises:
        UnusableFileError: it is not readable, holds nothing, or a line is no JSON object.

    """
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UnusableFileError(f"{path} is not readable as UTF-8 JSON Lines: {error}") from error
    if not text.strip():
        raise UnusableFileError(f"{path} is empty; each line needs {wanted}")
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UnusableFileError(f"{place} needs {wanted}: {error}") from error
        if not isinstance(row, dict):
            raise UnusableFileError(f"{place} needs {wanted}: it is no object")
        yield place, row


def read_texts(path: Path, *fields: str) -> Iterator[dict[str, str]]:
    """Yield the named fields of each line, all of them texts.

    Raises:
        UnusableFileError: as of `read_rows`, or a field is missing or no text.

    """
    wanted = f"the texts {', '.join(fields)}"
    for place, row in read_rows(path, wanted):
        if any(not isinstance(row.get(field), str) for field in fields):
            raise UnusableFileError(f"{place} needs {wanted}")
        yield {field: row[field] for field in fields}
