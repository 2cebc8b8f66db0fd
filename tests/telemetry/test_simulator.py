# SPDX-License-Identifier: Apache-2.0
"""The fleet generator: repeatable in any order, lifelike by measurement, truthful about faults."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.failure import FailureClass as F
from telemetry.errors import SimulationError
from telemetry.simulated_columns import INDEX, SIGNAL_NAMES
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_fleet import (
    ALL_TRAITS,
    NEVER_AWAY,
    FleetGenerator,
    FleetParameters,
    Trait,
)
from telemetry.simulated_plan import NEVER, FaultRates, PlannedFault, Shape
from telemetry.simulated_population import ROLE_NAMES

DAY = 1440
NO_FAULTS = FaultRates(share=0.0)


def fleet(n_devices=200, **changes):
    return FleetGenerator(
        FleetParameters(**{"n_devices": n_devices, "fault_rates": NO_FAULTS, **changes})
    )


def series(generator, rows, steps):
    """Return values of shape (n_rows, n_steps, n_columns)."""
    rows, steps = np.asarray(rows), np.asarray(steps)
    found = generator.measure(np.repeat(rows, len(steps)), np.tile(steps, len(rows)))
    return found.values.reshape(len(rows), len(steps), -1)


def column(values, name):
    return values[..., INDEX[name]]


@pytest.fixture(scope="module")
def week():
    """Hourly values of 150 healthy devices over a week; shape (150, 168, n_columns)."""
    generator = fleet(150, seed=8, traits=NEVER_AWAY, interval_seconds=60.0)
    return generator, series(generator, np.arange(150), np.arange(0, 7 * DAY, 60))


def test_equal_parameters_give_equal_values_in_any_order():
    first, second = fleet(60, seed=4), fleet(60, seed=4)
    forward = [values.values for values in first.steps(5, 600)]
    backward = [
        second.measure(np.arange(60), np.full(60, step)).values for step in range(604, 599, -1)
    ]
    for one, other in zip(forward, reversed(backward), strict=True):
        np.testing.assert_array_equal(one, other)
    alone = second.measure(np.array([17]), np.array([602])).values[0]
    np.testing.assert_array_equal(alone, forward[2][17])
    assert not np.array_equal(
        np.nan_to_num(next(fleet(60, seed=5).steps(1, 600)).values), np.nan_to_num(forward[0])
    )


def test_another_process_gives_the_same_values():
    code = (
        "from telemetry.simulated_fleet import *; import numpy as np;"
        "g = FleetGenerator(FleetParameters(n_devices=20, seed=9));"
        "print(float(np.nansum(next(g.steps(1, 700)).values)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    here = FleetGenerator(FleetParameters(n_devices=20, seed=9))
    assert float(told) == float(np.nansum(next(here.steps(1, 700)).values))


def test_days_and_weeks_have_the_rhythm_of_the_role(week):
    generator, values = week
    cpu, roles = column(values, "cpu_percent"), generator.population.roles
    offsets = np.array([0, 1, 2, -5, 5, 9])[generator.population.sites]
    local = (np.arange(168)[None, :] + offsets[:, None]) % 168
    weekday = local < 120

    def mean(role, begins, ends, days=weekday):
        chosen = (local % 24 >= begins) & (local % 24 < ends) & days
        return np.nanmean(
            cpu[roles == ROLE_NAMES.index(role)][chosen[roles == ROLE_NAMES.index(role)]]
        )

    assert mean("office", 10, 16) > mean("office", 1, 5) + 5
    assert mean("night-shift", 23, 24) > mean("night-shift", 12, 17) + 3
    assert mean("office", 10, 16) > mean("office", 10, 16, ~weekday) + 5
    assert mean("kiosk", 10, 16, ~weekday) > mean("kiosk", 10, 16) - 2
    flat = mean("unattended", 10, 16) - mean("unattended", 1, 5)
    assert abs(flat) < 5


def test_metrics_share_their_causes(week):
    _, values = week

    def correlation(one, other):
        a, b = np.log1p(column(values, one) + 100.0), np.log1p(column(values, other) + 100.0)
        known = np.isfinite(a).all(axis=1) & np.isfinite(b).all(axis=1)
        a = a[known] - a[known].mean(axis=1, keepdims=True)
        b = b[known] - b[known].mean(axis=1, keepdims=True)
        return float((a * b).mean() / (a.std() * b.std()))

    assert correlation("cpu_percent", "cpu_temperature_celsius") > 0.6
    assert correlation("cpu_percent", "load_per_core") > 0.6
    assert correlation("dns_latency_ms", "gateway_latency_ms") > 0.4
    assert correlation("cpu_percent", "received_bytes_per_second") > 0.2
    assert abs(correlation("wifi_signal_dbm", "disk_used_percent_max")) < 0.1


def test_devices_of_a_site_share_their_network(week):
    generator, values = week
    latency = np.log(column(values, "gateway_latency_ms"))
    known = np.isfinite(latency).all(axis=1)
    sites = generator.population.sites[known]
    correlations = np.corrcoef(latency[known])
    same = sites[:, None] == sites[None, :]
    others = ~np.eye(len(sites), dtype=bool)
    within, between = correlations[same & others].mean(), correlations[~same].mean()
    assert within > between + 0.2


def test_devices_of_a_cohort_and_model_are_alike_and_old_patch_levels_await_updates():
    generator = fleet(600, seed=21, traits=frozenset())
    levels = series(generator, np.arange(600), [600]).squeeze(axis=1)
    people = generator.population
    kinds = people.cohorts * 8 + people.models
    shares = []
    for name in ("memory_percent", "swap_percent", "agent_memory_bytes", "cpu_temperature_celsius"):
        values, known = column(levels, name), np.isfinite(column(levels, name))
        means = np.array(
            [values[known & (kinds == kind)].mean() for kind in np.unique(kinds[known])]
        )
        shares.append(means.std() / values[known].std())
    assert np.mean(shares) > 0.25  # by chance alone about .1
    pending = column(levels, "pending_updates")
    by_level = [np.nanmean(pending[people.patch_levels == level]) for level in range(3)]
    assert by_level[0] > by_level[1] + 1 > by_level[2] + 2


def test_noise_is_autocorrelated_skewed_and_heavy_tailed(week):
    generator, values = week
    minutes = series(generator, np.arange(30), np.arange(600, 800))
    memory = column(minutes, "memory_percent")
    memory = memory[np.isfinite(memory).all(axis=1)]
    centred = memory - memory.mean(axis=1, keepdims=True)
    lagged = (centred[:, 1:] * centred[:, :-1]).mean() / centred.var()
    assert lagged > 0.7
    latency = column(values, "dns_latency_ms")
    ratio = np.nanquantile(latency, 0.999) / np.nanmedian(latency)
    assert ratio > 5  # a Gaussian with the same quartiles stays below 4
    assert np.nanmean(latency) > np.nanmedian(latency)


def test_hard_negatives_come_from_jobs():
    steps = np.arange(0, 2 * DAY, 3)
    with_jobs = series(fleet(60, seed=2, traits=NEVER_AWAY), np.arange(60), steps)
    quiet = series(fleet(60, seed=2, traits=frozenset()), np.arange(60), steps)
    busy, calm = column(with_jobs, "cpu_percent"), column(quiet, "cpu_percent")
    assert np.nanquantile(busy, 0.995) > 60
    assert np.nanmax(calm) < 60


def test_disks_fill_batteries_age_and_software_changes_move_levels():
    generator = fleet(120, seed=3, traits=frozenset(), duration_minutes=10 * DAY, n_fleet_changes=1)
    rows = np.arange(120)
    ends = series(generator, rows, np.array([0, 4 * DAY, 300 * DAY]))
    disk = column(ends, "disk_used_percent_max")
    assert np.nanmedian(disk[:, 1] - disk[:, 0]) > 0.1
    battery = column(ends, "battery_health_percent")
    assert np.nanmax(battery[:, 2] - battery[:, 0]) < -5
    (change,) = generator.patches
    assert len(change.rows) == 120
    begins, ends_at = min(change.installed_minutes), max(change.installed_minutes)
    assert 30 < ends_at - begins < 300
    assert generator.faults == ()


def test_some_sensors_are_absent_some_fail_for_a_while_and_devices_sleep():
    generator = fleet(200, seed=5)
    noon = next(generator.steps(1, 2 * DAY + 12 * 60))
    night = next(generator.steps(1, 5 * DAY + 2 * 60))
    assert night.is_present.mean() < noon.is_present.mean() - 0.1
    assert np.isnan(noon.values[~noon.is_present]).all()
    present = noon.values[noon.is_present]
    share = np.isnan(column(present, "wifi_signal_dbm")).mean()
    assert 0.4 < share < 0.85  # desktops have none
    assert np.isfinite(column(present, "process_cpu_percent_max")).all()
    awake = np.flatnonzero(noon.is_present)[:40]
    cpu = np.isnan(series(generator, awake, np.arange(2 * DAY + 600, 2 * DAY + 900))[:, :, :30])
    came_and_went = (cpu.any(axis=1) & ~cpu.all(axis=1)).sum()
    assert came_and_went > 5


def test_field_laptops_are_off_at_weekends():
    generator = fleet(300, seed=6, n_sites=1)
    field = generator.population.roles == ROLE_NAMES.index("field")
    saturday = next(generator.steps(1, 5 * DAY + 11 * 60))
    monday = next(generator.steps(1, 11 * 60))
    assert field.sum() > 10
    assert saturday.is_present[field].mean() == 0
    assert monday.is_present[field].mean() > 0.7


def test_counters_restart_and_memory_is_freed():
    generator = fleet(80, seed=7, traits=frozenset())
    uptime = column(series(generator, np.arange(80), np.arange(0, 7 * DAY, 30)), "uptime_seconds")
    uptime = uptime[np.isfinite(uptime).all(axis=1)]
    steps = np.diff(uptime, axis=1)
    assert ((steps < 0).sum(axis=1) >= 1).mean() > 0.9
    assert np.allclose(steps[steps > 0][:50], 1800.0, atol=1800.0)
    assert (np.isclose(steps, 1800.0)).mean() > 0.95


def test_clocks_jump_reports_come_late_and_twice():
    generator = fleet(600, seed=11)
    jumps, late, twice = 0, 0, 0
    true_time = generator.parameters.start.timestamp()
    for step in range(0, DAY, 60):
        values = next(generator.steps(1, step))
        error = values.observed_at - (true_time + 60 * step)
        jumps += int((np.abs(error) > 60).sum())
        late += int((values.delay_seconds > 60).sum())
        twice += int(values.is_repeated.sum())
        assert np.abs(error).max() < 7400
        assert values.delay_seconds.min() > 0
    assert jumps > 0
    assert late > 20
    assert twice > 5
    right = fleet(600, seed=11, traits=NEVER_AWAY)
    values = next(right.steps(1, 600))
    assert (values.observed_at == true_time + 36_000).all()
    assert values.is_present.all()


def test_churn_replaces_devices_at_their_seats():
    generator = fleet(1500, seed=12, duration_minutes=7 * DAY)
    people = generator.population
    leaving = np.flatnonzero(people.leaves_at < 7 * DAY)
    assert 0.01 < len(leaving) / 1500 < 0.1
    np.testing.assert_array_equal(people.joins_at[leaving + 1], people.leaves_at[leaving])
    for seat in (people.roles, people.sites, people.cohorts):
        np.testing.assert_array_equal(seat[leaving], seat[leaving + 1])
    last = next(generator.steps(1, 7 * DAY))
    assert not last.is_present[leaving].any()
    stable = fleet(1500, seed=12, traits=ALL_TRAITS - {Trait.CHURN})
    assert (stable.population.leaves_at > 1e9).all()


@pytest.mark.parametrize("failure", list(FAULTS))
def test_the_metrics_of_a_fault_move_from_its_onset_on(failure):
    onset, n_devices = 700.0, 16
    ramp = 20.0 if FAULTS[failure].gradual else 0.0
    planned = tuple(
        PlannedFault(
            row=row,
            failure_class=failure,
            onset_minute=onset,
            shape=Shape.RAMP if ramp else Shape.SUDDEN,
            ramp_minutes=ramp,
            hardness=row / n_devices,
        )
        for row in range(n_devices)
    )
    parameters = FleetParameters(
        n_devices=n_devices, seed=13, fault_rates=NO_FAULTS, traits=NEVER_AWAY
    )
    sick, well = (FleetGenerator(replace(parameters, faults=faults)) for faults in (planned, ()))
    rows = np.arange(n_devices)
    before = series(sick, rows, [650, 699])
    after = series(sick, rows, [730, 760])
    healthy = series(well, rows, [730, 760])
    leading, *others = planned[0].signals
    assert np.isfinite(column(after, leading)).all()
    moved = {
        name
        for name in SIGNAL_NAMES
        if np.nanmax(np.abs(column(after, name) - column(healthy, name)), initial=0.0) > 0
    }
    assert moved <= {leading, *others}
    known = np.isfinite(column(healthy, leading))
    assert (column(after, leading)[known] != column(healthy, leading)[known]).mean() > 0.9
    for name in SIGNAL_NAMES:
        if name != leading:  # which it begins to measure
            np.testing.assert_array_equal(
                column(before, name), column(series(well, rows, [650, 699]), name)
            )
    acting = sick.measure(rows, np.full(n_devices, 699)).acting_faults
    assert (acting == -1).all()
    shown = sick.measure(rows, np.full(n_devices, 730))
    assert shown.is_shown.all()
    assert [sick.faults[n].row for n in shown.acting_faults] == rows.tolist()


def test_intermittent_faults_come_and_go_and_repaired_ones_end():
    planned = (
        PlannedFault(row=0, failure_class=F.PROXY, onset_minute=100, shape=Shape.INTERMITTENT),
        PlannedFault(row=1, failure_class=F.PROXY, onset_minute=100, end_minute=160),
    )
    generator = fleet(2, faults=planned, traits=frozenset())
    proxy = column(series(generator, [0, 1], np.arange(90, 400)), "proxy_reachable")
    assert proxy[0, :10].all()
    assert not proxy[0, 10]  # an onset is always seen
    assert 2 < np.abs(np.diff(proxy[0])).sum() < 100
    np.testing.assert_array_equal(
        proxy[1] == 0, (np.arange(90, 400) >= 100) & (np.arange(90, 400) < 160)
    )


def test_planned_faults_set_in_while_their_devices_report():
    rates = FaultRates(share=0.3, to_minute=DAY)
    generator = fleet(400, seed=14, fault_rates=rates)
    faults = generator.faults
    assert 80 < len(faults) < 160
    assert {fault.failure_class for fault in faults} == set(FAULTS)
    assert {fault.shape for fault in faults} == set(Shape)
    assert any(fault.subtle for fault in faults)
    assert any(fault.end_minute == NEVER for fault in faults)
    rows = np.array([fault.row for fault in faults])
    onsets = np.array([fault.onset_minute for fault in faults])
    assert generator.measure(rows, onsets.astype(np.int64)).is_present.all()
    only = fleet(400, seed=14, fault_rates=replace(rates, patterns=(F.DNS,)))
    assert {fault.failure_class for fault in only.faults} == {F.DNS}


def test_bad_patches_break_a_cohort_and_harmless_ones_nothing():
    parameters = FleetParameters(
        n_devices=600, seed=15, fault_rates=NO_FAULTS, n_harmless_patches=2, n_harmful_patches=1
    )
    generator = FleetGenerator(parameters)
    *harmless, harmful = generator.patches
    cohorts = generator.population.cohorts
    for patch in generator.patches:
        assert len(set(cohorts[list(patch.rows)])) == 1
        assert len(patch.rows) > 10
    assert {fault.patch for fault in generator.faults} == {harmful.name}
    assert {fault.row for fault in generator.faults} == set(harmful.rows)
    without = FleetGenerator(replace(parameters, n_harmless_patches=0, n_harmful_patches=0))
    row, installed = harmless[0].rows[0], harmless[0].installed_minutes[0]
    for shift in harmless[0].shifts:
        steps = np.arange(int(installed) + 1, int(installed) + 400)
        patched = column(series(generator, [row], steps), shift.signal)
        plain = column(series(without, [row], steps), shift.signal)
        known = np.isfinite(plain) & np.isfinite(patched)
        if known.any():
            assert (patched != plain)[known].mean() > 0.5, shift
    assert harmless[0].name in generator.list_patches(row, DAY * 3)
    assert generator.list_patches(row, 0) == ()


def test_a_patch_reaches_somebody_in_the_smallest_fleet():
    for seed in range(30):
        (patch,) = fleet(3, seed=seed, n_harmful_patches=1).patches
        assert patch.rows
        assert len(patch.rows) == len(patch.installed_minutes)


@pytest.mark.parametrize(
    "changes",
    [
        {"n_devices": 0},
        {"interval_seconds": 0.0},
        {"interval_seconds": float("nan")},
        {"duration_minutes": -1.0},
        {"n_sites": 99},
        {"seed": -1},
        {"fault_rates": FaultRates(share=1.5)},
        {"fault_rates": FaultRates(ramp_minutes=(0.0, 5.0))},
        {"fault_rates": FaultRates(from_minute=9.0, to_minute=1.0)},
        {"fault_rates": FaultRates(patterns=(F.UNKNOWN,))},
        {"faults": (PlannedFault(row=0, failure_class=F.UNKNOWN, onset_minute=0.0),)},
        {"faults": (PlannedFault(row=5, failure_class=F.DNS, onset_minute=0.0),)},
    ],
)
def test_impossible_fleets_are_refused(changes):
    with pytest.raises(SimulationError):
        FleetGenerator(FleetParameters(**{"n_devices": 5, **changes}))


def test_a_fleet_is_generated_quickly():
    generator = FleetGenerator(FleetParameters(n_devices=2000, seed=1, n_harmful_patches=1))
    started = time.process_time()
    for _ in generator.steps(20, 600):
        pass
    per_day = (time.process_time() - started) * DAY / 20
    assert per_day < 60  # seconds of one core for 2,000 devices and a day; about 15 when alone


def test_every_pattern_is_documented_with_its_metrics():
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for failure, pattern in FAULTS.items():
        for effect in pattern.effects:
            hard = "" if effect.mild == effect.hard else f"..{effect.hard:g}"
            levels = f"{effect.mild:g}{hard}"
            assert f"`{effect.signal}` {levels}" in rows[failure]
