# SPDX-License-Identifier: Apache-2.0
"""What affected devices hold in common, looked up and counted in the inventory.

Attributes of the whole fleet are counted now and then, to choose what is worth a look; those
chosen are counted exactly, at the moment of the judgement. Names that hold an address or a path
through somebody's folder are never named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.database import Connection
from models.fleet_records import QUERIES, read_attribute
from models.rollup import (
    HISTORY,
    LEAST_DEVICES,
    LEAST_LIFT,
    RECENT_CHANGE,
    WINDOW,
    Attribute,
    Prevalence,
    Tally,
    Verdict,
    judge,
    screen,
)
from telemetry.rows import names_a_person

OLDEST_COUNT = timedelta(hours=1)
COUNT_LOCK = 0x45554348


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict and the affected devices that it covers."""

    verdict: Verdict
    device_ids: frozenset[str]


async def count_attributes(connection: Connection, *, reference: datetime, now: datetime) -> None:
    """Count each attribute of the devices that report around `reference`, a device's time.

    Others go on with the last count meanwhile.
    """
    await connection.execute(QUERIES["lock_rollup"], {"lock_key": COUNT_LOCK})
    await connection.execute(QUERIES["forget_counts"])
    await connection.execute(
        QUERIES["count_attributes"], {**_moments(reference), "least": LEAST_DEVICES, "now": now}
    )


async def judge_symptom(
    connection: Connection,
    symptom: str,
    device_ids: Sequence[str],
    *,
    reference: datetime,
    now: datetime,
) -> Finding | None:
    """Return what devices that share a symptom have in common beyond chance, if anything.

    Args:
        connection: carries the transaction.
        symptom: what makes their episodes alike.
        device_ids: the affected devices of the last window.
        reference: the end of the window, a device's time.
        now: our time, which counts are stamped with.

    """
    n_fleet = await _ensure_counted(connection, reference=reference, now=now)
    affected = sorted(set(device_ids))
    cursor = await connection.execute(
        QUERIES["list_testable"],
        {
            **_moments(reference),
            "device_ids": affected,
            "least": LEAST_DEVICES,
            "lift": LEAST_LIFT,
            "n_fleet": n_fleet,
        },
    )
    found = [
        Prevalence(
            attribute=read_attribute(row), n_affected=row["n_affected"], n_devices=row["n_devices"]
        )
        for row in await cursor.fetchall()
        if not names_a_person(row["name"]) and not names_a_person(row["version"])
    ]
    chosen, n_tried = screen(found, n_affected=len(affected), n_fleet=n_fleet)
    candidates = [one.attribute for one in chosen]
    verdict = judge(
        candidates,
        await _tally(connection, candidates, symptom, affected, reference),
        n_tried=n_tried,
        days_before=await measure_history(connection, reference),
    )
    if verdict is None:
        return None
    holders = await find_holders(connection, verdict.cohort, affected, reference=reference)
    return Finding(verdict=verdict, device_ids=holders)


async def find_holders(
    connection: Connection,
    cohort: Sequence[Attribute],
    device_ids: Sequence[str],
    *,
    reference: datetime,
) -> frozenset[str]:
    """Return which of the devices hold all attributes of a cohort."""
    if not cohort:
        return frozenset(device_ids)
    cursor = await connection.execute(
        QUERIES["list_holders"],
        {**_moments(reference), **_columns(cohort), "device_ids": list(device_ids)},
    )
    return frozenset(row["device_id"] for row in await cursor.fetchall())


async def _ensure_counted(connection: Connection, *, reference: datetime, now: datetime) -> int:
    row = await (await connection.execute(QUERIES["find_counted"])).fetchone()
    if row is None or now - row["counted_at"] > OLDEST_COUNT:
        await count_attributes(connection, reference=reference, now=now)
        row = await (await connection.execute(QUERIES["find_counted"])).fetchone()
    return int(row["n_devices"]) if row else 0


async def _tally(
    connection: Connection,
    candidates: Sequence[Attribute],
    symptom: str,
    affected: Sequence[str],
    reference: datetime,
) -> list[Tally]:
    cursor = await connection.execute(
        QUERIES["tally_cohorts"],
        {
            **_moments(reference),
            **_columns(candidates),
            "bits": list(range(len(candidates))),
            "symptom": symptom,
            "device_ids": list(affected),
            "history": reference - WINDOW - HISTORY,
        },
    )
    return [Tally(**row) for row in await cursor.fetchall()]


async def measure_history(connection: Connection, reference: datetime) -> float:
    """Return for how many days before the window episodes were recorded, 28 at most.

    Their recording counts, not the device's time: ingestion takes reports of three months ago.
    """
    row = await (await connection.execute(QUERIES["find_first_episode"])).fetchone()
    if row is None or row["first_at"] is None:
        return 0.0
    before = reference - WINDOW - row["first_at"]
    return float(max(timedelta(), min(HISTORY, before)) / timedelta(days=1))


def _moments(reference: datetime) -> dict[str, Any]:
    return {"since": reference - WINDOW, "changed_since": reference - RECENT_CHANGE}


def _columns(attributes: Sequence[Attribute]) -> dict[str, list[str]]:
    return {
        "kinds": [one.kind.value for one in attributes],
        "names": [one.name for one in attributes],
        "versions": [one.version for one in attributes],
    }
