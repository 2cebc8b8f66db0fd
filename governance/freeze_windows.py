# SPDX-License-Identifier: Apache-2.0
"""Freeze windows: times in which nothing is approved and nothing is dispatched.

A freeze beats every approval, automatic or not. Roll-backs alone go on: they undo.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from governance.errors import InvalidRequestError
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "freeze_windows")
MAX_DURATION = timedelta(days=92)
MAX_AHEAD = timedelta(days=366)
MAX_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWindow:
    """From `starts_at` (included) to `ends_at` (excluded), aware UTC."""

    freeze_id: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    created_by: str


def frozen_until(windows: Sequence[FreezeWindow], now: datetime) -> datetime | None:
    """Return when work may go on, or None when nothing is frozen now.

    Windows that overlap or touch count as one.
    """
    end: datetime | None = None
    for window in sorted(windows, key=lambda window: window.starts_at):
        at = now if end is None else end
        if window.starts_at <= at < window.ends_at:
            end = window.ends_at
    return end


async def list_freezes(connection: Connection, *, now: datetime) -> list[FreezeWindow]:
    """Return running and future windows, the next first."""
    cursor = await connection.execute(QUERIES["list_freezes"], {"now": now})
    return [FreezeWindow(**row) for row in await cursor.fetchall()]


class FreezeWindows:
    """Announces and lifts freeze windows; both leave audit events."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit

    async def announce(
        self,
        connection: Connection,
        *,
        starts_at: datetime,
        ends_at: datetime,
        reason: str,
        created_by: str,
        correlation_id: str,
    ) -> FreezeWindow:
        """Announce a window. `reason` must be masked.

        Raises:
            InvalidRequestError: times without a zone, an end not after start and now, longer than
                92 days or over a year ahead, no reason or one of more than 500 characters.

        """
        self._check_terms(starts_at, ends_at, reason)
        window = FreezeWindow(
            freeze_id=self._ids.new("frz"),
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason,
            created_by=created_by,
        )
        await connection.execute(QUERIES["insert_freeze"], asdict(window))
        await self._record(connection, window, "freeze.announced", created_by, correlation_id)
        return window

    def _check_terms(self, starts_at: datetime, ends_at: datetime, reason: str) -> None:
        now = self._clock.now()
        if starts_at.tzinfo is None or ends_at.tzinfo is None:
            raise InvalidRequestError("a freeze window needs times with a time zone")
        if ends_at <= max(starts_at, now):
            raise InvalidRequestError("a freeze window must end after it starts and after now")
        if not reason.strip():
            raise InvalidRequestError("a freeze window needs a reason")
        if len(reason) > MAX_REASON_CHARACTERS:
            raise InvalidRequestError("the reason of a freeze window has at most 500 characters")
        if ends_at - starts_at > MAX_DURATION or starts_at > now + MAX_AHEAD:
            raise InvalidRequestError(
                "a freeze window lasts at most 92 days and starts within a year"
            )

    async def lift(
        self, connection: Connection, freeze_id: str, *, actor: str, correlation_id: str
    ) -> FreezeWindow:
        """End a window now.

        Raises:
            InvalidRequestError: there is no such window, or it is over.

        """
        cursor = await connection.execute(
            QUERIES["end_freeze"], {"freeze_id": freeze_id, "now": self._clock.now()}
        )
        row = await cursor.fetchone()
        if row is None:
            raise InvalidRequestError(f"there is no running or future freeze window {freeze_id}")
        window = FreezeWindow(**row)
        await self._record(connection, window, "freeze.lifted", actor, correlation_id)
        return window

    async def frozen_until(self, connection: Connection) -> datetime | None:
        """Return when work may go on, or None when nothing is frozen now."""
        now = self._clock.now()
        return frozen_until(await list_freezes(connection, now=now), now)

    async def _record(
        self,
        connection: Connection,
        window: FreezeWindow,
        action: str,
        actor: str,
        correlation_id: str,
    ) -> None:
        await self._audit.record(
            connection,
            actor=actor,
            action=action,
            subject_kind="freeze_window",
            subject_id=window.freeze_id,
            correlation_id=correlation_id,
            after={
                "starts_at": window.starts_at.isoformat(),
                "ends_at": window.ends_at.isoformat(),
                "reason": window.reason,
            },
        )
