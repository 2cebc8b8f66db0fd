# SPDX-License-Identifier: Apache-2.0
"""A cohort's model learns rhythm and correlation from ordinary reports; workers' sums add up."""

from datetime import UTC, datetime

import numpy as np
import pytest

from models.cohort_model import N_SLOTS, CohortModel, slot_of
from models.detector_settings import DAY_SECONDS, DetectorSettings
from models.distance import fill_absent
from models.errors import StateFormatError
from models.fleet_detector import FleetDetector

MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
QUICK = DetectorSettings(warm_up_reports=10)


def watch(detector, values, *, start=MONDAY, interval=60.0, rows=None, cohort="c"):
    """Feed steps of shape (n_steps, n_devices, n_metrics); return the scores of each step."""
    rows = np.arange(values.shape[1]) if rows is None else rows
    return [
        detector.observe(
            rows, [cohort] * len(rows), np.full(len(rows), start + step * interval), batch
        )
        for step, batch in enumerate(values.astype(np.float32))
    ]


def twins(random, n_steps, n_devices, noise=0.1):
    """Three metrics: two move together, the third alone; (n_steps, n_devices, 3)."""
    common = random.normal(size=(n_steps, n_devices, 1))
    pair = common + noise * random.normal(size=(n_steps, n_devices, 2))
    return np.concatenate([pair, random.normal(size=(n_steps, n_devices, 1))], axis=2) + 50.0


def test_slots_are_hours_of_weekdays_and_weekends():
    moments = [(2, 0), (2, 13), (6, 23), (7, 0), (8, 23), (9, 5)]  # March 2026: the 7th, a Saturday
    seconds = np.array([datetime(2026, 3, d, h, tzinfo=UTC).timestamp() for d, h in moments])
    assert slot_of(seconds).tolist() == [0, 13, 23, 24, 47, 5]
    assert slot_of(np.array([-1.0, 0.0])).tolist() == [23, 0], "a clock before 1970"
    assert slot_of(np.array([0.0, 1e10])).max() < N_SLOTS


@pytest.fixture
def taught():
    random = np.random.default_rng(1)
    detector = FleetDetector(3, floors=0.01, settings=QUICK)
    watch(detector, twins(random, 400, 20))
    return detector


def test_moving_against_a_twin_is_more_unusual_than_moving_with_it(taught):
    step = np.full((1, 4, 3), 50.0)
    step[0, 0] += [2.0, 2.0, 0.0]
    step[0, 1] += [2.0, -2.0, 0.0]
    step[0, 2] += [2.0, 0.0, 0.0]
    (scores,) = watch(taught, step, start=MONDAY + 400 * 60)
    along, against, alone, still = scores.score
    assert against > alone > along > still
    assert scores.p_value[1] < scores.p_value[0] / 10
    assert set(scores.contributions[1].argsort()[1:]) == {0, 1}


@pytest.mark.parametrize("n_absent", [1, 3, 10])
def test_absent_metrics_leave_the_marginal_distance(n_absent):
    """Against the exact inverse of the covariance of those that are present."""
    random = np.random.default_rng(9)
    n, n_metrics = 20, 44
    cohort = CohortModel(n_metrics, QUICK)
    factors = random.normal(size=(3, n_metrics, 6))
    covariance = factors @ factors.swapaxes(1, 2) / 6 + 0.5 * np.eye(n_metrics)
    cohort.sums["pair_weight"][:] = 1e6
    cohort.sums["moments"] = 1e6 * covariance
    precision = cohort.precision()
    covariance = np.linalg.inv(precision.astype(np.float64))
    known = np.ones((n, n_metrics), np.bool_)
    for row in known:
        row[random.choice(n_metrics, n_absent, replace=False)] = False
    deviations = (random.normal(size=(3, n, n_metrics)) * known).astype(np.float32)
    filled = fill_absent(deviations, known, precision)
    assert np.array_equal(filled * known, deviations)
    reached = ((filled @ precision) * filled).sum(axis=2)
    naive = ((deviations @ precision) * deviations).sum(axis=2)
    for stream in range(3):
        for row, present in enumerate(known):
            seen = deviations[stream, row, present].astype(np.float64)
            marginal = np.linalg.inv(covariance[stream][np.ix_(present, present)])
            exact = seen @ marginal @ seen
            assert exact * 0.999 <= reached[stream, row] <= naive[stream, row] * 1.001
            assert reached[stream, row] <= exact + 0.1 * (naive[stream, row] - exact) + 0.01


