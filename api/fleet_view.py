# SPDX-License-Identifier: Apache-2.0
"""A fleet incident as people see it: what its devices have in common, which they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.portal_rows import fetch
from kernel.database import Connection

MAX_MEMBERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many devices hold an attribute, or all of a cohort."""

    name: str
    n_affected: int
    n_devices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What is known of a fleet incident; `members` are at most MAX_MEMBERS, live ones first."""

    cohort: str
    shares: Sequence[Share]
    n_fleet: int
    n_affected: int
    n_tried: int
    common: str  # probabilities in words, `= 2e-40`
    burst: str
    n_members: int
    n_live: int
    started_at: datetime
    judged_at: datetime
    members: Sequence[dict[str, Any]]


async def view_fleet(connection: Connection, incident_id: str) -> FleetView | None:
    """Return a fleet incident, or None for any other."""
    rows = await fetch(connection, "find_fleet", incident_id=incident_id)
    if not rows:
        return None
    from models.fleet_records import read_verdict  # noqa: PLC0415 - heavy: most have no fleet
    from models.fleet_words import (  # noqa: PLC0415 - heavy
        name_attribute,
        name_cohort,
        write_probability,
    )

    verdict = read_verdict(rows[0])
    cohort = name_cohort(verdict.cohort)
    shared = [
        Share(
            name=f"devices {name_attribute(one.attribute)}",
            n_affected=one.n_affected,
            n_devices=one.n_devices,
        )
        for one in verdict.shared
    ]
    whole = Share(name=cohort, n_affected=verdict.n_cohort_affected, n_devices=verdict.n_cohort)
    return FleetView(
        cohort=cohort,
        shares=[whole, *shared],
        n_fleet=verdict.n_fleet,
        n_affected=verdict.n_affected,
        n_tried=verdict.n_tried,
        common=write_probability(verdict.log_common),
        burst=write_probability(verdict.log_burst),
        n_members=rows[0]["n_members"],
        n_live=rows[0]["n_live"],
        started_at=rows[0]["started_at"],
        judged_at=rows[0]["judged_at"],
        members=await fetch(connection, "list_members", incident_id=incident_id, limit=MAX_MEMBERS),
    )


async def count_over_time(connection: Connection, incident_id: str) -> list[tuple[datetime, float]]:
    """Return how many episodes of a fleet incident went on, at each moment it changed."""
    points: list[tuple[datetime, float]] = []
    n_live = 0
    for row in await fetch(connection, "list_member_moments", incident_id=incident_id):
        n_live += row["change"]
        points.append((row["moment"], float(n_live)))
    return points
