# SPDX-License-Identifier: Apache-2.0
"""Documents that a person should look at: flag them, keep them, or take them out of search.

Why a document is suspect is found elsewhere (`near_duplicates`, `dominance`).
What was decided holds for the text as it was: a changed document may be flagged anew, and words
that were taken out stay out, under any name and from any source, until somebody decides to keep
them after all. The caller owns the transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from retrieval.corpus import Corpus
from retrieval.ingested_files import FileReason
from retrieval.ingestion_errors import FlagMissingError
from retrieval.words import digest_text

QUERIES: Final = load_queries(__file__, "document_flags")
MAX_LISTED: Final = 200


class Resolution(StrEnum):
    """What a person may decide on a flagged document."""

    KEPT = "kept"
    RETIRED = "retired"


class FlagKind(StrEnum):
    """Why a document is flagged."""

    NEAR_DUPLICATE = "near_duplicate"
    DOMINANCE = "dominance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Why people should look at a document.

    `audited` names the details that the audit trail has too. Where a person has kept the document
    after `kept_since`, or after a comparison of which `detail` has the same digest (`comparison`),
    there is nothing to look at.
    """

    document_id: str
    kind: FlagKind
    detail: Mapping[str, Any]
    audited: tuple[str, ...]
    kept_since: datetime | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Somebody's decision that words stay out of search, and the flag that takes it back."""

    content: str
    flag_id: str
    kind: str
    resolved_by: str
    resolved_at: datetime

    def __str__(self) -> str:
        """Return it for people."""
        return (
            f"{self.resolved_by} took these words out of search on {self.resolved_at:%Y-%m-%d}"
            f" ({self.kind.replace('_', ' ')}); if they may come back: eucora kb flags keep"
            f" {self.flag_id}"
        )


async def list_refused(connection: Connection, contents: Mapping[str, str]) -> dict[str, Refusal]:
    """Return the decisions that keep documents out of search, by document.

    Words that a person took out stay out under any name and from any source. What is in force with
    the same words stays: whoever decided took out one of two copies.

    Args:
        connection: of a transaction that keeps out those who decide.
        contents: the digests of the documents' words, by document.
    """
    parameters = {"contents": list(contents.values())}
    cursor = await connection.execute(QUERIES["list_refusals"], parameters)
    refusals = {row["content"]: Refusal(**row) for row in await cursor.fetchall()}
    refused = {name: refusals[one] for name, one in contents.items() if one in refusals}
    cursor = await connection.execute(QUERIES["list_bodies"], {"document_ids": list(refused)})
    for row in await cursor.fetchall():
        if digest_text(row["body"]) == refused[row["document_id"]].content:
            del refused[row["document_id"]]
    return refused


async def list_open_flags(
    connection: Connection,
    *,
    groups: Sequence[str] | None,
    flag_id: str | None = None,
    document_ids: Collection[str] | None = None,
    limit: int = MAX_LISTED,
) -> tuple[DocumentFlag, ...]:
    """Return the flags that wait for somebody's look, oldest first: all, one, or some documents'.

    Where groups are given, only those of what they may read, and of what resembles what they may
    read: that another document is out of force does not open it.
    """
    parameters = {
        "groups": groups,
        "flag_id": flag_id,
        "document_ids": None if document_ids is None else list(document_ids),
        "limit": limit,
    }
    rows = await (await connection.execute(QUERIES["list_open"], parameters)).fetchall()
    return tuple(
        DocumentFlag(**{name: row[name] for name in DocumentFlag.__slots__}) for row in rows
    )


