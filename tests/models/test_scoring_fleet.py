# SPDX-License-Identifier: Apache-2.0
"""Scoring judges a fleet: many devices' one fault is one incident, odd clocks blind nobody."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
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
from telemetry.incidents import Incidents
from telemetry.ingestion import Ingestion


@dataclass(frozen=True)
class Unmasked:
    text: str


class PlainMasker:
    def mask(self, text: str) -> Unmasked:
        return Unmasked(text)


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


@pytest.fixture
def fleet(pool, clock, ids):
    return Fleet(pool, clock, ids)


async def test_a_clock_that_jumped_ahead_and_back_is_judged_afterwards(fleet, clock):
    await fleet.enrol(1)
    (key,) = await fleet.store([fleet.report("d0")])
    async with fleet.pool.connection() as connection:  # kept before our own clock was set back
        await connection.execute(
            "UPDATE telemetry_reports SET observed_at = observed_at + interval '2 hours'"
        )
    ahead = clock.now() + timedelta(hours=2)
    assert await fleet.score([[ahead.isoformat(), *key[1:]]]) == 0
    clock.advance(600)
    found = []
    for _ in range(4):
        clock.advance(60)
        found.append(await fleet.say([fleet.report("d0", burner=99.0)]))
    assert found == [0, 0, 1, 1]


async def test_late_and_repeated_reports_are_no_news(fleet, clock):
    await fleet.enrol(1)
    keys = []
    for _ in range(3):
        clock.advance(60)
        (key,) = await fleet.store([fleet.report("d0", burner=99.0)])
        keys.append(key)
    assert await fleet.score([*keys, keys[1], keys[0]]) == 1, "in one batch, out of order, twice"
    late = fleet.report("d0", burner=99.0, at=clock.now() - timedelta(seconds=90))
    assert await fleet.say([late]) == 0
    for key in keys:
        assert await fleet.score([key]) == 0
    (incident,) = await fleet.query("SELECT occurrences FROM incidents")
    assert incident["occurrences"] == 1
    clock.advance(60)
    assert await fleet.say([fleet.report("d0", burner=99.0)]) == 1, "and it goes on"


async def test_a_queue_of_reports_of_one_episode_is_scored_in_one_batch(fleet, clock):
    """What an endpoint sends after an hour offline: each report after the alarm tells it again."""
    await fleet.enrol(1)
    reports = []
    for _ in range(6):
        clock.advance(60)
        reports.append(fleet.report("d0", burner=99.0, at=clock.now()))
    assert await fleet.say(reports) > 1
    assert len(await fleet.query("SELECT 1 FROM device_episodes")) == 1
    assert len(await fleet.query("SELECT 1 FROM incidents")) == 1


async def test_a_bad_patch_is_one_incident_until_its_last_device_is_healed(fleet, clock):
    await fleet.enrol(80)
    patched = [f"d{n}" for n in range(80) if n % 4 == 1]
    everyone = [f"d{n}" for n in range(80)]
    await fleet.say([fleet.report(device) for device in everyone])
    for _ in range(4):
        clock.advance(60)
        await fleet.say([fleet.report(d, burner=99.0 if d in patched else 0.0) for d in everyone])
    (one,) = await fleet.query("SELECT * FROM incidents WHERE scope = 'fleet'")
    assert one["title"] == "Process burner burns a processor core: devices of model Model 1"
    alone = await fleet.query("SELECT * FROM incidents WHERE scope = 'device' AND part_of IS NULL")
    assert alone == [], "no device of the cohort has an incident beside it"
    judged = await fleet.query("SELECT * FROM inference_events ORDER BY model_name")
    of_it = [row for row in judged if row["subject_id"] == one["incident_id"]]
    assert [(row["model_name"], row["model_version"], row["model_digest"]) for row in of_it] == [
        ("detector", "1", "b" * 64),
        ("health", "1", "a" * 64),
    ]
    assert of_it[0]["output"]["p_value"] == pytest.approx(one["detection"]["p_value"], abs=1e-6)
    members = "SELECT device_id FROM incident_members JOIN device_episodes USING (episode_id)"
    joined = await fleet.query(f"{members} WHERE left_at IS NULL")
    assert {row["device_id"] for row in joined} == set(patched)
    healed, sick = patched[:12], patched[12:]
    for _ in range(11):
        clock.advance(60)
        await fleet.say([fleet.report(d, burner=99.0 if d in sick else 0.0) for d in patched])
    remaining = await fleet.query(f"{members} WHERE left_at IS NULL")
    assert {row["device_id"] for row in remaining} == set(sick)
    assert len(healed) == 12
    for _ in range(11):
        clock.advance(60)
        await fleet.say([fleet.report(device) for device in sick])
    (ended,) = await fleet.query("SELECT status FROM incidents WHERE scope = 'fleet'")
    assert ended["status"] == "resolved"


async def test_the_incident_of_an_alarm_says_what_drove_it(fleet, clock):
    random = np.random.default_rng(1)
    await fleet.enrol(12, n_models=1)
    devices = [f"d{n}" for n in range(12)]

    def network():
        return {
            "dns_latency_ms": float(random.gamma(9, 2.5)),
            "gateway_latency_ms": float(random.gamma(9, 1.0)),
            "packet_loss_percent": float(random.uniform(0, 1)),
        }

    n_found = 0
    for _ in range(13):  # of ten reports each, a quarter of an hour apart: more than a day
        reports = []
        for _ in range(10):
            clock.advance(900)
            reports += [fleet.report(device, at=clock.now(), **network()) for device in devices]
        n_found += await fleet.say(reports)
    assert n_found == 0
    for _ in range(8):
        clock.advance(900)
        await fleet.say(
            [
                fleet.report(d, **network() | ({"dns_latency_ms": 900.0} if d == "d6" else {}))
                for d in devices
            ]
        )
    (incident,) = await fleet.query("SELECT * FROM incidents")
    assert incident["device_id"] == "d6"
    assert incident["occurrences"] >= 2
    assert "Driven by dns_latency_ms = 900 (expected " in incident["description"]
    expected = float(incident["description"].split("(expected ")[1].split(")")[0])
    assert expected == pytest.approx(21.0, rel=0.3)
    detection = incident["detection"]
    assert detection["metrics"][0]["name"] == "dns_latency_ms"
    assert detection["metrics"][0]["contribution"] > 0.5
    assert 0 < detection["false_a_day"] <= 0.1
    assert detection["p_value"] < 0.01
    (event,) = await fleet.query(
        "SELECT output FROM inference_events WHERE model_name = 'detector'"
    )
    assert event["output"]["p_value"] == pytest.approx(detection["p_value"], abs=1e-6)
