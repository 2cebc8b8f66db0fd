# SPDX-License-Identifier: Apache-2.0
"""How fleet incidents end: members leave one by one, or a person ends the whole.

While a device that stands for the others leaves, another one takes its place, unless a fix for it
is under way. What is under way ends by its own road; nothing is resolved over its head.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.failure import Severity
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from models.fleet_records import (
    ACTOR,
    QUERIES,
    ROLLUP_LOCK,
    Episode,
    Fleet,
    choose_representative,
    find_episode,
    list_live_fleets,
    list_live_members,
)
from models.fleet_words import describe_evidence, write_description, write_title
from telemetry.incident_parts import Description, IncidentParts
from telemetry.incidents import Incidents, IncidentStatus

_IDLE = frozenset({IncidentStatus.OPEN, IncidentStatus.ESCALATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedEpisode:
    """An episode that is over."""

    device_id: str
    episode_key: str
    ended_at: datetime


class FleetEndings:
    """Takes members out of fleet incidents, and ends those without any."""

    def __init__(self, *, clock: Clock, audit: AuditIntake, incidents: Incidents) -> None:
        self._clock = clock
        self._audit = audit
        self._incidents = incidents
        self._parts = IncidentParts(clock, audit)

    async def leave(
        self, connection: Connection, ended: Sequence[EndedEpisode], *, correlation_id: str
    ) -> None:
        """Take in episodes that are over; a fleet incident without members left is resolved."""
        if not ended:
            return
        await connection.execute(QUERIES["lock_rollup"], {"lock_key": ROLLUP_LOCK})
        cursor = await connection.execute(
            QUERIES["end_episodes"],
            {
                "device_ids": [one.device_id for one in ended],
                "episode_keys": [one.episode_key for one in ended],
                "ended": [one.ended_at for one in ended],
                "now": self._clock.now(),
            },
        )
        left: dict[str, list[str]] = defaultdict(list)
        for row in await cursor.fetchall():
            left[row["incident_id"]].append(row["device_id"])
        for incident_id, device_ids in left.items():
            await record_members(
                connection,
                self._audit,
                incident_id,
                device_ids,
                joined=False,
                correlation_id=correlation_id,
            )
            await self._replace_representative(connection, incident_id, device_ids, correlation_id)
            await self._resolve(connection, incident_id)

    async def settle(self, connection: Connection, *, correlation_id: str) -> None:
        """Bring fleet incidents up to date with what people, jobs and devices did meanwhile."""
        row = await (await connection.execute(QUERIES["find_unsettled"])).fetchone()
        if row is None or not row["is_unsettled"]:
            return
        await connection.execute(QUERIES["lock_rollup"], {"lock_key": ROLLUP_LOCK})
        now = self._clock.now()
        departed = await (await connection.execute(QUERIES["list_departed"])).fetchall()
        await self.leave(
            connection,
            [EndedEpisode(**row, ended_at=now) for row in departed],
            correlation_id=correlation_id,
        )
        cursor = await connection.execute(QUERIES["release_members"], {"now": now})
        ended = {row["incident_id"] for row in await cursor.fetchall()}
        for incident_id in sorted(ended):
            await self._release_parts(connection, incident_id)
        for row in await (await connection.execute(QUERIES["list_recovered"])).fetchall():
            await self._resolve(connection, row["incident_id"])

    async def _replace_representative(
        self, connection: Connection, incident_id: str, left: Sequence[str], correlation_id: str
    ) -> None:
        """Let another device stand for the others, unless a fix for the first is on its way."""
        for fleet in await list_live_fleets(connection):
            if fleet.incident_id != incident_id or fleet.device_id not in left:
                continue
            live = await list_live_members(connection, incident_id)
            if live and fleet.status in _IDLE:
                await describe_fleet(
                    connection, self._parts, fleet, live, correlation_id=correlation_id
                )

    async def _resolve(self, connection: Connection, incident_id: str) -> None:
        """End a fleet incident whose members have all recovered, and its parts with it."""
        incident = await self._incidents.find(connection, incident_id)
        if incident is None or incident.status not in _IDLE:
            return  # who works on it ends it
        if await list_live_members(connection, incident_id):
            return
        for one in (incident, *await self._parts.list(connection, incident_id)):
            if one.status in _IDLE:
                await self._incidents.transition(
                    connection,
                    one.incident_id,
                    IncidentStatus.RESOLVED,
                    actor=ACTOR,
                    reason="every device of the fleet incident has recovered",
                )

    async def _release_parts(self, connection: Connection, incident_id: str) -> None:
        """Devices' incidents of a fleet incident that a person has ended stand alone again."""
        for part in await self._parts.list(connection, incident_id):
            await self._parts.release(
                connection, part.incident_id, actor=ACTOR, correlation_id=part.correlation_id
            )
            if part.status is IncidentStatus.OPEN:
                await self._incidents.call_reasoner(
                    connection, part.incident_id, part.correlation_id
                )


async def describe_fleet(
    connection: Connection,
    parts: IncidentParts,
    fleet: Fleet,
    live: Sequence[Episode],
    *,
    correlation_id: str,
) -> None:
    """Say of a fleet incident what is known; another device stands for it if its own has left."""
    standing = [one for one in live if one.device_id == fleet.device_id]
    representative = standing[0] if standing else choose_representative(live)
    episode = await find_episode(connection, representative.episode_id)
    evidence = describe_evidence(fleet.verdict, fleet.symptoms)
    await parts.redescribe(
        connection,
        fleet.incident_id,
        Description(
            device_id=representative.device_id,
            title=write_title(episode["title"], fleet.verdict.cohort),
            description=write_description(
                fleet.verdict, symptoms=fleet.symptoms, started_at=fleet.started_at
            ),
            entity=episode["entity"],
            detection={**episode["detection"], "fleet": evidence},
            severity=Severity(min(one.severity for one in live)),
            occurrences=max(fleet.n_members, len(live)),
        ),
        actor=ACTOR,
        correlation_id=correlation_id,
    )


async def record_members(
    connection: Connection,
    audit: AuditIntake,
    incident_id: str,
    device_ids: Sequence[str],
    *,
    joined: bool,
    correlation_id: str,
) -> None:
    """Audit which devices have joined a fleet incident, or have left it."""
    await audit.record(
        connection,
        actor=ACTOR,
        action="incident.members_joined" if joined else "incident.members_left",
        subject_kind="incident",
        subject_id=incident_id,
        correlation_id=correlation_id,
        after={"device_ids": sorted(set(device_ids))},
    )
