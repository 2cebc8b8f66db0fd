# SPDX-License-Identifier: Apache-2.0
"""Stored reports, read back. A device's reports are ordered by the device's own clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "reports")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """One normalised, masked report."""

    report_id: str
    device_id: str
    observed_at: datetime  # by the device's clock
    received_at: datetime  # by ours
    metrics: dict[str, float]
    facts: dict[str, Any]


async def find_reports(
    connection: Connection, keys: Sequence[Sequence[datetime | str]]
) -> list[StoredReport]:
    """Return the reports of these keys by device and observation; absent ones are left out.

    Args:
        connection: to read with.
        keys: (observed_at, report_id, ...) each, such as `telemetry.stored` messages carry.
    """
    observed = [_moment(key[0]) for key in keys]
    cursor = await connection.execute(
        QUERIES["find_reports"],
        {"observed": observed, "report_ids": [str(key[1]) for key in keys]},
    )
    return [StoredReport(**row) for row in await cursor.fetchall()]


async def list_window(
    connection: Connection, device_id: str, since: datetime, until: datetime | None = None
) -> list[StoredReport]:
    """Return a device's reports observed in [since, until), oldest first."""
    cursor = await connection.execute(
        QUERIES["list_window"],
        {"device_id": device_id, "since": since, "until": until or _END},
    )
    return [StoredReport(**row) for row in await cursor.fetchall()]


async def list_windows(
    connection: Connection, ends: Sequence[tuple[str, datetime]], *, span: timedelta, limit: int
) -> list[list[dict[str, float]]]:
    """Return the metrics of devices' last reports, each up to a moment, oldest first; one query.

    Args:
        connection: to read with.
        ends: a device's id and the moment each, which is included.
        span: how long before that moment a report may have been observed.
        limit: of how many reports at most.

    """
    windows: list[list[dict[str, float]]] = [[] for _ in ends]
    if not ends:
        return windows
    cursor = await connection.execute(
        QUERIES["list_windows"],
        {
            "device_ids": [device_id for device_id, _ in ends],
            "untils": [until for _, until in ends],
            "span": span,
            "limit": limit,
        },
    )
    for row in await cursor.fetchall():
        windows[row["number"] - 1].append(row["metrics"])
    return windows


async def latest_report(
    connection: Connection, device_id: str, newer_than: datetime | None = None
) -> StoredReport | None:
    """Return a device's newest report, if one was observed after `newer_than`."""
    cursor = await connection.execute(
        QUERIES["latest_report"],
        {"device_id": device_id, "newer_than": newer_than or _BEGINNING},
    )
    row = await cursor.fetchone()
    return StoredReport(**row) if row else None


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
