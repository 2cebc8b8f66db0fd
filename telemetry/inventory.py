# SPDX-License-Identifier: Apache-2.0
"""What reports say beyond measurements: who uses a device, and what is installed on it."""

from collections.abc import Sequence
from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries
from telemetry.rows import ReportRow, drop_controls

QUERIES = load_queries(__file__, "ingestion")
MAX_DEVICES_PER_USER = 15


async def record_inventory(connection: Connection, rows: Sequence[ReportRow]) -> None:
    """Bring devices, users and installed software up to date from newly stored reports."""
    ordered = sorted(rows, key=lambda row: row.key)
    await _touch_devices(connection, ordered)
    await _map_users(connection, ordered)
    await _record_software(connection, ordered)


async def _touch_devices(connection: Connection, ordered: Sequence[ReportRow]) -> None:
    newest = list({row.report.device_id: row for row in ordered}.values())
    software = [row.report.software for row in newest]
    hardware = [row.report.hardware for row in newest]
    await connection.execute(
        QUERIES["touch_devices"],
        {
            "device_ids": [row.report.device_id for row in newest],
            "observed": [row.observed_at for row in newest],
            "hostnames": [drop_controls(each.hostname) for each in software],
            "os_versions": [drop_controls(each.os_version) for each in software],
            "models": [drop_controls(each.model or "") for each in hardware],
            "serial_numbers": [drop_controls(each.serial_number or "") for each in hardware],
            "agent_versions": [drop_controls(row.report.agent.version) for row in newest],
        },
    )


async def _map_users(connection: Connection, ordered: Sequence[ReportRow]) -> None:
    newest = {(row.report.device_id, row.user_id): row for row in ordered if row.user_id}
    if not newest:
        return
    user_ids = sorted({user_id for _, user_id in newest if user_id})
    await connection.execute(QUERIES["insert_users"], {"user_ids": user_ids})
    await connection.execute(QUERIES["lock_users"], {"user_ids": user_ids})
    await connection.execute(
        QUERIES["map_users"],
        {
            "device_ids": [device_id for device_id, _ in newest],
            "user_ids": [user_id for _, user_id in newest],
            "observed": [row.observed_at for row in newest.values()],
        },
    )
    await connection.execute(
        QUERIES["limit_map"], {"user_ids": user_ids, "max_devices": MAX_DEVICES_PER_USER}
    )


async def _record_software(connection: Connection, ordered: Sequence[ReportRow]) -> None:
    newest: dict[tuple[str, str], tuple[str, Any]] = {}
    for row in ordered:
        for package in row.report.software.packages:
            name = drop_controls(package.name)
            version = drop_controls(package.version)
            newest[row.report.device_id, name] = (version, row.observed_at)
    if not newest:
        return
    await connection.execute(
        QUERIES["upsert_software"],
        {
            "device_ids": [device_id for device_id, _ in newest],
            "names": [name for _, name in newest],
            "versions": [version for version, _ in newest.values()],
            "observed": [observed_at for _, observed_at in newest.values()],
        },
    )
