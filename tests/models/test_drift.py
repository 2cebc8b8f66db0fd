# SPDX-License-Identifier: Apache-2.0
"""Drift is seen and dated; noise, correlation, days and weeks are not taken for it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from river.drift import ADWIN

from benchmarks.drift import DAY, NOISES
from models.alarm_budget import AlarmBudget, cusum_threshold, decision_interval
from models.change_point import find_change, find_split
from models.drift import DriftMonitor
from models.drift_alarm import DriftKind
from models.drift_state import decode_series, encode_series

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SERIES = {"cohort": "linux:t14", "metric": "cpu_percent"}
WEEK = 7 * DAY


def at(minute):
    return MONDAY + timedelta(minutes=int(minute))


def feed(monitor, values, start=0, step=1):
    """Feed one sample a minute; return the alarms with the number of their sample."""
    alarms = []
    for n, value in enumerate(np.asarray(values, dtype=float).tolist()):
        alarm = monitor.observe(**SERIES, observed_at=at(start + n * step), value=value)
        if alarm:
            alarms.append((start + n * step, alarm))
    return alarms


@pytest.mark.parametrize("noise", sorted(NOISES))
def test_no_noise_is_taken_for_drift_where_raw_adwin_takes_most(noise):
    n_raw = 0
    for seed in (1, 2):
        values = NOISES[noise](WEEK + 4 * DAY, np.random.default_rng(seed))
        assert feed(DriftMonitor(), values) == [], seed
        raw = ADWIN(delta=0.002)
        for value in values.tolist():
            raw.update(value)
            n_raw += raw.drift_detected
    assert n_raw == 0 if noise == "iid" else n_raw > 22


@pytest.mark.parametrize(
    ("noise", "shift", "within"),
    [("iid", 1.0, 60), ("sine", 1.0, 60), ("iid", 2.0, 20), ("ar", 2.0, 400)],
)
def test_a_lasting_shift_is_one_alarm_that_says_since_when(noise, shift, within):
    values = NOISES[noise](3 * DAY + DAY, np.random.default_rng(3))
    begun = 3 * DAY - 500
    values[begun:] += shift
    ((minute, alarm),) = feed(DriftMonitor(), values)
    assert begun <= minute < begun + within
    assert alarm.since_earliest <= at(begun) <= alarm.since_latest
    assert alarm.since_latest - alarm.since_earliest < timedelta(hours=8)
    assert 0.5 * shift < alarm.effect < 1.6 * shift
    assert 0.5 * shift < alarm.level_after - alarm.level_before < 1.6 * shift
    assert alarm.kind is DriftKind.LEVEL


def test_the_way_back_is_a_change_of_its_own():
    values = NOISES["iid"](5 * DAY, np.random.default_rng(4))
    values[2 * DAY + 600 : 3 * DAY + 600] -= 2.0
    (_, first), (_, second) = feed(DriftMonitor(), values[: 4 * DAY])
    assert first.effect < 0 < second.effect
    assert second.level_after == pytest.approx(first.level_before, abs=0.5)


def test_a_weekend_and_office_hours_are_learnt_and_never_alarm():
    random = np.random.default_rng(5)
    minutes = np.arange(3 * WEEK)
    weekend = (minutes // DAY) % 7 >= 5
    office = ((minutes // 60) % 24 >= 8) & ((minutes // 60) % 24 < 17) & ~weekend
    values = random.normal(0, 1, len(minutes)) + 6.0 * office - 3.0 * weekend
    monitor = DriftMonitor()
    assert feed(monitor, values) == []
    late = random.normal(0, 1, 600) + 2.0  # of a Monday that is otherwise as usual
    assert feed(monitor, late[:400], start=3 * WEEK)


def test_warm_up_is_two_working_days_and_tells_itself():
    monitor = DriftMonitor()
    values = NOISES["iid"](2 * DAY + 120, np.random.default_rng(6))
    judged = []
    for minute, value in enumerate(values.tolist()):
        monitor.observe(**SERIES, observed_at=at(minute), value=value)
        judged.append(monitor.is_judging(**SERIES))
    assert 2 * DAY <= judged.index(True) <= 2 * DAY + 1
    saturday = DriftMonitor()  # two days of weekend are no two working days
    feed(saturday, values, start=5 * DAY)
    assert not saturday.is_judging(**SERIES)


def test_missing_late_and_repeated_samples_are_passed_over():
    monitor = DriftMonitor()
    assert feed(monitor, [float("nan"), float("inf")] * 50) == []
    assert ("linux:t14", "cpu_percent") not in monitor
    feed(monitor, [5.0], start=10)
    before = encode_series(monitor.export_series(**SERIES))
    feed(monitor, [99.0], start=10)
    feed(monitor, [99.0], start=3)
    assert encode_series(monitor.export_series(**SERIES)) == before


def test_gaps_and_few_reports_a_day_are_normal_life():
    random = np.random.default_rng(7)
    values = NOISES["ar"](3 * WEEK, random)
    there = (random.random(len(values)) < 0.7) & ((np.arange(len(values)) // 60) % 24 >= 7)
    monitor = DriftMonitor()
    for minute in np.flatnonzero(there).tolist():
        value = float(values[minute]) + 3.0 * (minute >= 16 * DAY)
        alarm = monitor.observe(**SERIES, observed_at=at(minute), value=value)
        assert alarm is None or minute >= 16 * DAY
        if alarm:
            break
    assert alarm
    assert alarm.observed_at < at(17 * DAY)


def test_a_constant_series_that_moves_is_seen_and_a_constant_one_is_quiet():
    values = np.full(3 * DAY, 40.0)
    assert feed(DriftMonitor(), values) == []
    values[-400:] = 41.0
    assert feed(DriftMonitor(), values)


def test_the_more_series_share_the_budget_the_less_each_may_cry():
    budget = AlarmBudget(false_alarms_per_day=1.0)
    shares = [budget.per_series(n) for n in (1, 1000, 1001, 10_000)]
    assert shares == sorted(shares, reverse=True)
    assert 10_000 * shares[-1] <= 1.0
    assert budget.per_series(1) == budget.per_series(100)  # few series may not cry more for it
    normal = {"skewness": 0.0, "excess_kurtosis": 0.0}
    thresholds = [
        cusum_threshold(0.5, false_alarms_per_day=share, **normal) for share in shares[1:]
    ]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < cusum_threshold(
        0.5, false_alarms_per_day=shares[1], skewness=2.0, excess_kurtosis=6.0
    )


def test_series_and_features_together_may_cry_no_more_than_the_setting_says():
    setting = AlarmBudget(false_alarms_per_day=1.0)
    series, features = setting.halve(), setting.halve()
    n_series, n_features = 4096, 1024
    total = n_series * series.per_series(n_series) + n_features * features.per_series(n_features)
    assert total == pytest.approx(setting.false_alarms_per_day)


def test_the_threshold_keeps_its_average_run_length():
    """Of a CUSUM of normal samples: the mean time between false alarms, by simulation."""
    wanted, reference = 400.0, 0.5
    threshold = decision_interval(reference, wanted)
    lengths, total, n = [], 0.0, 0
    for value in np.random.default_rng(8).normal(size=120_000).tolist():
        total, n = max(0.0, total + value - reference), n + 1
        if total > threshold:
            lengths.append(n)
            total, n = 0.0, 0
    assert np.mean(lengths) == pytest.approx(wanted, rel=0.2)


def test_a_restarted_series_judges_like_one_that_never_stopped():
    values = NOISES["sine"](3 * DAY + 700, np.random.default_rng(9))
    values[3 * DAY :] += 1.0
    whole, parts = DriftMonitor(), DriftMonitor()
    verdicts = []
    for minute, value in enumerate(values.tolist()):
        moment = at(minute)
        seen = [each.observe(**SERIES, observed_at=moment, value=value) for each in (whole, parts)]
        assert seen[0] == seen[1], minute
        verdicts.append(seen[0])
        if minute % 13 == 0:
            content = encode_series(parts.export_series(**SERIES))
            parts = DriftMonitor()
            parts.import_series(**SERIES, state=decode_series(content))
    assert any(verdicts[3 * DAY :])
    assert len(content) < 8000


def test_a_rate_that_rises_is_one_alarm_and_a_steady_one_none():
    random = np.random.default_rng(10)
    for begun in (10_000, 1500):  # never, and then
        monitor, alarms = DriftMonitor(), []
        for n in range(2200):
            against = float(random.random() < (0.1 if n < begun else 0.5))
            alarm = monitor.observe_rate(
                cohort="people", metric="override_rate", observed_at=at(7 * n), value=against
            )
            if alarm:
                alarms.append(alarm)
        assert len(alarms) == (begun < 2200)
    (alarm,) = alarms
    assert alarm.kind is DriftKind.RATE
    assert alarm.since_earliest <= at(7 * 1500) <= alarm.since_latest
    assert alarm.level_before == pytest.approx(0.1, abs=0.05)


def test_a_restarted_rate_judges_like_one_that_never_stopped():
    random = np.random.default_rng(11)
    whole, parts = DriftMonitor(), DriftMonitor()
    rate = {"cohort": "model:health", "metric": "confidence"}
    n_alarms = 0
    for n in range(1700):
        value = float(random.beta(9, 1) if n < 1300 else random.beta(5, 5))
        seen = [m.observe_rate(**rate, observed_at=at(n), value=value) for m in (whole, parts)]
        assert seen[0] == seen[1], n
        n_alarms += seen[0] is not None
        if n % 11 == 0:
            content = encode_series(parts.export_series(**rate))
            parts = DriftMonitor()
            parts.import_series(**rate, state=decode_series(content))
    assert n_alarms == 1


def test_the_change_point_and_its_interval():
    random = np.random.default_rng(12)
    inside = 0
    for _ in range(200):
        samples = random.normal(size=300)
        samples[200:] += 0.8
        found = find_change(samples)
        inside += found.earliest <= 200 <= found.latest
        assert found.earliest <= found.index <= found.latest
    assert inside / 200 >= 0.9
    split = find_split([0.0] * 20 + [1.0] * 5)
    assert (split.index, split.mean) == (20, 1.0)
    for find in (find_change, find_split):
        with pytest.raises(ValueError, match="change"):
            find([])
