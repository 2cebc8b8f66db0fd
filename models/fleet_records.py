# SPDX-License-Identifier: Apache-2.0
"""Rows of the roll-up: episodes, live fleet incidents, what was last found of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from kernel.database import Connection
from kernel.queries import load_queries
from models.rollup import Attribute, AttributeKind, Prevalence, Verdict
from telemetry.incidents import IncidentStatus

QUERIES = load_queries(__file__, "rollup")
ROLLUP_LOCK = 0x45554347
ACTOR = "system:rollup"
_IN_FLIGHT = frozenset({"proposed", "approved", "remediating", "verifying"})
_VERDICT = (
    "n_cohort", "n_cohort_affected", "n_fleet", "n_affected", "n_tried", "log_common", "log_burst"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An episode, the fleet incident it belongs to, and its device's own open incident."""

    episode_id: int
    device_id: str
    episode_key: str
    failure_class: str
    severity: str
    entity: str
    symptoms: Sequence[str]
    observed_at: datetime
    ended_at: datetime | None
    business_critical: bool
    fleet_id: str | None
    left_at: datetime | None
    own_id: str | None
    own_status: str | None

    @property
    def key(self) -> tuple[str, str]:
        """What names an episode while it lives."""
        return self.device_id, self.episode_key

    @property
    def is_free(self) -> bool:
        """Whether it goes on and belongs to no fleet incident."""
        return self.ended_at is None and self.fleet_id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A fleet incident that has not ended."""

    incident_id: str
    symptoms: Sequence[str]
    verdict: Verdict
    device_id: str | None
    status: IncidentStatus
    started_at: datetime
    last_observed_at: datetime | None
    n_members: int  # episodes, those that have left too
    n_live: int
    judged_members: int


async def list_live_fleets(connection: Connection) -> tuple[Fleet, ...]:
    """Return the fleet incidents that have not ended, oldest first."""
    cursor = await connection.execute(QUERIES["list_live_fleets"])
    return tuple(_read_fleet(row) for row in await cursor.fetchall())


async def list_live_members(connection: Connection, incident_id: str) -> tuple[Episode, ...]:
    """Return a fleet incident's episodes that go on, newest first."""
    cursor = await connection.execute(QUERIES["list_live_members"], {"incident_id": incident_id})
    return tuple(Episode(**row) for row in await cursor.fetchall())


async def find_episode(connection: Connection, episode_id: int) -> dict[str, Any]:
    """Return an episode with title, entity, confidence and detection."""
    cursor = await connection.execute(QUERIES["find_episode"], {"episode_id": episode_id})
    row = await cursor.fetchone()
    if row is None:
        raise KeyError(episode_id)
    return row


async def store_verdict(
    connection: Connection,
    incident_id: str,
    verdict: Verdict,
    *,
    symptoms: Sequence[str],
    started_at: datetime,
    n_members: int,
    now: datetime,
) -> None:
    """Keep what was found of a fleet incident, in place of what was found before."""
    await connection.execute(
        QUERIES["store_verdict"],
        {
            "incident_id": incident_id,
            "symptoms": list(symptoms),
            "cohort": Jsonb([asdict(one) for one in verdict.cohort]),
            "shared": Jsonb([asdict(one) for one in verdict.shared]),
            **{name: getattr(verdict, name) for name in _VERDICT},
            "started_at": started_at,
            "now": now,
            "judged_members": n_members,
        },
    )


def choose_representative(episodes: Sequence[Episode]) -> Episode:
    """Return the one to try a fix on first: nothing is under way for it, and least is at stake.

    Among equals the newest, of what is at fault most often.
    """
    entities = Counter(one.entity for one in episodes)
    return min(
        episodes,
        key=lambda one: (
            one.own_status in _IN_FLIGHT,
            one.business_critical,
            -entities[one.entity],
            -one.observed_at.timestamp(),
            one.episode_id,
        ),
    )


def read_attribute(row: Mapping[str, Any]) -> Attribute:
    """Return an attribute from a row or from JSON."""
    return Attribute(kind=AttributeKind(row["kind"]), name=row["name"], version=row["version"])


def read_verdict(row: Mapping[str, Any]) -> Verdict:
    """Return what was found, from a row of `fleet_incidents`."""
    return Verdict(
        cohort=tuple(read_attribute(one) for one in row["cohort"]),
        shared=tuple(
            Prevalence(
                attribute=read_attribute(one["attribute"]),
                n_affected=one["n_affected"],
                n_devices=one["n_devices"],
            )
            for one in row["shared"]
        ),
        **{name: row[name] for name in _VERDICT},
    )


def _read_fleet(row: Mapping[str, Any]) -> Fleet:
    return Fleet(
        incident_id=row["incident_id"],
        symptoms=tuple(row["symptoms"]),
        verdict=read_verdict(row),
        device_id=row["device_id"],
        status=IncidentStatus(row["status"]),
        started_at=row["started_at"],
        last_observed_at=row["last_observed_at"],
        n_members=row["n_members"],
        n_live=row["n_live"],
        judged_members=row["judged_members"],
    )
