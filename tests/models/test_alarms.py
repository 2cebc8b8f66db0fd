# SPDX-License-Identifier: Apache-2.0
"""A fleet hears of faults that last, of little else, and of each of them once."""

import numpy as np
import pytest

from models.alarms import (
    BUDGET_EPISODES,
    CALM_REPORTS,
    DAY_SECONDS,
    FALSE_DISCOVERY_RATE,
    HALF_LIFE_SECONDS,
    AlarmMonitor,
)
from models.errors import StateFormatError
from tests.models.alarm_fleet import A_DAY, MONDAY, N_METRICS, Fleet, settle


def test_the_first_day_raises_no_alarm():
    fleet = Fleet(20)
    alarms = fleet.live(A_DAY - 1, sick=[3, 4], p_value=1e-300)
    assert alarms.evidence[3] > 100
    assert fleet.opened.sum() == 0
    fleet.live(3, sick=[3], p_value=1e-300)
    assert fleet.opened[3] == 1, "what goes on then, is told of"


def test_an_old_report_is_not_a_day_of_learning():
    monitor = AlarmMonitor(N_METRICS)
    late = np.array([MONDAY - 80 * DAY_SECONDS])  # from the queue of an agent that was offline
    monitor.observe(np.array([0]), late, np.array([0.5]), np.array([0]))
    fleet = Fleet(20, monitor=monitor)
    fleet.live(60, sick=[3], p_value=1e-300)
    assert fleet.opened.sum() == 0


@pytest.mark.parametrize("n_devices", [1, 50, 400])
def test_single_reports_never_open(n_devices):
    fleet = settle(n_devices)
    before = fleet.opened.copy()
    for device in range(min(n_devices, 40)):
        fleet.live(1, sick=[device], p_value=1e-300)
        fleet.live(4)
    spiked = fleet.opened[:40] - before[:40]
    assert spiked.sum() == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_false_episodes_of_a_healthy_fleet_keep_to_the_budget(seed):
    n_devices, n_days = 500, 3
    fleet = Fleet(n_devices, seed)
    fleet.live(n_days * A_DAY)
    tolerated = BUDGET_EPISODES * n_devices * (n_days - 1)
    assert fleet.opened.sum() <= tolerated
    assert fleet.opened.sum() <= 3, "expected are a tenth of that"


def test_a_lasting_fault_opens_one_episode_within_five_reports():
    fleet = settle(500)
    before = fleet.opened.sum()
    sick = [7, 8, 9]
    fleet.live(5, sick=sick, p_value=1e-5, driver=11)
    assert fleet.opened[sick].tolist() == [1, 1, 1]
    for _ in range(20):  # it comes and goes, and is one episode all the same
        fleet.live(CALM_REPORTS - 1, sick=sick, p_value=0.5)
        assert fleet.live(1, sick=sick, p_value=1e-3).is_open[sick].all()
    assert fleet.opened[sick].tolist() == [1, 1, 1]
    ended = fleet.live(CALM_REPORTS, sick=sick, p_value=0.5)
    assert ended.has_ended[sick].all()
    assert not ended.is_open[sick].any()
    assert (ended.evidence[sick] >= 0).all()
    assert not fleet.live(1, sick=sick, p_value=0.5).is_open[sick].any()
    assert fleet.opened.sum() - before <= 4
    fleet.live(5, sick=sick, p_value=1e-5, driver=11)
    assert fleet.opened[sick].tolist() == [2, 2, 2], "a new fault is a new episode"


def test_weak_evidence_opens_when_it_lasts():
    fleet = settle(200)
    fleet.live(30, sick=[5], p_value=np.exp(-5.5))
    assert fleet.opened[5] == 1
    fleet.live(200, sick=[6], p_value=np.exp(-3.9))
    assert fleet.opened[6] == 0, "what is ordinary for one report in fifty adds nothing up"


def test_restless_metrics_do_not_hide_a_fault_of_another():
    fleet = settle(200)
    for _ in range(60):  # metric 0 of healthy devices rises to 40 and comes back by itself
        fleet.monitor.pool.add(np.zeros(1, np.int64), np.array([40.0]))
    fleet.live(11)  # the expectation is fitted every ten minutes
    fleet.live(4, sick=[150], p_value=1e-300, driver=0)
    fleet.live(4, sick=[151], p_value=1e-300, driver=1)
    assert fleet.opened[[150, 151]].tolist() == [0, 1]
    for device, metric in ((150, 0), (151, 1)):
        heights = fleet.monitor.pool.expect(np.array([metric]), np.array([30.0]))
        assert (heights[0] > 1) == (device == 150)


