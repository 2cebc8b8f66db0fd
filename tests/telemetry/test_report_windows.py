# SPDX-License-Identifier: Apache-2.0
"""Windows of many devices are read in one query, each as it would be read alone."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from telemetry.reports import list_window, list_windows

MIDNIGHT = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.fixture
async def stored(connection):
    """Half-hourly reports of three devices over midnight; the third has none on one day."""
    for day in (MIDNIGHT.date(), MIDNIGHT.date() - timedelta(days=1)):
        await connection.execute("SELECT ensure_telemetry_partition(%s::date)", [day])
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO telemetry_reports (report_id, device_id, observed_at, received_at,"
            " metrics, facts) VALUES (%s, %s, %s, now(), %s, '{}')",
            [
                (f"r{device}-{n:02}", device, moment, Jsonb({"cpu_percent": float(n)}))
                for device in ("d1", "d2", "d3")
                for n in range(24)
                if (moment := MIDNIGHT + timedelta(minutes=30 * (n - 12))) < MIDNIGHT
                or device != "d3"
            ],
        )
    return connection


async def test_windows_are_those_that_are_read_alone(stored):
    span, limit = timedelta(hours=3), 4
    ends = [
        ("d2", MIDNIGHT + timedelta(hours=1)),
        ("d1", MIDNIGHT - timedelta(hours=5)),
        ("d2", MIDNIGHT + timedelta(hours=2, minutes=1)),
        ("d3", MIDNIGHT + timedelta(hours=2)),
        ("d3", MIDNIGHT + timedelta(hours=4)),
        ("unknown", MIDNIGHT),
    ]
    windows = await list_windows(stored, ends, span=span, limit=limit)
    moment = timedelta(microseconds=1)
    for (device_id, until), window in zip(ends, windows, strict=True):
        alone = await list_window(stored, device_id, until - span + moment, until + moment)
        assert window == [report.metrics for report in alone[-limit:]], (device_id, until)
    assert [len(window) for window in windows] == [4, 3, 4, 1, 0, 0]
    assert await list_windows(stored, [], span=span, limit=limit) == []
