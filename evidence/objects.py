# SPDX-License-Identifier: Apache-2.0
"""The object store: a local directory by default, any S3-like store by its URL (obstore).

Keys are content-addressed by their writers, so writing twice is harmless. What `put` has returned
from survives a power cut: local files are flushed, which obstore leaves to its caller.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, from_url

from evidence.errors import ObjectKeyError, ObjectMissingError

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")


class Objects:
    """Reads and writes whole objects by key."""

    def __init__(self, store: Any, directory: Path | None = None) -> None:
        """Wrap an obstore store; `directory` is where a local one keeps its files."""
        self._store = store
        self._directory = directory

    async def put(self, key: str, content: bytes) -> None:
        """Store an object durably; one of the same key is replaced as a whole.

        Raises:
            ObjectKeyError: the key is not a plain path.
        """
        await obstore.put_async(self._store, _checked(key), content)
        if self._directory is not None:
            await asyncio.to_thread(_flush, self._directory, self._directory / key)

    async def get(self, key: str) -> bytes:
        """Return an object's content.

        Raises:
            ObjectMissingError: there is none.
            ObjectKeyError: the key is not a plain path.
        """
        try:
            answer = await obstore.get_async(self._store, _checked(key))
            return bytes(await answer.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectMissingError(key) from error

    async def exists(self, key: str) -> bool:
        """Say whether there is such an object."""
        try:
            await obstore.head_async(self._store, _checked(key))
        except (NotFoundError, FileNotFoundError):
            return False
        return True


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ObjectKeyError(f"not an object key: {key[:100]!r}")
    return key


def _flush(root: Path, path: Path) -> None:
    """Flush a file and the directories from it up to the store's root."""
    for entry in (path, *(parent for parent in path.parents if parent.is_relative_to(root))):
        descriptor = os.open(entry, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def open_objects(place: str | Path) -> Objects:
    """Open a store by URL (`s3://bucket/prefix`, `memory:///`, `file:///dir`) or directory.

    A directory is created, readable by its owner only. Credentials of remote stores come from
    the environment, as obstore documents.
    """
    if isinstance(place, str) and "://" in place and not place.startswith("file://"):
        return Objects(from_url(place))
    directory = Path(str(place).removeprefix("file://")).absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Objects(LocalStore(prefix=directory), directory)