def test_excursions_are_counted_by_what_drove_them_but_alarms_are_none():
    fleet = settle(100)
    fleet.live(5, sick=[5], p_value=1.0)
    fleet.monitor._counted[:] = -np.inf  # none was counted lately
    counts = fleet.monitor.pool.counts.copy()
    fleet.live(3, sick=[5], p_value=np.exp(-6.0), driver=17)  # up to 6, and back
    fleet.live(5, sick=[5], p_value=1.0)
    added = fleet.monitor.pool.counts - counts * 0.5 ** (8 * 60 / HALF_LIFE_SECONDS)
    assert added[17, 3] > 0.99
    high = fleet.monitor.pool.counts[:, 10:].sum()
    fleet.live(20, sick=[6], p_value=1e-300, driver=17)
    assert fleet.opened[6] == 1
    fleet.live(60, sick=[6], p_value=1.0)
    assert fleet.monitor.pool.counts[:, 10:].sum() <= high, "its height is no healthy device's"


def test_healthy_devices_heights_decide_what_is_much():
    """In a fleet whose p-values lie (as under drift), the same evidence says less."""
    honest, lying = settle(100, seed=3), Fleet(100, seed=3)
    for _ in range(A_DAY // 2 + 1):
        lying.live(1)
        drawn = lying.random.uniform(size=100)
        lying.minute += 1
        lying.monitor.observe(
            lying.rows,
            np.full(100, MONDAY + 60.0 * lying.minute),
            np.where(drawn < 0.1, 1e-4, drawn),
            lying.random.integers(0, N_METRICS, size=100),
        )
    driver, height = np.array([4]), np.array([12.0])
    assert lying.monitor.pool.expect(driver, height) > 5 * honest.monitor.pool.expect(
        driver, height
    )


@pytest.mark.parametrize(("n_devices", "opens"), [(100, False), (10_000, True)])
def test_the_budget_grows_with_the_fleet(n_devices, opens):
    monitor = AlarmMonitor(1)
    rows = np.arange(n_devices)
    quiet = np.full(n_devices, 0.9)
    for minute in range(0, A_DAY + 60, 60):
        seconds = np.full(n_devices, MONDAY + 60.0 * minute)
        monitor.observe(rows, seconds, quiet, np.zeros(n_devices, np.int64))
    monitor.pool.restore(np.zeros((1, 101)), monitor.pool.export_times())
    monitor.pool.counts[0, 10] = 2.0  # two a day reach 20
    bound = FALSE_DISCOVERY_RATE * BUDGET_EPISODES * n_devices
    expected = monitor.pool.expect(np.array([0]), np.array([20.0]))[0]
    assert (expected <= bound) == opens
    found = [
        monitor.observe(
            np.array([5]),
            np.array([MONDAY + 60.0 * (A_DAY + 62 + turn)]),
            np.array([np.exp(-9.0)]),
            np.array([0]),
        ).has_opened[0]
        for turn in range(4)
    ]  # up to 20
    assert any(found) == opens


def test_state_moves_to_another_worker():
    fleet = settle(60, seed=5)
    fleet.live(2, sick=[3], p_value=1e-4, driver=2)
    fleet.live(8, sick=[4], p_value=1e-300, driver=2)
    moved = AlarmMonitor(N_METRICS)
    moved.restore(fleet.monitor.export())
    moved.write(fleet.rows, fleet.monitor.read(fleet.rows))
    other = Fleet(60, monitor=moved)
    other.minute, other.random = fleet.minute, np.random.default_rng(9)
    fleet.random = np.random.default_rng(9)
    fleet.opened[:] = 0
    for _ in range(40):
        mine, theirs = (each.live(1, sick=[3], p_value=1e-4, driver=2) for each in (fleet, other))
        for name in ("evidence", "is_open", "has_opened", "has_ended"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name)), name
        assert np.allclose(mine.false_a_day, theirs.false_a_day, rtol=0.1)
    assert fleet.opened[3] == other.opened[3] == 1
    assert fleet.opened[4] == 0, "the episode that was open has been told of"


