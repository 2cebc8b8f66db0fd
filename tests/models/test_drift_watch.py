# SPDX-License-Identifier: Apache-2.0
"""Drift is watched from stored reports, answers and decisions, across restarts, and told once."""

import time
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from psycopg.types.json import Jsonb

from kernel.audit import AuditIntake
from models.drift import DriftMonitor
from models.drift_episodes import find_episode, list_alarms, list_episodes
from models.drift_state import decode_series, encode_series
from models.drift_watch import MOST_COHORTS, WATCHED_METRICS, CohortReport, DriftWatch
from models.errors import StateFormatError
from models.inference import record_inference
from models.registry import LoadedModel
from models.retraining_proposals import list_retraining

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
HEALTH = LoadedModel(model=None, name="health", version="1", digest="a" * 64)


@pytest.fixture
def watch(clock, ids):
    """A fresh process each time: nothing but the database remembers."""
    return lambda: DriftWatch(clock, ids, AuditIntake(clock, ids))


def report(minute, metrics, cohort="linux:t14", second=0):
    moment = START + timedelta(minutes=minute, seconds=second)
    return CohortReport(cohort=cohort, observed_at=moment, metrics=metrics)


def reports(minute, value, n_devices=3):
    return [
        report(minute, {"memory_percent": value + device - 1, "unwatched": 1.0}, second=device)
        for device in range(n_devices)
    ]


async def fetch(connection, statement):
    return await (await connection.execute(statement)).fetchall()


async def test_what_began_together_is_one_episode_that_names_features_cohorts_and_time(
    connection, watch
):
    """Two cohorts by three metrics; a patch moves memory of both, and latency of one a little."""
    random = np.random.default_rng(5)
    n_quiet, n_minutes = 2 * 1440 + 300, 2 * 1440 + 600
    cohorts, metrics = ("linux:t14", "windows:nuc"), WATCHED_METRICS[:3]
    levels = random.normal(40, 2, (n_minutes, len(cohorts), len(metrics)))
    levels[n_quiet:, :, 1] += 8
    levels[n_quiet:, 0, 2] -= 4
    for first in range(0, n_minutes, 240):
        batch = [
            report(minute, dict(zip(metrics, levels[minute, c].tolist(), strict=True)), cohort)
            for minute in range(first, min(first + 240, n_minutes))
            for c, cohort in enumerate(cohorts)
        ]
        await watch().observe_reports(connection, batch, correlation_id="cor_1")
    (summary,) = await list_episodes(connection)
    assert (summary.n_alarms, summary.n_cohorts, summary.n_metrics) == (3, 2, 2)
    episode = await find_episode(connection, summary.episode_id)
    begun = START + timedelta(minutes=n_quiet)
    assert episode.began_earliest <= begun <= episode.began_latest
    assert abs(episode.began_at - begun) < timedelta(minutes=5)
    assert [name for name, _ in episode.features] == ["memory_percent", "disk_used_percent_max"]
    assert {name for name, _ in episode.cohorts} == set(cohorts)
    assert episode.features[0][1] == pytest.approx(4.0, rel=0.3)  # standard deviations
    weakest = episode.alarms[-1].alarm
    assert (weakest.cohort, weakest.metric) == ("linux:t14", "disk_used_percent_max")
    assert weakest.effect < 0
    audited = await fetch(
        connection, "SELECT subject_id, actor FROM audit_events WHERE action = 'drift.alarm'"
    )
    alarms = await list_alarms(connection)
    assert {row["subject_id"] for row in audited} == {alarm["alarm_id"] for alarm in alarms}
    assert {row["actor"] for row in audited} == {"system:drift"}
    (proposal,) = await list_retraining(connection, episode_id=summary.episode_id)
    assert proposal.model_name == "health"
    assert "memory percent of" in proposal.reason
    assert "no failure labels" in proposal.training_data


