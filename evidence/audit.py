# SPDX-License-Identifier: Apache-2.0
"""Search of the audit log, newest first; and events that are compared with their leaves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from evidence.audit_entry import audit_entry
from evidence.errors import LogTamperedError
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "audit")
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One recorded act; `leaf_index` is None until the log has sequenced it."""

    event_id: str
    position: int
    occurred_at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    device_id: str | None
    correlation_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    evidence: tuple[str, ...]
    leaf_index: int | None


class AuditSubject(StrEnum):
    """What governed events are about, for which the newest can be found."""

    POLICY = "policy"
    SCRIPT = "script"  # ID@VERSION


async def list_events(
    connection: Connection,
    *,
    subject_kind: str | None = None,
    subject_id: str | None = None,
    correlation_id: str | None = None,
    without_kind: str | None = None,
    before_position: int | None = None,
    limit: int = 100,
) -> list[AuditEvent]:
    """Return events that match all given values, newest first.

    Args:
        connection: any connection.
        subject_kind: only events about this kind of subject.
        subject_id: only events about this subject.
        correlation_id: only events of this request.
        without_kind: no events about this kind of subject.
        before_position: only events older than this position, for the next page.
        limit: how many, at most 1000.
    """
    cursor = await connection.execute(
        QUERIES["list_events"],
        {
            "subject_kind": subject_kind,
            "subject_id": subject_id,
            "correlation_id": correlation_id,
            "without_kind": without_kind,
            "before_position": before_position,
            "limit": max(1, min(limit, MAX_LIMIT)),
        },
    )
    rows = await cursor.fetchall()
    return [AuditEvent(**(row | {"evidence": tuple(row["evidence"])})) for row in rows]


async def find_newest(
    connection: Connection,
    subject: AuditSubject,
    actions: Collection[str],
    *,
    script_id: str | None = None,
    version: str | None = None,
) -> AuditEvent | None:
    """Return the newest event of some actions about policies, a script or one of its versions.

    Whoever owns the database can delete rows of other tables, and so bring an older state back;
    this is what the state is compared with. An event that has a leaf is compared with it. Events
    that were deleted with their leaves are for `check_log` to find.

    Raises:
        LogTamperedError: the event is not what the log holds.
    """
    cursor = await connection.execute(
        QUERIES[f"find_newest_of_{subject.value}"],
        {"actions": list(actions), "script_id": script_id, "version": version},
    )
    row = await cursor.fetchone()
    return None if row is None else _read_compared(row)


async def list_compared(
    connection: Connection, *, subject_kind: str, subject_id: str
) -> list[AuditEvent]:
    """Return all events about a subject, oldest first, each compared with its leaf if it has one.

    What happened once stays so, whatever its rows say: see `find_newest`.

    Raises:
        LogTamperedError: an event is not what the log holds.
    """
    parameters = {"subject_kind": subject_kind, "subject_id": subject_id}
    cursor = await connection.execute(QUERIES["list_events_of_subject"], parameters)
    return [_read_compared(row) for row in await cursor.fetchall()]


def _read_compared(row: Mapping[str, Any]) -> AuditEvent:
    event = {name: value for name, value in row.items() if name != "entry"}
    if row["entry"] is not None and audit_entry(event) != bytes(row["entry"]):
        raise LogTamperedError([f"audit event {row['event_id']} was changed"], 1)
    return AuditEvent(**(event | {"evidence": tuple(row["evidence"])}))