def test_an_absent_metric_raises_no_score():
    random = np.random.default_rng(2)
    detector = FleetDetector(3, floors=0.01, settings=QUICK)
    values = twins(random, 400, 20)
    values[200:, 5, 1] = np.nan
    found = watch(detector, values)
    p_values = np.array([each.p_value for each in found[250:]])
    assert np.mean(p_values[:, 5] < 0.05) < 0.12
    assert all(each.contributions[5, 1] == 0 for each in found[200:])


def season_of(hour, shape):
    return np.where((hour >= 9) & (hour < 17), shape, 0.0)


def test_the_rhythm_of_the_day_is_learnt():
    random = np.random.default_rng(3)
    detector = FleetDetector(2, floors=0.1)
    n_steps = 4 * 96
    hours = np.arange(n_steps) * 0.25 % 24
    values = random.normal(size=(n_steps, 30, 2)) + 20.0
    values[:, :, 0] += season_of(hours, 6.0)[:, None]
    watch(detector, values, interval=900.0)
    cohort = detector.cohort("c")
    rhythm = cohort.season_at(MONDAY + np.array([3.0, 12.0]) * 3600)
    assert rhythm[1, 0] - rhythm[0, 0] == pytest.approx(6.0, abs=0.8)
    assert np.abs(rhythm[:, 1]).max() < 0.4
    saturday = cohort.season_at(MONDAY + (5 * 24 + np.array([3.0, 12.0])) * 3600)
    assert np.all(saturday == 0), "of weekends nothing was seen"


def test_one_wild_device_does_not_make_the_rhythm():
    random = np.random.default_rng(4)
    detector = FleetDetector(2, floors=0.1)
    values = random.normal(size=(120, 20, 2)) + 20.0
    values[100, 3, 0] = 1e12
    values[101, 3, 1] = -1e12
    watch(detector, values)
    assert np.abs(detector.cohort("c").season_at(np.array([MONDAY + 7000]))).max() < 1.0


def test_one_device_far_away_does_not_move_what_its_kind_is_like():
    random = np.random.default_rng(6)
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    values = random.normal(size=(400, 40, 2)) + 20.0 + random.normal(size=(1, 40, 2))
    watch(detector, values[:100])
    before = detector.cohort("c").priors()
    values[100:, 3, 0] = 1e6
    watch(detector, values[100:], start=MONDAY + 6_000)
    after = detector.cohort("c").priors()
    assert abs(after.location[0] - before.location[0]) < 1.0
    assert after.between[0] < 4.0 * (before.between[0] + before.within[0, 0])


def test_a_kind_whose_first_device_never_changes_is_learnt_all_the_same():
    random = np.random.default_rng(7)
    detector = FleetDetector(1, floors=0.5, settings=QUICK)
    watch(detector, np.zeros((60, 1, 1)))
    levels = random.uniform(5.0, 60.0, size=(1, 40, 1))
    watch(detector, levels + np.zeros((600, 40, 1)), start=MONDAY + 3_600, rows=np.arange(1, 41))
    priors = detector.cohort("c").priors()
    assert priors.location[0] == pytest.approx(levels.mean(), rel=0.1)
    assert priors.between[0] == pytest.approx(levels.var(), rel=0.3)


