# SPDX-License-Identifier: Apache-2.0
"""Opens ZIP archives within a budget, before anything in them is unpacked.

The budget is shared by all archives of one file, so that nesting gains nothing. Member names are
never used as paths; one that points outside is still refused, for whoever unpacks it next.
"""

import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from retrieval.parsing.errors import (
    ArchiveBombError,
    BrokenDocumentError,
    EncryptedDocumentError,
    OversizeError,
    UnsafePathError,
)
from retrieval.parsing.limits import MEGABYTE, ParserLimits

ENCRYPTED_FLAG = 1
SMALL_BYTES = MEGABYTE  # what is smaller may be packed at any ratio
DAMAGED_ARCHIVE = "the archive or office file is damaged or was cut short: fetch it again"
_ABSOLUTE = re.compile(r"[A-Za-z]:|/")
# What zipfile lets through when an archive is not what it should be.
ZIP_DAMAGE = (
    BadZipFile, LargeZipFile, zlib.error, EOFError, LookupError, NotImplementedError, OSError,
    RuntimeError, ValueError,
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ArchiveBudget:
    """What the archives of one file have used so far."""

    limits: ParserLimits
    n_members: int = 0
    n_bytes: int = 0

    def open(self, content: bytes, *, depth: int) -> "Archive":
        """Return a checked archive; the outermost has depth 1.

        Raises:
            ArchiveBombError: it unpacks to too much, too many, or too deep.
            UnsafePathError: a member points outside.
            EncryptedDocumentError: a member needs a password.
            OversizeError: it has too many members.
            BrokenDocumentError: it is damaged.
        """
        if depth > self.limits.max_archive_depth:
            raise ArchiveBombError(
                f"archives are nested deeper than {self.limits.max_archive_depth}: unpack them"
            )
        try:
            archive = ZipFile(BytesIO(content))
        except ZIP_DAMAGE as error:
            raise BrokenDocumentError(DAMAGED_ARCHIVE) from error
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            self._charge(member)
        return Archive(archive=archive, members=tuple(members))

    def _charge(self, member: ZipInfo) -> None:
        check_member_name(member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnsafePathError(f"{member.filename!r} is a link: pack the file itself")
        if member.flag_bits & ENCRYPTED_FLAG:
            raise EncryptedDocumentError
        self.n_members += 1
        self.n_bytes += member.file_size
        if self.n_members > self.limits.max_archive_members:
            raise OversizeError(
                f"the archive has more than {self.limits.max_archive_members:,} members: split it"
            )
        if self.n_bytes > self.limits.max_archive_bytes:
            raise ArchiveBombError(
                f"the archive unpacks to more than {self.limits.max_archive_bytes:,} bytes:"
                " split it"
            )
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > SMALL_BYTES and ratio > self.limits.max_compression_ratio:
            raise ArchiveBombError(
                f"{member.filename} unpacks to {ratio:,.0f} times its size, more than documents do:"
                " bring it as it is, outside of an archive"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An archive within its budget."""

    archive: ZipFile
    members: tuple[ZipInfo, ...]

    def read(self, member: ZipInfo) -> bytes:
        """Return a member's bytes.

        Raises:
            BrokenDocumentError: it cannot be unpacked.
        """
        try:
            with self.archive.open(member) as stream:
                return stream.read(member.file_size)
        except ZIP_DAMAGE as error:
            raise BrokenDocumentError(
                f"{member.filename} is damaged: fetch or pack the archive again"
            ) from error

    def list_documents(self) -> Iterator[ZipInfo]:
        """Yield members by name, without those of the system that packed it."""
        for member in sorted(self.members, key=lambda item: item.filename):
            parts = member.filename.split("/")
            if not any(part.startswith((".", "__MACOSX")) for part in parts):
                yield member

    def list_script_folders(self) -> frozenset[str]:
        """Return the folders, with a slash at the end, that hold a manifest."""
        return frozenset(
            member.filename.removesuffix("manifest.yaml")
            for member in self.members
            if member.filename.endswith("/manifest.yaml")
        )


def check_member_name(name: str) -> None:
    """Refuse a name that is absolute or climbs.

    Raises:
        UnsafePathError: it is.
    """
    plain = name.replace("\\", "/")
    if _ABSOLUTE.match(plain) or ".." in plain.split("/"):
        raise UnsafePathError(f"{name!r} points outside of the archive: pack it again")
