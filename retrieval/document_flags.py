# SPDX-License-Identifier: Apache-2.0
"""Documents that a person should look at: list them, keep them, or take them out of search.

What was decided holds for the text as it was: a changed document may be flagged anew, and words
that were taken out stay out, under any name and from any source, until somebody decides to keep
them after all. The caller owns the transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.corpus import Corpus
from retrieval.ingested_files import FileReason
from retrieval.ingestion_errors import FlagMissingError
from retrieval.near_duplicates import QUERIES as DUPLICATE_QUERIES
from retrieval.near_duplicates import digest_words

QUERIES: Final = load_queries(__file__, "document_flags")
MAX_LISTED: Final = 200


class Resolution(StrEnum):
    """What a person may decide on a flagged document."""

    KEPT = "kept"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFlag:
    """A flagged document in force, and the other one that it resembles, if that is why."""

    flag_id: str
    document_id: str
    version: int
    title: str
    trust: str
    source_id: str | None
    kind: str
    detail: Mapping[str, Any]
    raised_at: datetime
    other_title: str | None
    other_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredDocument:
    """A document that a person took out of search, and the flag by which it can come back."""

    flag_id: str
    document_id: str
    version: int
    title: str
    kind: str
    resolved_at: datetime
    resolved_by: str


class DocumentFlags:
    """Keeps the flags."""

    def __init__(self, *, clock: Clock, audit: AuditIntake, corpus: Corpus) -> None:
        self._clock = clock
        self._audit = audit
        self._corpus = corpus

    async def list_open(
        self,
        connection: Connection,
        *,
        groups: Sequence[str] | None = None,
        flag_id: str | None = None,
        limit: int = MAX_LISTED,
    ) -> tuple[DocumentFlag, ...]:
        """Return what waits for a look, oldest first: all, or one flag.

        Where groups are given, only what they may read, and what resembles what they may read.
        """
        asked = {"groups": groups, "flag_id": flag_id, "limit": limit}
        cursor = await connection.execute(QUERIES["list_open"], asked)
        rows = await cursor.fetchall()
        return tuple(
            DocumentFlag(**{name: row[name] for name in DocumentFlag.__slots__}) for row in rows
        )

    async def list_retired(
        self,
        connection: Connection,
        *,
        groups: Sequence[str] | None = None,
        flag_id: str | None = None,
        limit: int = MAX_LISTED,
    ) -> tuple[RetiredDocument, ...]:
        """Return what people took out of search, newest first: all, or one; for groups as above."""
        asked = {"groups": groups, "flag_id": flag_id, "limit": limit}
        cursor = await connection.execute(QUERIES["list_retired"], asked)
        return tuple(RetiredDocument(**row) for row in await cursor.fetchall())

    async def resolve(
        self,
        connection: Connection,
        flag_id: str,
        resolution: Resolution,
        *,
        actor: str,
        correlation_id: str,
        groups: Sequence[str] | None = None,
    ) -> str:
        """Decide on a flag; return the document's id.

        Where groups are given, only on what they may read.

        What was taken out and is kept after all comes back with the next run of its source, or
        when it is uploaded again.

        Raises:
            FlagMissingError: it does not wait for this decision.
        """
        await connection.execute(DUPLICATE_QUERIES["lock_fingerprints"])  # as whoever raises one
        if groups is not None and not (
            await self.list_open(connection, groups=groups, flag_id=flag_id)
            or await self.list_retired(connection, groups=groups, flag_id=flag_id)
        ):
            raise FlagMissingError
        cursor = await connection.execute(
            QUERIES["take_flag"], {"flag_id": flag_id, "resolution": resolution.value}
        )
        if (flag := await cursor.fetchone()) is None:
            raise FlagMissingError
        document_id: str = flag["document_id"]
        cursor = await connection.execute(QUERIES["find_body"], {"document_id": document_id})
        document = await cursor.fetchone()
        if resolution is Resolution.RETIRED:
            await self._corpus.retire(
                connection,
                [document_id],
                actor=actor,
                correlation_id=correlation_id,
                reason=f"flagged as {flag['kind']}",
            )
        elif flag["resolution"] is not None:
            asked = {"document_id": document_id, "reasons": [FileReason.RETIRED, FileReason.PARTLY]}
            await connection.execute(QUERIES["look_again"], asked)
        await connection.execute(
            QUERIES["resolve_flag"],
            {
                "flag_id": flag_id,
                "now": self._clock.now(),
                "actor": actor,
                "resolution": resolution.value,
                "content": None if document is None else digest_words(document["body"]),
            },
        )
        await self._audit.record(
            connection,
            actor=actor,
            action=f"document.flag_{resolution.value}",
            subject_kind="document",
            subject_id=document_id,
            correlation_id=correlation_id,
            before={"flag_id": flag_id, "kind": flag["kind"], "resolution": flag["resolution"]},
            after={"resolution": resolution.value},
        )
        return document_id
