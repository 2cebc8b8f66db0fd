# SPDX-License-Identifier: Apache-2.0
"""The newest verdict on each file of a source, in words for programs and for people.

A file that has not changed keeps its row, so `stored` means: in search now. The caller owns the
transaction. A path may name a person, so the audit log gets digests instead.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from retrieval.ingestion_errors import IngestedFileMissingError
from retrieval.parsing.errors import Reason
from retrieval.screening import RELEASED
from retrieval.sources import QUERIES, SourceKind

MAX_DETAIL_CHARACTERS: Final = 2000
MAX_LISTED: Final = 1000
# What a file's bytes alone decide; everything else is looked at again in the next run.
LASTING_REASONS: Final = frozenset({
    Reason.UNKNOWN_FORMAT.value, Reason.EMPTY.value, Reason.ENCRYPTED.value, Reason.BROKEN.value,
    Reason.ARCHIVE_BOMB.value, Reason.UNSAFE_PATH.value, Reason.ENCODING.value,
})  # fmt: skip


class Verdict(StrEnum):
    """What became of a file."""

    STORED = "stored"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    REMOVED = "removed"


class FileReason(StrEnum):
    """Why, beyond what a parser says (`retrieval.parsing.errors.Reason`)."""

    PARTLY = "partly"  # stored without some of its members
    INFECTED = "infected"
    UNSCANNED = "unscanned"
    SCRIPT_FOLDER = "script_folder"
    DUPLICATE_OF = "duplicate_of"
    RETIRED = "retired_by_reviewer"
    WITHDRAWN = "release_withdrawn"
    NOT_TAKEN = "not_taken"  # released, but its bytes are gone before they were taken


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """What became of a file, why, and what to do about it."""

    path: str
    verdict: Verdict
    size_bytes: int
    sha256: str | None = None
    reason: str = ""
    detail: str = ""
    engine: str = ""
    recipe: str = ""
    document_ids: tuple[str, ...] = ()
    recorded_at: datetime | None = None  # None: not recorded
    is_told: bool = False  # whether the run that recorded it came to its end, and told people

    @property
    def is_refused(self) -> bool:
        """Whether the file is not in search, though it is there."""
        return self.verdict in (Verdict.REJECTED, Verdict.QUARANTINED)

    @property
    def is_by_release(self) -> bool:
        """Whether it was taken in spite of what was found in it, as a reviewer let it pass."""
        return self.engine.endswith(RELEASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCopy:
    """The newest verdict on one of several files with the same bytes, and where it is recorded."""

    source_id: str
    source_kind: SourceKind
    run_id: str
    verdict: FileVerdict


class IngestedFiles:
    """Keeps the verdicts."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def list_page(
        self,
        connection: Connection,
        source_id: str,
        *,
        verdict: Verdict | None = None,
        after: str = "",
        limit: int = MAX_LISTED,
    ) -> list[FileVerdict]:
        """Return verdicts by path; `after` is the last path seen."""
        page = {"source_id": source_id, "verdict": verdict, "after": after, "limit": limit}
        cursor = await connection.execute(QUERIES["list_files"], page)
        return [_read_verdict(row) for row in await cursor.fetchall()]

    async def list_all(self, connection: Connection, source_id: str) -> dict[str, FileVerdict]:
        """Return all verdicts on a source's files."""
        known: dict[str, FileVerdict] = {}
        after = ""
        while page := await self.list_page(connection, source_id, after=after):
            known.update((verdict.path, verdict) for verdict in page)
            after = page[-1].path
        return known

    async def find(self, connection: Connection, source_id: str, path: str) -> FileVerdict | None:
        """Return the newest verdict on a file, or None."""
        key = {"source_id": source_id, "path": path}
        row = await (await connection.execute(QUERIES["find_file"], key)).fetchone()
        return None if row is None else _read_verdict(row)

    async def require(self, connection: Connection, source_id: str, path: str) -> FileVerdict:
        """Return the newest verdict on a file that is there.

        Raises:
            IngestedFileMissingError: it is not.
        """
        known = await self.find(connection, source_id, path)
        if known is None or known.verdict is Verdict.REMOVED:
            raise IngestedFileMissingError
        return known

    async def take_over(
        self, connection: Connection, source_id: str, paths: Sequence[str], *, run_id: str
    ) -> None:
        """Make verdicts those of the run that tells of them, if another one recorded them."""
        await connection.execute(
            QUERIES["take_over_files"],
            {"source_id": source_id, "paths": list(paths), "run_id": run_id},
        )

    async def list_versions(
        self, connection: Connection, verdicts: Sequence[FileVerdict]
    ) -> dict[str, int]:
        """Return the versions in force of files' documents; {document id: version}."""
        ids = [name for verdict in verdicts for name in verdict.document_ids]
        cursor = await connection.execute(QUERIES["list_versions"], {"document_ids": ids})
        return {row["document_id"]: row["version"] for row in await cursor.fetchall()}

    async def list_holders(
        self, connection: Connection, sha256s: Collection[str]
    ) -> dict[str, tuple[str, ...]]:
        """Return of which sources files with these bytes are held back; {sha256: source ids}.

        The quarantine keeps bytes once, under the name by which they came first.
        """
        cursor = await connection.execute(QUERIES["list_holders"], {"sha256s": list(sha256s)})
        holders: dict[str, tuple[str, ...]] = {}
        for row in await cursor.fetchall():
            holders[row["sha256"]] = (*holders.get(row["sha256"], ()), row["source_id"])
        return holders

    async def list_copies(self, connection: Connection, sha256: str) -> list[FileCopy]:
        """Return the files with these bytes, of all sources.

        With them come those that a release let pass and that are to be looked at anew: their bytes
        are not on record meanwhile.
        """
        parameters = {"sha256": sha256, "released": f"%{RELEASED}"}
        cursor = await connection.execute(QUERIES["list_copies"], parameters)
        return [
            FileCopy(
                source_id=row["source_id"],
                source_kind=SourceKind(row["kind"]),
                run_id=row["run_id"],
                verdict=_read_verdict(row),
            )
            for row in await cursor.fetchall()
        ]

    async def keep(
        self,
        connection: Connection,
        source_id: str,
        verdict: FileVerdict,
        *,
        run_id: str,
        actor: str,
        correlation_id: str,
    ) -> None:
        """Record a verdict."""
        facts = {name: getattr(verdict, name) for name in ("sha256", "reason", "engine")}
        facts["document_ids"] = list(verdict.document_ids)
        await connection.execute(
            QUERIES["keep_file"],
            {
                **facts,
                "source_id": source_id,
                "path": verdict.path,
                "size_bytes": verdict.size_bytes,
                "verdict": verdict.verdict.value,
                "detail": verdict.detail[:MAX_DETAIL_CHARACTERS],
                "recipe": verdict.recipe,
                "run_id": run_id,
                "now": self._clock.now(),
            },
        )
        await self._audit.record(
            connection,
            actor=actor,
            action=f"knowledge_file.{verdict.verdict.value}",
            subject_kind="document_source",
            subject_id=source_id,
            correlation_id=correlation_id,
            after={**facts, "run_id": run_id},
        )


def _read_verdict(row: Mapping[str, Any]) -> FileVerdict:
    facts = {name: row[name] for name in FileVerdict.__slots__}
    verdict, document_ids = Verdict(row["verdict"]), tuple(row["document_ids"])
    return FileVerdict(**{**facts, "verdict": verdict, "document_ids": document_ids})