def test_what_two_workers_counted_is_counted_once():
    whole = settle(40, seed=6)
    base = whole.monitor.export()
    workers = [AlarmMonitor(N_METRICS) for _ in range(2)]
    for worker in workers:
        worker.restore(base)
    random = np.random.default_rng(2)
    for minute in range(A_DAY + 2, 2 * A_DAY, 5):
        p_values, drivers = random.uniform(size=40), random.integers(0, N_METRICS, size=40)
        seconds = np.full(40, MONDAY + 60.0 * minute)
        whole.monitor.observe(whole.rows, seconds, p_values, drivers)
        for worker, rows in zip(workers, (np.arange(20), np.arange(20, 40)), strict=True):
            if minute == A_DAY + 2:
                worker.write(rows, {n: v * 0 for n, v in worker.read(rows).items()})
            worker.observe(rows, seconds[rows], p_values[rows], drivers[rows])
    workers[1].merge(workers[0].export(), base)
    merged, expected = workers[1].export(), whole.monitor.export()
    assert merged["excursions"].sum() == pytest.approx(expected["excursions"].sum(), rel=0.01)
    assert np.abs(merged["excursions"] - expected["excursions"]).sum() <= 20  # those that went on
    assert merged["times"].tolist() == pytest.approx(expected["times"].tolist())


def test_a_clock_that_runs_back_changes_nothing():
    fleet = Fleet(20)
    fleet.live(20)
    before = fleet.monitor.export()
    alarms = fleet.monitor.observe(
        np.array([3]), np.array([MONDAY - 5 * DAY_SECONDS]), np.array([0.5]), np.array([1])
    )
    assert not alarms.is_open[0]
    after = fleet.monitor.export()
    assert np.array_equal(before["excursions"], after["excursions"])
    assert np.array_equal(before["times"], after["times"])


@pytest.mark.parametrize("damage", ["missing", "shape"])
def test_damaged_sums_are_refused_and_change_nothing(damage):
    fleet = Fleet(5)
    fleet.live(20)
    monitor = fleet.monitor
    before, bad = monitor.export(), monitor.export()
    if damage == "missing":
        del bad["times"]
    else:
        bad["excursions"] = np.zeros((2, 2))
    for change in (monitor.restore, lambda sums: monitor.merge(sums, before)):
        with pytest.raises(StateFormatError):
            change(bad)
        after = monitor.export()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_forgotten_device_has_no_past():
    fleet = Fleet(10)
    fleet.live(5, sick=[2], p_value=1e-300)
    fleet.monitor.clear(np.array([2]))
    assert all(not array.any() for array in fleet.monitor.read(np.array([2])).values())
    assert not fleet.live(1, sick=[2], p_value=0.9).is_open[2]


def test_a_silent_weekend_changes_no_expectation():
    fleet = settle(60, seed=9)
    monitor, pool = fleet.monitor, fleet.monitor.pool
    drivers, heights = np.zeros(1, np.int64), np.array([4.0])
    before = float(pool.expect(drivers, heights)[0])
    monitor.observe(
        np.array([0]), np.array([pool.seconds + 60 * 3600.0]), np.array([0.5]), np.array([0])
    )
    pool._expected = None
    assert float(pool.expect(drivers, heights)[0]) == pytest.approx(before, rel=0.1)


def test_in_the_long_run_the_episodes_are_those_of_a_day():
    monitor = AlarmMonitor(N_METRICS)
    for hour in range(24 * 20):
        monitor._decay_to(MONDAY + 3600.0 * hour)
        monitor.episodes += 100 / 24
    assert monitor.episodes == pytest.approx(100.0, rel=0.03)


def test_a_flood_of_excursions_of_one_device_counts_for_little():
    fleet = settle(40, seed=11)
    fleet.monitor._counted[:] = -np.inf
    before = fleet.monitor.pool.counts[7, 2]
    for _ in range(10):
        fleet.live(2, sick=[3], p_value=np.exp(-6.0), driver=7)
        fleet.live(3, sick=[3], p_value=1.0)
    assert 0.9 <= fleet.monitor.pool.counts[7, 2] - before <= 2.1  # in fifty minutes


def test_one_report_alone_raises_no_alarm_however_strange():
    fleet = settle(40, seed=13)
    fleet.monitor.episodes = 1e6  # any evidence would do
    fleet.live(3, sick=[3], p_value=1.0)  # nothing was strange before
    assert fleet.monitor.read(np.array([3]))["evidence"][0] == 0.0
    assert not fleet.live(1, sick=[3], p_value=1e-300).is_open[3]
    assert fleet.live(1, sick=[3], p_value=1e-300).is_open[3]


