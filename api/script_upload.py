# SPDX-License-Identifier: Apache-2.0
"""A script folder as it is uploaded: a small ZIP archive of its files, read within bounds."""

from pathlib import PurePosixPath
from typing import Final

from retrieval.errors import ManifestError, RetrievalError
from retrieval.manifest import MANIFEST_FILE, STEPS, SUFFIXES, CatalogueEntry, build_entry
from retrieval.parsing.archives import ArchiveBudget
from retrieval.parsing.limits import MEGABYTE, ParserLimits

LIMITS: Final = ParserLimits(
    max_file_bytes=MEGABYTE,
    max_archive_members=16,
    max_archive_bytes=MEGABYTE,
    max_archive_depth=1,
)
FILE_NAMES: Final = frozenset(
    {MANIFEST_FILE, *(f"{step}{suffix}" for step in STEPS for suffix in SUFFIXES.values())}
)


def read_archive(content: bytes) -> CatalogueEntry:
    """Return the script in an archive: its files in one folder that is named as its id.

    Raises:
        ManifestError: it is no such archive, or no valid script folder; says what is wrong.
    """
    try:
        LIMITS.check_file_size(len(content))
        archive = ArchiveBudget(limits=LIMITS).open(content, depth=1)
        found = {
            member.filename: archive.read(member)
            for member in archive.list_documents()
            if not member.is_dir()
        }
    except RetrievalError as error:
        raise ManifestError(f"send the script's folder as a ZIP archive: {error}") from error
    folders = {str(PurePosixPath(name).parent) for name in found}
    if len(folders) != 1 or "." in folders or "/" in next(iter(folders)):
        raise ManifestError("the archive must hold one folder, named as the script's id")
    files = {PurePosixPath(name).name: part for name, part in found.items()}
    if foreign := sorted(set(files) - FILE_NAMES):
        raise ManifestError(f"{foreign[0]} is no file of a script: leave it out")
    return build_entry(folders.pop(), files)