async def test_a_minute_is_one_sample_whatever_the_batches(connection, watch):
    for batch in (reports(0, 40.0), reports(0, 60.0), reports(1, 50.0)):
        assert await watch().observe_reports(connection, batch, correlation_id="cor_1") == []
    assert await fetch(connection, "SELECT 1 FROM drift_series") == []  # minute 0 may go on
    await watch().observe_reports(connection, reports(2, 50.0), correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT metric, state FROM drift_series")
    state = decode_series(bytes(row["state"]))
    assert row["metric"] == "memory_percent"
    assert state.season.total == 50.0  # of six reports, one sample
    assert state.season.n_samples == 1
    await watch().observe_reports(connection, reports(0, 90.0), correlation_id="cor_1")  # late
    pending = await fetch(connection, "SELECT DISTINCT minute FROM drift_minutes ORDER BY minute")
    assert [row["minute"] for row in pending] == [
        START + timedelta(minutes=1),
        START + timedelta(minutes=2),
    ]


async def test_values_that_are_none_belong_to_no_minute(connection, watch):
    """One device's NaN would make a cohort's minute NaN, and what is learnt of it with it."""
    odd = [float("nan"), float("inf"), -float("inf"), 1e300, None, "much"]
    for minute in (0, 2):
        batch = [report(minute, {"memory_percent": 40.0, "cpu_percent": odd[0]})]
        batch += [report(minute, {"memory_percent": value}) for value in odd]
        await watch().observe_reports(connection, batch, correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT metric, state FROM drift_series")
    assert row["metric"] == "memory_percent"
    assert decode_series(bytes(row["state"])).season.total == 40.0


async def test_series_of_the_past_take_no_share_of_the_budget(connection, clock, watch):
    await connection.execute(
        "INSERT INTO drift_series (cohort, metric, state, updated_at) SELECT 'c' || n, 'm', '',"
        " %s - interval '31 days' * (n %% 2) FROM generate_series(1, 20) AS n",
        (clock.now(),),
    )
    monitor = await watch()._load(connection, [("c2", "m")])
    assert monitor._n_series == 10


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
    assert decode_series(bytes(row["state"])).n_samples == 1  # of two minutes


async def test_no_batch_judges_more_cohorts_than_its_share_and_none_is_forgotten(connection, watch):
    cohorts = [f"linux:{n}" for n in range(MOST_COHORTS + 5)]
    for minute, n_expected in ((0, 0), (2, MOST_COHORTS), (3, MOST_COHORTS + 5)):
        batch = [report(minute, {"cpu_percent": 1.0}, cohort) for cohort in cohorts]
        await watch().observe_reports(connection, batch, correlation_id="cor_1")
        assert len(await fetch(connection, "SELECT 1 FROM drift_series")) == n_expected


async def test_a_batch_of_250_reports_stays_quick(connection, watch):
    """Ten cohorts by seven metrics whose minute closes: in a transaction that others wait for."""
    random = np.random.default_rng(6)
    slowest = 0.0
    for minute in range(6):
        batch = [
            report(
                minute,
                dict(zip(WATCHED_METRICS, random.normal(40, 2, 7).tolist(), strict=True)),
                f"linux:{device % 10}",
            )
            for device in range(250)
        ]
        begun = time.process_time()
        await watch().observe_reports(connection, batch, correlation_id="cor_1")
        slowest = max(slowest, time.process_time() - begun)
    assert len(await fetch(connection, "SELECT 1 FROM drift_series")) == 70
    assert slowest < 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"hold_off": -1}, {"level": float("nan")}, {"arms": [[0.0] * 6] * 3}, {"new": 1},
        {"steps": b"12"}, {"version": 1},
    ],
)  # fmt: skip
def test_stored_memory_is_not_trusted(change):
    monitor = DriftMonitor()
    monitor.observe(cohort="c", metric="m", observed_at=START, value=1.0)
    stored = msgspec.msgpack.decode(encode_series(monitor.export_series("c", "m")))
    assert decode_series(msgspec.msgpack.encode(stored))
    with pytest.raises(StateFormatError):
        decode_series(msgspec.msgpack.encode({**stored, **change}))


async def test_answers_of_a_minute_are_one_sample_and_taken_in_once(connection, watch, clock, ids):
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
    assert list(state.steps) == [round(0.85 * 255)]


async def add_label(connection, number, kind, label, confidence, moment, works=None):
    """Add a label of a proposal; `works` is what was promised of it, if approved."""
    chosen = {"script_id": "x", "parts": {"works": works, "approved": 0.5}}
    await connection.execute(
        "INSERT INTO incidents (incident_id, source, failure_class, confidence, severity, status,"
        " title, description, episode_key, reported_by, correlation_id, opened_at, updated_at)"
        " VALUES (%(n)s, 'ticket', 'disk_full', 1, 'S3', 'closed', '', '', %(n)s, 'x', 'x',"
        " %(at)s, %(at)s)",
        {"n": f"inc_{number}", "at": moment},
    )
    await connection.execute(
        "INSERT INTO proposals (proposal_id, incident_id, status, diagnosis, script_id, confidence,"
        " candidates, requested_by, correlation_id, created_at, expires_at) VALUES (%(p)s,"
        " %(n)s, 'succeeded', 'x', 'x', %(confidence)s, %(candidates)s, 'x', 'x', %(at)s, %(at)s)",
        {
            "p": f"pro_{number}",
            "n": f"inc_{number}",
            "at": moment,
            "confidence": confidence,
            "candidates": Jsonb(
                [
                    {"script_id": "other", "parts": {"works": 0.01, "approved": 0.5}},
                    chosen if works is not None else {"script_id": "x", "signals": {}},
                ]
            ),
        },
    )
    await connection.execute(
        "INSERT INTO labels (label_id, incident_id, proposal_id, kind, label, actor, created_at)"
        " VALUES (%s, %s, %s, %s, %s, 'user:ada', %s)",
        [f"lbl_{number}", f"inc_{number}", f"pro_{number}", kind, label, moment],
    )


async def test_people_who_turn_against_the_proposals_are_drift_of_the_recommender(
    connection, watch
):
    random = np.random.default_rng(7)
    for n in range(420):
        opposed = random.random() < (0.1 if n < 300 else 0.8)
        label = "reject" if opposed else "approve"
        await add_label(connection, n, "decision", label, 0.9, START + timedelta(minutes=17 * n))
    for _ in range(2):
        await watch().observe_answers(connection, correlation_id="cor_1")
    (summary,) = await list_episodes(connection)
    assert (summary.cohort, summary.metric) == ("people", "override_rate")
    begun = START + timedelta(minutes=17 * 300)
    assert summary.began_earliest <= begun <= summary.began_latest
    (proposal,) = await list_retraining(connection)
    assert proposal.model_name == "recommender"
    assert "420 labels" in proposal.training_data


async def test_a_broken_promise_costs_its_log_loss(connection, watch):
    """What was promised is that it works if approved, not the product with the approval's odds."""
    for n, (label, works) in enumerate([("succeeded", 0.9), ("failed", None), ("failed", 0.999)]):
        moment = START + timedelta(minutes=n)
        await add_label(connection, n, "outcome", label, 0.45, moment, works)
    await watch().observe_answers(connection, correlation_id="cor_1")
    (row,) = await fetch(connection, "SELECT cohort, metric, state FROM drift_series")
    assert (row["cohort"], row["metric"]) == ("model:recommender", "log_loss")
    assert list(decode_series(bytes(row["state"])).steps) == [6, 255]