async def lock_decisions(connection: Connection) -> None:
    """Take turns with who stores what may be a copy or decides on words, for a transaction."""
    await connection.execute(QUERIES["lock_decisions"])


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRecorder:
    """Raises flags in somebody's name, for one request."""

    clock: Clock
    ids: IdSource
    audit: AuditIntake
    actor: str
    correlation_id: str

    async def raise_flag(self, connection: Connection, suspicion: Suspicion) -> bool:
        """Ask people to look at a document; return whether there is anything new to look at."""
        cursor = await connection.execute(
            QUERIES["raise_flag"],
            {
                "flag_id": self.ids.new("flg"),
                "document_id": suspicion.document_id,
                "kind": suspicion.kind.value,
                "detail": Jsonb(dict(suspicion.detail)),
                "now": self.clock.now(),
                "kept_since": suspicion.kept_since,
            },
        )
        if (row := await cursor.fetchone()) is None:
            return False
        await self.audit.record(
            connection,
            actor=self.actor,
            action="document.flagged",
            subject_kind="document",
            subject_id=suspicion.document_id,
            correlation_id=self.correlation_id,
            after={
                "flag_id": row["flag_id"],
                "kind": suspicion.kind.value,
                **{name: suspicion.detail[name] for name in suspicion.audited},
            },
        )
        return True


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
        return await list_open_flags(connection, groups=groups, flag_id=flag_id, limit=limit)

    async def list_retired(
        self,
        connection: Connection,
        *,
        groups: Sequence[str] | None = None,
        flag_id: str | None = None,
        limit: int = MAX_LISTED,
    ) -> tuple[RetiredDocument, ...]:
        """Return what people took out of search, newest first: all, or one; for groups as above."""
        parameters = {"groups": groups, "flag_id": flag_id, "limit": limit}
        cursor = await connection.execute(QUERIES["list_retired"], parameters)
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
        await lock_decisions(connection)
        flag = await self._take(connection, flag_id, resolution, groups)
        document_id: str = flag["document_id"]
        cursor = await connection.execute(QUERIES["find_body"], {"document_id": document_id})
        document = await cursor.fetchone()
        await self._carry_out(connection, flag, resolution, actor, correlation_id)
        await connection.execute(
            QUERIES["resolve_flag"],
            {
                "flag_id": flag_id,
                "now": self._clock.now(),
                "actor": actor,
                "resolution": resolution.value,
                "content": None if document is None else digest_text(document["body"]),
            },
        )
        await self._audit_resolution(connection, flag, resolution, actor, correlation_id)
        return document_id

    async def _take(
        self,
        connection: Connection,
        flag_id: str,
        resolution: Resolution,
        groups: Sequence[str] | None,
    ) -> Mapping[str, Any]:
        """Return a flag that somebody of these groups may decide on, kept from others."""
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
        return flag

    async def _carry_out(
        self,
        connection: Connection,
        flag: Mapping[str, Any],
        resolution: Resolution,
        actor: str,
        correlation_id: str,
    ) -> None:
        """Take the document out of search, or let one that was taken out come back."""
        if resolution is Resolution.RETIRED:
            await self._corpus.retire(
                connection,
                [flag["document_id"]],
                actor=actor,
                correlation_id=correlation_id,
                reason=f"flagged as {flag['kind']}",
            )
        elif flag["resolution"] is not None:
            await _look_again(connection, flag["document_id"])

    async def _audit_resolution(
        self,
        connection: Connection,
        flag: Mapping[str, Any],
        resolution: Resolution,
        actor: str,
        correlation_id: str,
    ) -> None:
        before = {name: flag[name] for name in ("flag_id", "kind", "resolution")}
        await self._audit.record(
            connection,
            actor=actor,
            action=f"document.flag_{resolution.value}",
            subject_kind="document",
            subject_id=flag["document_id"],
            correlation_id=correlation_id,
            before=before,
            after={"resolution": resolution.value},
        )


async def _look_again(connection: Connection, document_id: str) -> None:
    """Make the next run of a source take anew what holds a document, or was left out."""
    parameters = {"document_id": document_id, "reasons": [FileReason.RETIRED, FileReason.PARTLY]}
    await connection.execute(QUERIES["look_again"], parameters)
