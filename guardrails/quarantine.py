# SPDX-License-Identifier: Apache-2.0
"""Refused files, kept for a security reviewer until they are released or destroyed.

The bytes lie encrypted on the disk (guardrails.sealed_files), each under a key that only its row
holds. The row decides: a file is on the disk, synced, before its row commits, and a release or
destruction forgets the key in its own transaction. What is left of a file then, or of a crash, is
an orphan that nobody can read, for `remove_orphans`.

A release takes two people, the second not who brought the file or made the token that brought it.
A service is no person, so somebody asks for the release of what it brought before somebody else can
decide. A release covers what the reviewer saw: the same bytes with the same finding. Destroying a
released file withdraws its release. Who may do all that is the caller's business.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from psycopg import AsyncCursor
from psycopg.pq import TransactionStatus

from guardrails.errors import (
    QuarantinedFileMissingError,
    QuarantineError,
    QuarantineFullError,
    QuarantineReleaseError,
    QuarantineStateError,
)
from guardrails.quarantined_files import HoldReason, QuarantinedFile, read_row
from guardrails.sanitise import plain_text
from guardrails.sealed_files import SealedFiles
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.person import is_person, is_same_person, normalise_person
from kernel.queries import load_queries

QUERIES: Final = load_queries(__file__, "quarantine")
MAX_HELD_BYTES: Final = 1024**3
MAX_LISTED: Final = 500
MAX_REASON_CHARACTERS: Final = 2000
_MAX_NAME_CHARACTERS: Final = 255
_SUBJECT: Final = "quarantined_file"


class Quarantine:
    """Holds, releases and destroys files. The caller owns the transaction.

    Changes happen one at a time: whoever makes one keeps others waiting until the transaction
    ends, so it should end soon.

    Args:
        files: where the bytes lie.
        mask: masks names and reasons; makes sure itself that it can.
        max_bytes: how much is held at most.

    """

    def __init__(
        self,
        *,
        files: SealedFiles,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        mask: Callable[[str], Awaitable[str]],
        max_bytes: int = MAX_HELD_BYTES,
    ) -> None:
        self._files = files
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._mask_text = mask
        self._max_bytes = max_bytes

    async def hold(
        self,
        connection: Connection,
        content: bytes,
        *,
        name: str,
        source: str,
        reason: HoldReason,
        signature: str | None,
        engine: str,
        actor: str,
        correlation_id: str,
    ) -> QuarantinedFile:
        """Keep a refused file once `connection` commits; of one that is held, that it came again.

        `name` and `source` say what it was called and where it came from; `signature` and `engine`
        are the verdict's: what was found, and by what.

        Raises:
            QuarantineFullError: there is no room; the file is not kept.
            QuarantineError: the disk refuses it.
        """
        found = {
            "name": await self._mask(name, _MAX_NAME_CHARACTERS) or "unnamed",
            "source": await self._mask(source, _MAX_NAME_CHARACTERS),
            "reason": reason.value,
            "signature": None if signature is None else _one_line(signature),
            "engine": _one_line(engine),
        }
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        file, action = await self._find_or_take_in(connection, content, sha256, actor, found)
        after = {**found, "sha256": sha256, "size_bytes": len(content)}
        await self._record(connection, file, action, actor, correlation_id, after=after)
        return file

    async def is_released(
        self, connection: Connection, sha256: str, *, signature: str | None
    ) -> bool:
        """Whether a reviewer has let these bytes pass in spite of this finding (None: of none)."""
        parameters = {"sha256": sha256, "signature": signature and _one_line(signature)}
        cursor = await connection.execute(QUERIES["find_release"], parameters)
        return bool((await cursor.fetchone() or {}).get("released"))

    async def list_held(
        self, connection: Connection, *, limit: int = 100, before: str | None = None
    ) -> tuple[QuarantinedFile, ...]:
        """Return what waits for a decision, newest first; `before` is the last id seen."""
        page = {"limit": max(1, min(limit, MAX_LISTED)), "before": before}
        cursor = await connection.execute(QUERIES["list_held"], page)
        return tuple(read_row(row) for row in await cursor.fetchall())

    async def find(self, connection: Connection, quarantine_id: str) -> QuarantinedFile:
        """Return one file, whatever became of it.

        Raises:
            QuarantinedFileMissingError: there is none.

        """
        return read_row(await self._find_row(connection, quarantine_id))

    async def ask_release(
        self,
        connection: Connection,
        quarantine_id: str,
        *,
        asked_by: str,
        reason: str,
        correlation_id: str,
    ) -> QuarantinedFile:
        """Record that somebody asks for a file's release; another person decides.

        Raises:
            QuarantineReleaseError: there is no reason, or no person.
            QuarantinedFileMissingError: there is no such file.
            QuarantineStateError: it is not held, or somebody has asked before.

        """
        await connection.execute(QUERIES["lock_quarantine"])
        file = await self.find(connection, quarantine_id)
        if not file.is_held:
            raise QuarantineStateError
        if file.asked_by is not None:
            raise QuarantineStateError(
                f"{file.asked_by} has asked for it: somebody else may release it"
            )
        _check_is_person(asked_by)
        change = {"asked_by": asked_by, "reason": await self._read_reason(reason)}
        cursor = await connection.execute(
            QUERIES["mark_asked"],
            {**change, "quarantine_id": quarantine_id, "now": self._clock.now()},
        )
        await self._record_decision(
            connection, file, "quarantine.release_asked", asked_by, correlation_id, change
        )
        return await _fetch_row(cursor)

    async def release(
        self,
        connection: Connection,
        quarantine_id: str,
        *,
        requested_by: str,
        released_by: str,
        reason: str,
        correlation_id: str,
        token_maker: str = "",
    ) -> tuple[QuarantinedFile, bytes]:
        """Let a file go: return it with its bytes, of which the quarantine keeps none.

        `token_maker` made the token that brought it, if one did. Take the bytes in the same
        transaction, or from their source again: they pass from now on.

        Raises:
            QuarantineReleaseError: there is no reason, or not a second person.
            QuarantinedFileMissingError, QuarantineStateError: it is not held.
            QuarantineIntegrityError: its bytes are not what was held.
        """
        await connection.execute(QUERIES["lock_quarantine"])
        row = await self._find_row(connection, quarantine_id)
        file = read_row(row)
        if not file.is_held:
            raise QuarantineStateError
        _check_people(released_by, requested_by, (file.actor, token_maker))
        change = {
            "requested_by": requested_by,
            "released_by": released_by,
            "reason": await self._read_reason(reason),
        }
        key = bytes(row["wrapped_key"])
        content = await asyncio.to_thread(self._files.read, _file_name(row), key, file.size_bytes)
        marked = {**change, "quarantine_id": quarantine_id, "now": self._clock.now()}
        released = await _fetch_row(await connection.execute(QUERIES["mark_released"], marked))
        await self._record_decision(
            connection, file, "quarantine.released", released_by, correlation_id, change
        )
        return released, content

    async def destroy(
        self,
        connection: Connection,
        quarantine_id: str,
        *,
        destroyed_by: str,
        reason: str,
        correlation_id: str,
    ) -> QuarantinedFile:
        """Destroy a held file for good, or withdraw the release of one that was let go.

        Raises:
            QuarantineReleaseError: there is no reason or no person.
            QuarantinedFileMissingError, QuarantineStateError: it is not there any more.

        """
        await connection.execute(QUERIES["lock_quarantine"])
        file = await self.find(connection, quarantine_id)
        if file.deleted_at is not None:
            raise QuarantineStateError
        if not normalise_person(destroyed_by):
            raise QuarantineReleaseError("a destruction names who decided it")
        change = {"deleted_by": destroyed_by, "reason": await self._read_reason(reason)}
        cursor = await connection.execute(
            QUERIES["mark_deleted"],
            {**change, "quarantine_id": quarantine_id, "now": self._clock.now()},
        )
        action = "quarantine.destroyed" if file.is_held else "quarantine.release_withdrawn"
        await self._record_decision(connection, file, action, destroyed_by, correlation_id, change)
        return await _fetch_row(cursor)

    async def remove_orphans(
        self, connection: Connection, *, actor: str, correlation_id: str
    ) -> int:
        """Remove the files that no committed row holds, in a transaction of its own.

        To be called at every start, and after a release or destruction has committed.

        Raises:
            QuarantineError: the connection is in a transaction, which may yet be rolled back; or
                the disk refuses.

        """
        if connection.info.transaction_status is not TransactionStatus.IDLE:
            raise QuarantineError("orphans are removed outside of any other transaction")
        async with connection.transaction():
            await connection.execute(QUERIES["lock_quarantine"])
            cursor = await connection.execute(QUERIES["list_held_files"])
            held = {_file_name(row) for row in await cursor.fetchall()}
            orphans = await asyncio.to_thread(self._files.list_others, held)
            if orphans:
                await self._audit.record(
                    connection,
                    actor=actor,
                    action="quarantine.orphans_removed",
                    subject_kind="quarantine",
                    subject_id="orphans",
                    correlation_id=correlation_id,
                    after={"n_files": len(orphans)},
                )
                await asyncio.to_thread(self._files.remove, orphans)
        return len(orphans)

    async def _find_or_take_in(
        self,
        connection: Connection,
        content: bytes,
        sha256: str,
        actor: str,
        found: dict[str, str | None],
    ) -> tuple[QuarantinedFile, str]:
        """Return the held file of these bytes, with what has happened to it for the audit log."""
        await connection.execute(QUERIES["lock_quarantine"])
        cursor = await connection.execute(QUERIES["find_held"], {"sha256": sha256})
        if (row := await cursor.fetchone()) is not None:
            return read_row(row), "quarantine.seen_again"
        file = await self._take_in(connection, content, sha256, actor, found)
        return file, "quarantine.held"

    async def _take_in(
        self,
        connection: Connection,
        content: bytes,
        sha256: str,
        actor: str,
        found: dict[str, str | None],
    ) -> QuarantinedFile:
        cursor = await connection.execute(QUERIES["sum_held"])
        row = await cursor.fetchone()
        held_bytes = 0 if row is None else int(row["held_bytes"])
        if held_bytes + len(content) > self._max_bytes:
            raise QuarantineFullError(
                f"the quarantine holds {held_bytes} of at most {self._max_bytes} bytes, and this"
                f" file has {len(content)}: release or destroy what it holds, then try again"
            )
        key = {"sha256": sha256, "quarantine_id": self._ids.new("qua")}
        wrapped_key = await asyncio.to_thread(self._files.write, _file_name(key), content)
        parameters = {
            **found,
            **key,
            "size_bytes": len(content),
            "actor": actor,
            "quarantined_at": self._clock.now(),
            "wrapped_key": wrapped_key,
        }
        return await _fetch_row(await connection.execute(QUERIES["insert_file"], parameters))

    async def _find_row(self, connection: Connection, quarantine_id: str) -> dict[str, Any]:
        cursor = await connection.execute(QUERIES["find_file"], {"quarantine_id": quarantine_id})
        if (row := await cursor.fetchone()) is None:
            raise QuarantinedFileMissingError
        return row

    async def _record_decision(
        self,
        connection: Connection,
        file: QuarantinedFile,
        action: str,
        actor: str,
        correlation_id: str,
        change: dict[str, str],
    ) -> None:
        before = {"held": file.is_held, "sha256": file.sha256, "signature": file.signature}
        await self._record(
            connection, file, action, actor, correlation_id, before=before, after=change
        )

    async def _record(
        self,
        connection: Connection,
        file: QuarantinedFile,
        action: str,
        actor: str,
        correlation_id: str,
        *,
        after: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
    ) -> None:
        await self._audit.record(
            connection,
            actor=actor,
            action=action,
            subject_kind=_SUBJECT,
            subject_id=file.quarantine_id,
            correlation_id=correlation_id,
            before=before,
            after=after,
        )

    async def _mask(self, text: str, max_characters: int) -> str:
        return await self._mask_text(_one_line(text)[:max_characters])

    async def _read_reason(self, reason: str) -> str:
        masked = await self._mask(reason, MAX_REASON_CHARACTERS)
        if not masked:
            raise QuarantineReleaseError("say why: what is done here is read later")
        return masked


def _one_line(text: str) -> str:
    return " ".join(plain_text(text).split())


def _file_name(row: Mapping[str, Any]) -> str:
    return f"{row['sha256']}.{row['quarantine_id']}"


async def _fetch_row(cursor: AsyncCursor[dict[str, Any]]) -> QuarantinedFile:
    if (row := await cursor.fetchone()) is None:
        raise QuarantinedFileMissingError
    return read_row(row)


def _check_is_person(actor: str) -> None:
    if not is_person(actor):
        raise QuarantineReleaseError(
            "a release names two people, who asks for it and who decides: a service is neither"
        )


def _check_people(released_by: str, requested_by: str, brought_by: Sequence[str]) -> None:
    _check_is_person(requested_by)
    _check_is_person(released_by)
    if is_same_person(released_by, requested_by, *brought_by):
        raise QuarantineReleaseError(
            "somebody else must release it: not who brought the file, who made the token that"
            " brought it, or who asks for it"
        )
