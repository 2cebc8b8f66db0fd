# SPDX-License-Identifier: Apache-2.0
"""Which files a folder holds for ingestion, and their bytes, read once and bounded.

Hidden files, links and what office programs leave behind are passed over; a link's target inside
of the folder is found by its own name. A folder with a script in it is one entry: scripts are run
as root, so they come in by another way.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from retrieval.ingestion_errors import LocationError
from retrieval.parsing.errors import OversizeError, UnreadableFileError
from retrieval.parsing.formats import is_script_folder
from retrieval.parsing.limits import ParserLimits

_LEFTOVERS: Final = frozenset({"thumbs.db", "desktop.ini"})
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtFile:
    """A file: its path in the source, and its bytes or where they are.

    `fault` says why there is nothing to read: a script's folder, or one that cannot be listed.
    """

    path: str
    content: bytes | Path
    size_bytes: int = 0
    is_script: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All files of a place, by path; complete unless a folder in it could not be listed."""

    root: Path
    is_folder: bool
    files: tuple[BroughtFile, ...]
    is_complete: bool


@dataclass(slots=True)
class _Walk:
    root: Path
    is_complete: bool = True
    files: list[BroughtFile] = field(default_factory=list)


def list_files(location: Path) -> Listing:
    """Return the files of a folder, or a file alone; blocks.

    Raises:
        LocationError: there is nothing, or it cannot be looked at.
    """
    try:
        root = location.resolve(strict=True)
        status = root.stat()
    except (OSError, RuntimeError) as error:
        raise LocationError(f"{location}: there is no such file or folder") from error
    if stat.S_ISREG(status.st_mode):
        file = BroughtFile(path=show_name(root.name), content=root, size_bytes=status.st_size)
        return Listing(root=root, is_folder=False, files=(file,), is_complete=True)
    if not stat.S_ISDIR(status.st_mode):
        raise LocationError(f"{location} is neither a file nor a folder")
    walk = _Walk(root)
    _list_folder(walk, root)
    if not walk.is_complete and len(walk.files) == 1 and walk.files[0].content == root:
        raise LocationError(f"{location} cannot be listed: let this user read it")
    files = sorted(walk.files, key=lambda file: file.path)
    return Listing(root=root, is_folder=True, files=tuple(files), is_complete=walk.is_complete)


def read_bytes(file: BroughtFile, limits: ParserLimits) -> bytes:
    """Return a file's bytes; its size is looked at first, links and pipes are not opened; blocks.

    Raises:
        OversizeError: it is too large.
        UnreadableFileError: it cannot be read.
    """
    if isinstance(file.content, bytes):
        limits.check_file_size(len(file.content))
        return file.content
    try:
        descriptor = os.open(file.content, _FLAGS)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFileError("this is no regular file: leave it out")
            limits.check_file_size(status.st_size)
            content = stream.read(limits.max_file_bytes + 1)
    except OSError as error:
        raise UnreadableFileError(
            f"the file cannot be read ({error.strerror}): let this user read it"
        ) from error
    if len(content) > limits.max_file_bytes:
        raise OversizeError("the file grows while it is read: bring it when it is done")
    return content


def show_name(name: str) -> str:
    """Return a file's name as text that a database takes; different for different names."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", "")


def _list_folder(walk: _Walk, folder: Path) -> None:
    path = show_name(folder.relative_to(walk.root).as_posix())
    if is_script_folder(folder):
        walk.files.append(BroughtFile(path=f"{path}/", content=folder, is_script=True))
        return
    try:
        entries = sorted(_list_entries(folder), key=lambda entry: entry.name)
    except OSError as error:
        walk.is_complete = False
        fault = f"the folder cannot be listed ({error.strerror}): let this user read it"
        walk.files.append(BroughtFile(path=f"{path}/", content=folder, fault=fault))
        return
    for entry in entries:
        where = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            _list_folder(walk, where)
        elif entry.is_file(follow_symlinks=False):
            name = show_name(where.relative_to(walk.root).as_posix())
            size_bytes = _find_size(entry)
            walk.files.append(BroughtFile(path=name, content=where, size_bytes=size_bytes))


def _list_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = entry.name
            if not name.startswith((".", "~$")) and name.casefold() not in _LEFTOVERS:
                yield entry


def _find_size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
