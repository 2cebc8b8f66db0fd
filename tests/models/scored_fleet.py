# SPDX-License-Identifier: Apache-2.0
"""Devices of a database, what they report, and who scores it."""

from dataclasses import dataclass
from datetime import timedelta

from sklearn.linear_model import LogisticRegression

from contracts.telemetry import AgentHealth, Hardware, Network, Process, Software, TelemetryReport
from kernel.audit import AuditIntake
from kernel.outbox import Outbox
from models.champions import Champions
from models.drift_watch import DriftWatch
from models.features import N_FEATURES
from models.fleet_incidents import FleetIncidents
from models.registry import LoadedModel
from models.scoring import Scoring
from telemetry.incidents import Incidents
from telemetry.ingestion import Ingestion


@dataclass(frozen=True)
class Unmasked:
    text: str


class PlainMasker:
    def mask(self, text: str) -> Unmasked:
        return Unmasked(text)

    def knows_person(self, text: str) -> bool:
        """Know nobody."""
        del text
        return False


class Fleet:
    """Devices of a database, what they report, and who scores it."""

    def __init__(self, pool, clock, ids):
        self.pool, self.clock, self.ids = pool, clock, ids
        audit, outbox = AuditIntake(clock, ids), Outbox(clock)
        rows = [[0.0] * N_FEATURES, [1.0] * N_FEATURES]
        model = LogisticRegression().fit(rows, ["unknown", "thermal"])
        health = LoadedModel(model=model, name="health", version="1", digest="a" * 64)
        incidents = Incidents(clock, ids, audit, outbox)
        self.ingestion = Ingestion(pool, clock, audit, outbox, PlainMasker())
        self.fleets = FleetIncidents(clock=clock, audit=audit, incidents=incidents)
        self.scoring = Scoring(
            clock=clock,
            ids=ids,
            incidents=incidents,
            fleets=self.fleets,
            champions=Champions([health]),
            detector_model=LoadedModel(model=None, name="detector", version="1", digest="b" * 64),
            drift=DriftWatch(clock, ids, audit),
        )

    async def enrol(self, n_devices, n_models=4):
        async with self.pool.connection() as connection:
            await connection.execute(
                "INSERT INTO devices (device_id, hostname, os_family, model, enrolled_at,"
                " last_seen_at) SELECT 'd' || n, 'h', 'linux', 'Model ' || n %% %s, %s, %s"
                " FROM generate_series(0, %s - 1) AS n",
                (n_models, self.clock.now() - timedelta(days=60), self.clock.now(), n_devices),
            )
            await self.fleets.count_attributes(connection)

    def report(self, device_id, *, burner=0.0, at=None, **network):
        processes = (Process(pid=7, name="burner", cpu_percent=burner, memory_percent=1),)
        return TelemetryReport(
            report_id=self.ids.new("rep"),
            device_id=device_id,
            timestamp=at or self.clock.now(),
            hardware=Hardware(processes=processes if burner else ()),
            software=Software(os_family="linux"),
            network=Network(**network),
            agent=AgentHealth(version="1"),
        )

    async def store(self, reports):
        keys = []
        for first in range(0, len(reports), 500):
            summary = await self.ingestion.ingest(
                reports[first : first + 500],
                submitted_by="service:test",
                device_id=None,
                correlation_id="req_1",
            )
            assert len(summary.accepted) == len(reports[first : first + 500]), summary
            keys += [
                [each.timestamp.isoformat(), each.report_id, each.device_id]
                for each in reports[first : first + 500]
            ]
        return keys

    async def score(self, keys):
        async with self.pool.connection() as connection:
            return await self.scoring.score_batch(connection, keys, correlation_id="req_1")

    async def say(self, reports):
        return await self.score(await self.store(reports))

    async def query(self, statement):
        async with self.pool.connection() as connection:
            return await (await connection.execute(statement)).fetchall()
