# SPDX-License-Identifier: Apache-2.0
"""Drift is watched from stored reports, answers and decisions, across restarts, and told once."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from kernel.audit import AuditIntake
from models.drift import DriftMonitor
from models.drift_state import decode_series, encode_series
from models.drift_watch import CohortReport, DriftWatch, list_alarms
from models.errors import StateFormatError
from models.inference import record_inference
from models.registry import LoadedModel

START = datetime(2026, 1, 1, tzinfo=UTC)
HEALTH = LoadedModel(model=None, name="health", version="1", digest="a" * 64)


@pytest.fixture
def watch(clock, ids):
    """A fresh process each time: nothing but the database remembers."""
    return lambda: DriftWatch(clock, ids, AuditIntake(clock, ids))


def reports(minute, value, n_devices=3, cohort="linux:t14"):
    return [
        CohortReport(
            cohort=cohort,
            observed_at=START + timedelta(minutes=minute, seconds=device),
            metrics={"memory_percent": value + device - 1, "unwatched": 1.0},
        )
        for device in range(n_devices)
    ]


async def fetch(connection, statement):
    return await (await connection.execute(statement)).fetchall()


async def test_a_lasting_shift_of_a_cohort_is_told_and_audited(connection, watch):
    random = np.random.default_rng(5)
    n_quiet = 2 * 24 * 60  # each hour of the day must be known
    levels = random.normal(40, 2, n_quiet + 240)
    levels[n_quiet:] += 12
    for hour in range(len(levels) // 60):
        minutes = range(hour * 60, hour * 60 + 60)
        batch = [report for minute in minutes for report in reports(minute, float(levels[minute]))]
        await watch().observe_reports(connection, batch, correlation_id="cor_1")
    alarms = await list_alarms(connection)
    assert alarms
    assert {(alarm["cohort"], alarm["metric"]) for alarm in alarms} == {
        ("linux:t14", "memory_percent")
    }
    first = min(alarm["observed_at"] for alarm in alarms)
    assert START + timedelta(minutes=n_quiet) <= first < START + timedelta(minutes=n_quiet + 150)
    audited = await fetch(
        connection, "SELECT subject_id, actor FROM audit_events WHERE action = 'drift.alarm'"
    )
    assert {row["subject_id"] for row in audited} == {alarm["alarm_id"] for alarm in alarms}
    assert {row["actor"] for row in audited} == {"system:drift"}


async def test_a_minute_is_one_sample_whatever_the_batches(connection, watch):
    for batch in (reports(0, 40.0), reports(0, 60.0), reports(1, 50.0)):
        assert await watch().observe_reports(connection, batch, correlation_id="cor_1") == []
    assert await fetch(connection, "SELECT 1 FROM drift_series") == []  # minute 0 may go on
    await watch().observe_reports(connection, reports(2, 50.0), correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT metric, state FROM drift_series")
    state = decode_series(bytes(row["state"]))
    assert row["metric"] == "memory_percent"
    assert state.hourly_mean[0] == 50.0  # of six reports, one sample
    assert state.hourly_count[0] == 1
    await watch().observe_reports(connection, reports(0, 90.0), correlation_id="cor_1")  # late
    pending = await fetch(connection, "SELECT DISTINCT minute FROM drift_minutes ORDER BY minute")
    assert [row["minute"] for row in pending] == [
        START + timedelta(minutes=1),
        START + timedelta(minutes=2),
    ]


async def test_a_device_whose_clock_runs_ahead_closes_no_minute(connection, watch, clock):
    minute = int((clock.now() - START).total_seconds() // 60)
    await watch().observe_reports(
        connection,
        [*reports(minute, 40.0), *reports(minute + 600, 40.0)],
        correlation_id="cor_1",
    )
    assert await fetch(connection, "SELECT 1 FROM drift_series") == []


async def test_unreadable_memory_starts_anew_and_holds_nothing_up(connection, watch):
    await watch().observe_reports(connection, reports(0, 40.0), correlation_id="cor_1")
    await watch().observe_reports(connection, reports(2, 40.0), correlation_id="cor_1")
    await connection.execute("UPDATE drift_series SET state = 'rubbish'")
    await watch().observe_reports(connection, reports(4, 50.0), correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT state FROM drift_series")
    assert decode_series(bytes(row["state"])).hourly_count[0] == 1  # of two minutes


def test_a_restarted_series_judges_like_one_that_never_stopped():
    random = np.random.default_rng(7)
    values = random.normal(10, 1, 400)
    values[300:] += 4
    whole, parts = DriftMonitor(), DriftMonitor()
    verdicts = []
    for n, value in enumerate(values):
        seen = [
            monitor.observe(
                cohort="c",
                metric="m",
                observed_at=START + timedelta(days=n),  # the same hour
                value=float(value),
            )
            for monitor in (whole, parts)
        ]
        assert seen[0] == seen[1], n
        verdicts.append(seen[0])
        content = encode_series(parts.export_series("c", "m"))
        parts = DriftMonitor()
        parts.import_series("c", "m", decode_series(content))
    assert any(verdicts[300:])


@pytest.mark.parametrize("change", [{"window": [float("nan")]}, {"hourly_mean": [0.0]}, {"new": 1}])
def test_stored_memory_is_not_trusted(change):
    monitor = DriftMonitor()
    monitor.observe(cohort="c", metric="m", observed_at=START, value=1.0)
    stored = msgspec.msgpack.decode(encode_series(monitor.export_series("c", "m")))
    with pytest.raises(StateFormatError):
        decode_series(msgspec.msgpack.encode({**stored, **change}))


async def test_answers_and_decisions_are_taken_in_once(connection, watch, clock, ids):
    for confidence in (0.9, 0.8):
        await record_inference(
            connection, ids, clock, model=HEALTH, subject_kind="incident", subject_id="inc_1",
            output={}, confidence=confidence,
        )  # fmt: skip
    for _ in range(2):
        await watch().observe_answers(connection, correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT cohort, metric, state FROM drift_series")
    assert (row["cohort"], row["metric"]) == ("model:health", "confidence")
    state = decode_series(bytes(row["state"]))
    assert state.hourly_count[clock.now().hour] == 2
    assert state.hourly_mean[clock.now().hour] == pytest.approx(0.85)
