# SPDX-License-Identifier: Apache-2.0
"""A fleet in the database, and episodes that begin and end on it in batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from models.fleet_endings import EndedEpisode
from models.fleet_incidents import FleetIncidents, OpenedEpisode, Placement
from telemetry.incidents import Incidents, IncidentSignal, IncidentSource

MODELS = ("Latitude 7440", "ThinkPad T14", "EliteBook 840", "Aspire 5")
BATCH = timedelta(minutes=1)


@dataclass
class Stage:
    """The fleet, and the one who scores its reports."""

    connection: Any
    clock: Any
    fleets: FleetIncidents
    incidents: Incidents
    start: datetime
    placements: list[Placement] = field(default_factory=list)

    async def play(self, episodes: Iterable[OpenedEpisode]) -> None:
        """Let episodes begin, in batches of some minutes, as scoring would take them."""
        ordered = sorted(episodes, key=lambda one: one.observed_at)
        while ordered:
            until = ordered[0].observed_at + BATCH
            batch = [one for one in ordered if one.observed_at < until]
            ordered = ordered[len(batch) :]
            self.clock.advance((until - self.clock.now()).total_seconds())
            await self.score(batch)

    async def score(self, batch: Sequence[OpenedEpisode]) -> tuple[Placement, ...]:
        """Do what scoring does with the episodes of one batch."""
        placements = await self.fleets.observe(self.connection, batch, correlation_id="req_1")
        self.placements.extend(placements)
        for one, placement in zip(batch, placements, strict=True):
            if placement.fleet_incident_id is None:
                await self.incidents.open_or_merge(self.connection, signal_of(one))
        return placements

    async def end(self, episodes: Iterable[OpenedEpisode]) -> None:
        """Let episodes end now."""
        await self.fleets.leave(
            self.connection,
            [
                EndedEpisode(
                    device_id=one.device_id,
                    episode_key=one.episode_key,
                    ended_at=self.clock.now(),
                )
                for one in episodes
            ],
            correlation_id="req_1",
        )

    async def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        return await (await self.connection.execute(statement, values)).fetchall()


def signal_of(one: OpenedEpisode) -> IncidentSignal:
    """Return the signal of an episode that belongs to no fleet."""
    return IncidentSignal(
        device_id=one.device_id,
        user_id=None,
        source=IncidentSource.DETECTION,
        failure_class=one.failure_class,
        confidence=one.confidence,
        severity=one.severity,
        title=one.title,
        description="",
        episode_key=one.episode_key,
        detection=dict(one.detection),
        reported_by="system:detector",
        correlation_id="req_1",
        entity=one.entity,
        observed_at=one.observed_at,
    )


async def set_stage(connection: Any, clock: Any, ids: Any, *, n_devices: int = 900) -> Stage:
    """Enrol a fleet: models in turn, one Windows in three macOS, ten programs, two versions."""
    await connection.execute(
        """
        INSERT INTO devices (device_id, hostname, os_family, os_version, model, department,
                             agent_version, enrolled_at, last_seen_at)
        SELECT 'd' || n, 'h' || n, CASE WHEN n %% 3 = 0 THEN 'macos' ELSE 'windows' END,
               CASE WHEN n %% 3 = 0 THEN '15.1' WHEN n %% 5 = 0 THEN '11 23H2' ELSE '11 24H2' END,
               (%(models)s::text[])[1 + n %% 4], 'department ' || n %% 7, '1.0',
               %(now)s - interval '60 days', %(now)s + interval '1 day'
        FROM generate_series(0, %(n)s - 1) AS n
        """,
        {"models": list(MODELS), "now": clock.now(), "n": n_devices},
    )
    await connection.execute(
        """
        INSERT INTO software_inventory
            (device_id, name, version, first_seen_at, last_seen_at, version_since)
        SELECT 'd' || n, 'Program ' || p, '1.' || (hashint4(n * 31 + p) & 1),
               %(now)s - interval '60 days', %(now)s, %(now)s - interval '60 days'
        FROM generate_series(0, %(n)s - 1) AS n, generate_series(0, 9) AS p
        WHERE hashint4(n * 131 + p) %% 3 <> 0
        """,
        {"now": clock.now(), "n": n_devices},
    )
    audit = AuditIntake(clock, ids)
    incidents = Incidents(clock, ids, audit, Outbox(clock))
    fleets = FleetIncidents(clock=clock, audit=audit, incidents=incidents)
    return Stage(connection, clock, fleets, incidents, clock.now())


async def install(stage: Stage, device_ids: Sequence[str], name: str, version: str) -> None:
    """Put a program on devices, today."""
    await stage.connection.execute(
        """
        INSERT INTO software_inventory
            (device_id, name, version, first_seen_at, last_seen_at, version_since)
        SELECT device_id, %(name)s, %(version)s, %(now)s, %(now)s, %(now)s
        FROM unnest(%(ids)s::text[]) AS g (device_id)
        """,
        {"ids": list(device_ids), "name": name, "version": version, "now": stage.start},
    )


def begin(device_id: str, at: datetime, **changes: Any) -> OpenedEpisode:
    """Return an episode of a process that burns a core."""
    given: dict[str, Any] = {
        "device_id": device_id,
        "episode_key": "runaway_process:fooupdate",
        "observed_at": at,
        "failure_class": "runaway_process",
        "severity": "S2",
        "drivers": ("process_cpu_percent:fooupdate", "cpu_percent"),
        "title": "Process fooupdate burns a processor core",
        "confidence": 0.9,
        "entity": "fooupdate",
        "detection": {"metrics": [{"name": "cpu_percent"}], "recovery": []},
    }
    return OpenedEpisode(**(given | changes))


FAULTS: Sequence[tuple[str, str]] = (
    ("disk_full", "disk_used_percent:/"),
    ("memory_leak", "memory_percent"),
    ("runaway_process", "process_cpu_percent:index"),
    ("printing", "print_queue_length"),
    ("slow_logon", "logon_seconds"),
    ("unknown", "dns_latency_ms"),
)


def list_background(
    random: Random, n_devices: int, start: datetime, hours: float, n_episodes: int
) -> list[OpenedEpisode]:
    """Return faults of devices drawn at random, at moments drawn at random."""
    found = []
    for number in range(n_episodes):
        failure_class, driver = random.choice(FAULTS)
        found.append(
            begin(
                f"d{random.randrange(n_devices)}",
                start + timedelta(hours=hours * random.random()),
                episode_key=f"{failure_class}:{number}",
                failure_class=failure_class,
                drivers=(driver,),
                entity="",
                title=f"Fault of {failure_class}",
            )
        )
    return found


def utc(hour: int) -> datetime:
    """Return an hour of the day on which the tests' clock stands."""
    return datetime(2026, 11, 2, hour, tzinfo=UTC)