def test_sums_that_great_values_come_to_are_read_again_and_impossible_means_are_not():
    detector = FleetDetector(1, floors=0.5, settings=QUICK)
    watch(detector, np.full((300, 40, 1), 1e12))
    state = detector.cohort("c").export()
    assert state["level"][1].max() > 1e27
    CohortModel(1, QUICK).restore(state)
    for name in ("level", "spread", "moments", "season"):
        with pytest.raises(StateFormatError):
            CohortModel(1, QUICK).restore({**state, name: np.full_like(state[name], 1e200)})


def export_sums(cohort):
    return {name: values for name, values in cohort.export().items() if name != "seconds"}


def test_what_two_workers_learnt_adds_up_to_what_one_learns():
    random = np.random.default_rng(5)
    values = random.normal(size=(100, 12, 3))
    alone = FleetDetector(3, floors=0.1, settings=QUICK)
    watch(alone, values[:30])
    base = alone.cohort("c").export()
    workers = [FleetDetector(3, floors=0.1, settings=QUICK) for _ in range(2)]
    for number, worker in enumerate(workers):
        worker.cohort("c").restore(base)
        rows = np.arange(number * 6, number * 6 + 6)
        worker.baselines.grow(12)
        worker.baselines.write(rows, alone.baselines.read(rows))
        # the second one begins when the first has ended, as after a night
        start = MONDAY + 30 * 60 + number * 70 * 60
        watch(worker, values[30:, rows], start=start, rows=rows)
    first, second = (worker.cohort("c") for worker in workers)
    second.merge(first.export(), base)
    merged = export_sums(second)
    one = CohortModel(3, QUICK)  # what each worker added to the base, at the age that it has
    one.restore(base)
    ages = [second.seconds - first.seconds, 0.0]
    assert ages[0] > 0
    for name in ("moments", "pair_weight", "level", "level_weight", "spread"):
        keep = 0.5 ** (ages[0] / QUICK.covariance_half_life_seconds)
        whole = 0.5 ** ((second.seconds - base["seconds"][1]) / QUICK.covariance_half_life_seconds)
        mid = 0.5 ** ((first.seconds - base["seconds"][1]) / QUICK.covariance_half_life_seconds)
        learnt_first = first.sums[name] - mid * base[name]
        fresh = FleetDetector(3, floors=0.1, settings=QUICK)
        fresh.cohort("c").restore(base)
        rows = np.arange(6, 12)
        fresh.baselines.grow(12)
        fresh.baselines.write(rows, alone.baselines.read(rows))
        watch(fresh, values[30:, rows], start=MONDAY + 100 * 60, rows=rows)
        learnt_second = fresh.cohort("c").sums[name] - whole * base[name]
        expected = whole * base[name] + keep * learnt_first + learnt_second
        assert np.allclose(merged[name], expected, rtol=1e-9, atol=1e-6), name
    assert second.stream_pools[0].weight == pytest.approx(
        12 * 90, rel=0.01
    )  # 10 reports of warm-up
    assert merged["n_devices"] == 12


def test_two_workers_that_learnt_apart_forget_once():
    """Merging with an idle worker's stale sums neither loses weight nor skews covariances."""
    random = np.random.default_rng(6)
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    watch(detector, random.normal(size=(200, 10, 2)))
    cohort = detector.cohort("c")
    base = cohort.export()
    idle = CohortModel(2, QUICK)
    idle.restore(base)
    later = MONDAY + 3 * DAY_SECONDS
    cohort.decay_to(later)
    expected = cohort.export()
    idle.decay_to(later)
    idle.merge(cohort.export(), base)
    merged = idle.export()
    for name in ("moments", "pair_weight", "season", "season_weight", "spread", "pool_0"):
        assert np.allclose(merged[name], expected[name], rtol=1e-9, atol=1e-9), name
    assert merged["seconds"].tolist() == expected["seconds"].tolist()


