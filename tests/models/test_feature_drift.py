# SPDX-License-Identifier: Apache-2.0
"""Features are compared by device and day; what a day differs in is told once."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from models.alarm_budget import AlarmBudget
from models.drift_alarm import DriftKind
from models.drift_episodes import find_episode, list_episodes, list_hourly_means
from models.feature_drift import LEAST_DEVICES, FeatureDrift
from models.retraining_proposals import list_retraining
from tests.fakes.time_and_ids import FixedClock

N_DEVICES = 60


async def add_devices(connection, now):
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO devices (device_id, hostname, os_family, model, enrolled_at)"
            " VALUES (%s, %s, 'linux', %s, %s)",
            [
                (f"dev-{n}", f"host-{n}", "t14" if n < N_DEVICES else "rare", now)
                for n in range(N_DEVICES + LEAST_DEVICES - 1)
            ],
        )


async def add_day(connection, day, random, memory=40.0):
    """Add a report of each device each three hours."""
    rows = []
    for hour in range(1, 24, 3):
        for n in range(N_DEVICES + LEAST_DEVICES - 1):
            moment = day + timedelta(hours=hour, seconds=n % 60)
            metrics = {
                "memory_percent": memory + n % 20 + random.normal(0, 3),
                "cpu_percent": random.gamma(2.0, 10.0),
            }
            rows.append((f"r{moment:%d%H}-{n}", f"dev-{n}", moment, moment, Jsonb(metrics)))
    await connection.execute("SELECT ensure_telemetry_partition(%s::date)", [day.date()])
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO telemetry_reports (report_id, device_id, observed_at, received_at,"
            " metrics, facts) VALUES (%s, %s, %s, %s, %s, '{}')",
            rows,
        )


@pytest.fixture
def features(ids):
    """A fresh process each time, two hours after the day's end."""

    async def compare(connection, day, version="1"):
        clock = FixedClock(day + timedelta(days=1, hours=2))
        drift = FeatureDrift(clock, ids, AuditIntake(clock, ids), budget=AlarmBudget())
        return await drift.compare_yesterday(
            connection, model_version=version, correlation_id="cor_1"
        )

    return compare


async def test_a_day_unlike_its_reference_names_the_feature_the_cohort_and_the_day(
    connection, features
):
    random = np.random.default_rng(1)
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    await add_devices(connection, monday)
    alarms = []
    for n, memory in enumerate((40.0, 40.5, 52.0, 52.0)):
        day = monday + timedelta(days=n)
        await add_day(connection, day, random, memory)
        alarms.append(await features(connection, day))
        assert await features(connection, day) == []  # once a day
    assert alarms[0] == alarms[1] == []  # the reference, and a day like it
    (alarm,) = alarms[2]
    assert (alarm.cohort, alarm.metric) == ("linux:t14:workstation", "memory_percent")
    assert alarm.kind is DriftKind.DISTRIBUTION
    assert alarm.since == monday + timedelta(days=2)
    assert alarm.effect > 0.3
    assert alarm.n_samples == N_DEVICES
    assert alarm.level_after - alarm.level_before == pytest.approx(12, abs=3)
    assert alarms[3] == []  # one change is one alarm
    (summary,) = await list_episodes(connection)
    episode = await find_episode(connection, summary.episode_id)
    assert [name for name, _ in episode.features] == ["memory_percent"]
    (proposal,) = await list_retraining(connection)
    assert proposal.model_name == "health"
    assert "60 devices" in proposal.reason


async def test_a_saturday_is_compared_with_saturdays_and_a_new_champion_begins_anew(
    connection, features
):
    random = np.random.default_rng(2)
    friday = datetime(2026, 1, 9, tzinfo=UTC)
    await add_devices(connection, friday)
    for n, memory in ((0, 40.0), (1, 25.0), (7, 40.0), (8, 25.0)):
        day = friday + timedelta(days=n)
        await add_day(connection, day, random, memory)
        assert await features(connection, day) == [], n
    cursor = await connection.execute("SELECT DISTINCT day_class FROM drift_references")
    assert {row["day_class"] for row in await cursor.fetchall()} == {4, 5}
    day = friday + timedelta(days=14)
    await add_day(connection, day, random, 70.0)
    assert await features(connection, day, version="2") == []
    cursor = await connection.execute(
        "SELECT DISTINCT model_version FROM drift_references WHERE day_class = 4"
    )
    assert [row["model_version"] for row in await cursor.fetchall()] == ["2"]


async def test_a_cohort_of_few_devices_has_nothing_to_say(connection, features):
    day = datetime(2026, 1, 5, tzinfo=UTC)
    await add_devices(connection, day)
    await add_day(connection, day, np.random.default_rng(3))
    await features(connection, day)
    cursor = await connection.execute("SELECT DISTINCT cohort FROM drift_references")
    assert [row["cohort"] for row in await cursor.fetchall()] == ["linux:t14:workstation"]


async def test_hours_are_shown_of_a_cohort_as_the_detector_names_it(connection):
    day = datetime(2026, 1, 5, tzinfo=UTC)
    await add_devices(connection, day)
    await connection.execute("UPDATE devices SET role = 'lab' WHERE device_id LIKE 'dev-1_'")
    await connection.execute("UPDATE devices SET role = 'odd' WHERE device_id = 'dev-2'")
    await add_day(connection, day, np.random.default_rng(4))
    for cohort, is_known in (
        ("linux:t14:lab", True), ("linux:t14:workstation", True), ("linux::", True),
        ("linux:t14:odd", False), ("linux:t14", False),
    ):  # fmt: skip
        hours = await list_hourly_means(
            connection, cohort=cohort, metric="memory_percent", since=day,
            until=day + timedelta(days=1),
        )  # fmt: skip
        assert len(hours) == (8 if is_known else 0), cohort
