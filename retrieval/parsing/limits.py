# SPDX-License-Identifier: Apache-2.0
"""What one file may cost, in bytes, members and seconds."""

from dataclasses import dataclass

from retrieval.parsing.errors import OversizeError

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ParserLimits:
    """Bounds of one file's reading; beyond any of them the file is refused, never cut short."""

    max_file_bytes: int = 50 * MEGABYTE
    max_text_characters: int = 5_000_000  # of one document
    max_documents: int = 20_000
    max_archive_members: int = 10_000
    max_archive_bytes: int = 500 * MEGABYTE  # unpacked, of all nested archives together
    max_archive_depth: int = 2  # an archive in an archive
    max_compression_ratio: int = 200
    max_reply_bytes: int = 128 * MEGABYTE  # what the parser process may answer
    cpu_seconds: int = 30
    wall_seconds: float = 60.0
    memory_bytes: int = 1024 * MEGABYTE

    def check_file_size(self, n_bytes: int) -> None:
        """Refuse a file by its size.

        Raises:
            OversizeError: it is too large.
        """
        if n_bytes > self.max_file_bytes:
            raise OversizeError(
                f"the file has {n_bytes:,} bytes, more than {self.max_file_bytes:,}: split it"
            )