def test_a_worker_that_knew_nothing_adds_all_that_it_learnt():
    random = np.random.default_rng(7)
    one, other = (FleetDetector(2, floors=0.1, settings=QUICK) for _ in range(2))
    watch(one, random.normal(size=(60, 8, 2)))
    watch(other, random.normal(size=(60, 8, 2)))
    mine, theirs = one.cohort("c"), other.cohort("c").export()
    weight = mine.sums["pair_weight"] + theirs["pair_weight"]
    mine.merge(theirs, {})
    assert np.allclose(mine.sums["pair_weight"], weight)
    assert mine.n_devices == 16


def test_a_settled_cohort_learns_only_from_what_is_ordinary():
    random = np.random.default_rng(8)
    young = FleetDetector(3, floors=0.1, settings=QUICK)
    old = FleetDetector(
        3, floors=0.1, settings=DetectorSettings(warm_up_reports=10, learning_seconds=3600.0)
    )
    past = random.normal(size=(150, 60, 3))
    strange = random.normal(size=(30, 60, 3))
    strange[:, 0, 0] += 15.0 * np.where(np.arange(30) % 2, 1, -1)
    growth = []
    for detector in (young, old):
        watch(detector, past)
        before = detector.cohort("c").sums["moments"][0, 0, 0]
        found = watch(detector, strange, start=MONDAY + 150 * 60)
        growth.append(detector.cohort("c").sums["moments"][0, 0, 0] - before)
        assert np.mean([each.p_value[0] < 0.05 for each in found]) > (
            0.99 if detector is old else 0.5
        )
    assert old.cohort("c").is_settled
    assert not young.cohort("c").is_settled
    assert growth[1] < 59 * 30
    assert growth[0] > growth[1] + 500, "what is far out of the ordinary teaches a young one"
    assert old.cohort("c").sums["pair_weight"][0, 0] > 0.9 * 60 * 170, "the others go on teaching"


def test_an_old_report_is_not_a_time_of_learning():
    cohort = CohortModel(2, DetectorSettings())
    cohort.decay_to(MONDAY - 80 * DAY_SECONDS)  # from the queue of an agent that was offline
    cohort.decay_to(MONDAY)
    assert not cohort.is_settled
    for day in range(28):
        cohort.decay_to(MONDAY + day * DAY_SECONDS / 2)
    assert not cohort.is_settled
    cohort.decay_to(MONDAY + 14 * DAY_SECONDS)
    assert cohort.is_settled


def test_a_clock_that_runs_back_changes_nothing(taught):
    cohort = taught.cohort("c")
    before = cohort.export()
    cohort.decay_to(cohort.seconds - 5 * DAY_SECONDS)
    after = cohort.export()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_precision_is_positive_although_pairs_are_counted_apart():
    cohort = CohortModel(3, QUICK)
    cohort.sums["pair_weight"][:] = 1000.0
    for stream in range(3):  # impossible together: a ~ b ~ c, but a ~ -c
        cohort.sums["moments"][stream] = 1000.0 * np.array([[1, 0.9, -0.9], [0.9, 1, 0.9],
                                                            [-0.9, 0.9, 1]])  # fmt: skip
    values = np.linalg.eigvalsh(cohort.precision().astype(np.float64))
    assert np.all(values > 0)


@pytest.mark.parametrize("damage", ["missing", "shape", "not finite"])
def test_damaged_sums_are_refused_and_change_nothing(taught, damage):
    cohort = taught.cohort("c")
    before, bad = cohort.export(), cohort.export()
    if damage == "missing":
        del bad["moments"]
    elif damage == "shape":
        bad["moments"] = np.zeros((3, 2, 2))
    else:
        bad["season"][3, 1] = np.inf
    for change in (cohort.restore, lambda sums: cohort.merge(sums, before)):
        with pytest.raises(StateFormatError):
            change(bad)
        after = cohort.export()
        assert all(np.array_equal(before[name], after[name]) for name in before)
