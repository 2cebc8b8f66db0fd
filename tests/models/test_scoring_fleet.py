# SPDX-License-Identifier: Apache-2.0
"""Scoring judges a fleet: many devices' one fault is one incident, odd clocks blind nobody."""

from datetime import timedelta

import numpy as np
import pytest

from tests.models.scored_fleet import Fleet


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
    assert "dns_latency_ms is 900 (usually about " in incident["description"]
    expected = float(
        incident["description"].split("dns_latency_ms is 900 (usually about ")[1].split(")")[0]
    )
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


async def test_many_detections_cost_one_query_of_windows(fleet, clock):
    """Others wait for a batch: what it reads must not grow by a query a detection."""
    await fleet.enrol(20)
    devices = [f"d{n}" for n in range(20)]
    n_queries = {}
    for turn in range(4):
        clock.advance(60)
        keys = await fleet.store(
            [fleet.report(d, burner=99.0 if n < 15 else 0.0) for n, d in enumerate(devices)]
        )
        async with fleet.pool.connection() as connection:
            asked, execute = [], connection.execute

            async def note(query, *values, asked=asked, execute=execute, **options):
                asked.append(query)
                return await execute(query, *values, **options)

            connection.execute = note
            n_found = await fleet.scoring.score_batch(connection, keys, correlation_id="req_1")
            del connection.execute
        n_queries[turn] = sum("telemetry_reports" in str(query) for query in asked)
    assert n_found == 15
    assert (n_queries[0], n_queries[3]) == (1, 2), "the reports; and the windows of all"