def test_a_device_with_many_episodes_raises_the_bound_once_a_day():
    fleet = settle(40, seed=12)
    before = fleet.monitor.episodes
    n_opened = 0
    for _ in range(6):
        for _ in range(20):
            n_opened += fleet.live(1, sick=[3], p_value=1e-9).has_opened.sum()
        fleet.live(40, sick=[3], p_value=1.0)
    assert n_opened >= 4, "one fault, many episodes"
    assert fleet.monitor.episodes - before <= 1.0


def test_learning_takes_time_of_ours_not_of_a_queue_of_old_reports():
    """An agent that was offline for 80 days sends all of it at once, as the first ever heard."""
    monitor = AlarmMonitor(N_METRICS)
    monitor.pool.begin(MONDAY)
    for hour in range(80 * 24):
        moment = np.array([MONDAY - 80 * DAY_SECONDS + 3600.0 * hour])
        monitor.observe(np.array([0]), moment, np.array([0.5]), np.array([0]))
    assert monitor.pool.learnt_seconds == 0.0
    fleet = Fleet(20, monitor=monitor)
    fleet.live(60, sick=[3], p_value=1e-300)
    assert fleet.opened.sum() == 0


def test_late_reports_are_judged_and_count_for_nothing():
    fleet = settle(50)
    monitor, late = fleet.monitor, np.array([False])
    before, opened = monitor.export(), 0
    for n in range(2000):  # excursions, and faults that last
        p_value = 1e-6 if n % 40 < 10 or n % 40 == 30 else 0.9
        moment = np.array([MONDAY - 2 * DAY_SECONDS + 60.0 * n])
        alarms = monitor.observe(np.array([7]), moment, np.array([p_value]), np.array([3]), late)
        opened += int(alarms.has_opened[0])
    assert opened > 10
    after = monitor.export()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_flood_of_episodes_of_one_device_raises_the_bound_by_few():
    fleet = settle(50)
    fleet.monitor.episodes = 0.0
    for _ in range(20):
        fleet.live(8, sick=[3], p_value=1e-300)
        fleet.live(CALM_REPORTS, sick=[3], p_value=1.0)
    assert fleet.opened[3] >= 15
    assert fleet.monitor.episodes <= 13  # in six hours, one in half an hour


def test_the_budget_goes_by_the_devices_that_others_know_of():
    """After a restart, or beside other workers, a process has seen few of the fleet's devices."""
    monitor = AlarmMonitor(1)
    monitor.pool.restore(np.zeros((1, 101)), np.array([DAY_SECONDS, DAY_SECONDS, MONDAY]))
    monitor.pool.counts[0, 10] = 2.0

    def opens(row):
        found = False
        for turn in range(4):
            moment = np.array([MONDAY + 60.0 * turn])
            alarms = monitor.observe(
                np.array([row]), moment, np.array([np.exp(-9.0)]), np.zeros(1, int)
            )
            found |= bool(alarms.has_opened[0])
        return found

    assert not opens(0)
    monitor.n_living = 10_000
    assert opens(1)


def make_restless_fleet():
    """Return one in which metric 6 is odd for hours on device after device, and that is all."""
    fleet = Fleet(50)
    for first in range(0, 30, 5):
        fleet.live(100, sick=np.arange(first, first + 5), p_value=2e-3, driver=6)
        fleet.live(150)
    assert fleet.monitor.pool.has_learnt
    assert not fleet.opened.any()
    return fleet


def test_a_blip_is_not_judged_by_what_another_metric_gathered():
    fleet = make_restless_fleet()
    fleet.live(60, sick=[30], p_value=2e-3, driver=6)
    alarms = fleet.live(1, sick=[30], p_value=1e-6, driver=7)
    assert alarms.evidence[30] > 100
    assert not fleet.opened.any()


def test_a_fault_is_heard_within_reports_behind_what_is_always_odd():
    fleet = make_restless_fleet()
    fleet.live(90, sick=[30], p_value=2e-3, driver=6)
    assert not fleet.opened.any()
    alarms = fleet.live(5, sick=[30], p_value=1e-9, driver=7)
    assert alarms.is_open[30]
    assert fleet.opened.sum() == 1
