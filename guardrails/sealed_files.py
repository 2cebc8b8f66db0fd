# SPDX-License-Identifier: Apache-2.0
"""Dangerous files on the disk, so that nothing can run, parse or recognise them.

Each is encrypted (AES-256-GCM, NIST SP 800-38D, a fresh 96-bit nonce) under a key of its own, which
is wrapped by the folder's key and handed out: whoever forgets the wrapped key has destroyed the
file. The name is authenticated with both, so files cannot be swapped. Folder 0700, files 0600,
synced before they count; none is ever replaced. Which of them still matter, the caller knows.
"""

import os
import re
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from guardrails.errors import QuarantineError, QuarantineIntegrityError

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_OVERHEAD_BYTES: Final = _NONCE_BYTES + 16  # and the tag
_NAME: Final = re.compile(r"[0-9a-f]{64}\.[a-z0-9_]{1,64}")


class SealedFiles:
    """A folder of encrypted files, named by digest and id: `SHA256.ID`. Blocks on the disk.

    Args:
        folder: made when the first file is.
        key: 32 bytes, kept apart from the wrapped keys.

    Raises:
        QuarantineError: the key has the wrong length.

    """

    def __init__(self, folder: Path, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise QuarantineError(f"the quarantine key has {len(key)} bytes, not {KEY_BYTES}")
        self._folder = folder
        self._cipher = AESGCM(key)

    def write(self, name: str, content: bytes) -> bytes:
        """Keep a new file, durably, and return its wrapped key.

        Raises:
            QuarantineError: the disk refuses; nothing is left.
        """
        if not _NAME.fullmatch(name):
            raise QuarantineError(f"not a name of a sealed file: {name!r}")
        file_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        sealed = _seal(AESGCM(file_key), content, name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            _write_durably(self._folder / name, sealed)
            _flush_folder(self._folder)
        except OSError as error:
            raise QuarantineError(
                f"the quarantine cannot be written: {error.strerror}; see the space and rights of"
                " the folder quarantine in the data folder"
            ) from error
        return _seal(self._cipher, file_key, name)

    def read(self, name: str, wrapped_key: bytes, size_bytes: int) -> bytes:
        """Return a file's content.

        Raises:
            QuarantineIntegrityError: it is gone, was changed, or is of another key.
            QuarantineError: the disk refuses.
        """
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                sealed = file.read(size_bytes + _OVERHEAD_BYTES + 1)
        except FileNotFoundError as error:
            raise QuarantineIntegrityError from error
        except OSError as error:
            raise QuarantineError(
                f"the quarantine cannot be read: {error.strerror}; see the space and rights of"
                " the folder quarantine in the data folder"
            ) from error
        file_key = _open(self._cipher, wrapped_key, name)
        return _open(AESGCM(file_key), sealed, name)

    def list_others(self, kept: Collection[str]) -> list[str]:
        """Return the names of our files that are not among these, in order."""
        if not self._folder.is_dir():
            return []
        names = (entry.name for entry in os.scandir(self._folder))
        return sorted(name for name in names if _NAME.fullmatch(name) and name not in kept)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files; those that are gone are no fault.

        Raises:
            QuarantineError: the disk refuses.
        """
        try:
            for name in names:
                (self._folder / name).unlink(missing_ok=True)
            _flush_folder(self._folder)
        except OSError as error:
            raise QuarantineError(
                f"the quarantine cannot be cleaned: {error.strerror}; see the space and rights of"
                " the folder quarantine in the data folder"
            ) from error


def _seal(cipher: AESGCM, content: bytes, name: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, name.encode())


def _open(cipher: AESGCM, sealed: bytes, name: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
    except (InvalidTag, ValueError) as error:
        raise QuarantineIntegrityError from error


def _write_durably(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
