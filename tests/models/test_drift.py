# SPDX-License-Identifier: Apache-2.0
"""Drift is seen, and daily rhythm is not taken for it."""

from datetime import UTC, datetime, timedelta

import numpy as np

from models.drift import DriftMonitor, population_stability_index

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(values, minutes=15):
    monitor = DriftMonitor()
    alarms = [
        monitor.observe(
            cohort="c",
            metric="m",
            observed_at=START + timedelta(minutes=minutes * n),
            value=float(value),
        )
        for n, value in enumerate(values)
    ]
    return [n for n, alarm in enumerate(alarms) if alarm]


def daily(n_samples, random):
    hours = np.arange(n_samples) / 4
    return 40 + 20 * np.sin(hours / 24 * 2 * np.pi) + random.normal(0, 2, n_samples)


def test_a_daily_rhythm_is_no_drift():
    assert len(run(daily(96 * 21, np.random.default_rng(1)))) <= 1


def test_a_lasting_shift_is_drift():
    values = daily(96 * 14, np.random.default_rng(2))
    values[96 * 10 :] += 15
    alarms = [n for n in run(values) if n >= 96 * 10]
    assert alarms
    assert alarms[0] < 96 * 11


def test_missing_samples_are_passed_over():
    assert run([float("nan"), float("inf")] * 50) == []


def test_population_stability_index():
    random = np.random.default_rng(3)
    reference = random.normal(0, 1, 5000)
    assert population_stability_index(reference, random.normal(0, 1, 5000)) < 0.02
    assert population_stability_index(reference, random.normal(1.5, 1, 5000)) > 0.25
    assert population_stability_index(reference, np.array([])) == 0.0


def test_falling_confidence_is_drift():
    random = np.random.default_rng(6)
    monitor = DriftMonitor()
    alarms = []
    for n in range(2000):
        confidence = float(np.clip(random.normal(0.9 if n < 1500 else 0.6, 0.05), 0, 1))
        moment = START + timedelta(minutes=5 * n)
        if monitor.observe_confidence("health", confidence, moment):
            alarms.append(n)
    assert alarms
    assert all(n >= 1500 for n in alarms)
