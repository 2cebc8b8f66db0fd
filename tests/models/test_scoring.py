# SPDX-License-Identifier: Apache-2.0
"""Stored reports become one incident an episode, once, also when a batch is rolled back."""

import pytest
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
from telemetry.devices import register_device
from telemetry.incidents import Incidents
from telemetry.ingestion import Ingestion
from tests.models.scored_fleet import PlainMasker


class Interrupted(Exception):  # noqa: N818 - stands for a kill
    pass


@pytest.fixture
def health() -> LoadedModel:
    rows = [[0.0] * N_FEATURES, [1.0] * N_FEATURES]
    model = LogisticRegression().fit(rows, ["unknown", "thermal"])
    return LoadedModel(model=model, name="health", version="1", digest="a" * 64)


@pytest.fixture
async def road(pool, clock, ids, health):
    """Return a function that stores one burning report and gives its key, and the scoring."""
    audit, outbox = AuditIntake(clock, ids), Outbox(clock)
    async with pool.connection() as connection:
        await register_device(
            connection,
            audit=audit,
            actor="user:ada",
            correlation_id="req_0",
            device_id="d1",
            hostname="h",
            os_family="linux",
            enrolled_at=clock.now(),
        )
    ingestion = Ingestion(pool, clock, audit, outbox, PlainMasker())

    async def store(cpu_percent: float) -> list[str]:
        clock.advance(60)
        report = TelemetryReport(
            report_id=ids.new("rep"),
            device_id="d1",
            timestamp=clock.now(),
            hardware=Hardware(
                processes=(
                    Process(pid=7, name="burner", cpu_percent=cpu_percent, memory_percent=1),
                )
            ),
            software=Software(os_family="linux"),
            network=Network(),
            agent=AgentHealth(version="1"),
        )
        summary = await ingestion.ingest(
            [report], submitted_by="service:test", device_id=None, correlation_id="req_1"
        )
        assert summary.accepted == (report.report_id,)
        return [report.timestamp.isoformat(), report.report_id, "d1"]

    incidents = Incidents(clock, ids, audit, outbox)
    scoring = Scoring(
        clock=clock,
        ids=ids,
        incidents=incidents,
        fleets=FleetIncidents(clock=clock, audit=audit, incidents=incidents),
        champions=Champions([health]),
        detector_model=LoadedModel(model=None, name="detector", version="1", digest="b" * 64),
        drift=DriftWatch(clock, ids, audit),
    )
    return store, scoring


async def fetch(pool, statement):
    async with pool.connection() as connection:
        return await (await connection.execute(statement)).fetchall()


async def test_three_burning_reports_open_one_incident(pool, road):
    store, scoring = road
    for expected in (0, 0, 1, 1):
        key = await store(99.0)
        async with pool.connection() as connection:
            assert await scoring.score_batch(connection, [key], correlation_id="req_1") == expected
    (incident,) = await fetch(
        pool, "SELECT failure_class, episode_key, occurrences, title FROM incidents"
    )
    assert incident["failure_class"] == "runaway_process"
    assert incident["episode_key"] == "runaway_process:burner"
    assert incident["occurrences"] == 2
    names = await fetch(pool, "SELECT model_name FROM inference_events ORDER BY model_name")
    assert [row["model_name"] for row in names] == ["detector", "health"]


async def test_a_rolled_back_batch_is_scored_again(pool, road):
    store, scoring = road
    for _ in range(2):
        async with pool.connection() as connection:
            await scoring.score_batch(connection, [await store(99.0)], correlation_id="req_1")
    key = await store(99.0)

    async def score_and_die() -> None:
        async with pool.connection() as connection:
            assert await scoring.score_batch(connection, [key], correlation_id="req_1") == 1
            raise Interrupted

    with pytest.raises(Interrupted):
        await score_and_die()
    assert not await fetch(pool, "SELECT incident_id FROM incidents")
    async with pool.connection() as connection:
        assert await scoring.score_batch(connection, [key], correlation_id="req_1") == 1
    async with pool.connection() as connection:
        assert await scoring.score_batch(connection, [key], correlation_id="req_1") == 0
    assert len(await fetch(pool, "SELECT incident_id FROM incidents")) == 1
