# SPDX-License-Identifier: Apache-2.0
"""The arrays of the fleet detector: baselines that neither freeze nor explode, scores that hold."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.baseline_update import compare_reports, learn_variances
from models.cohort_update import add_reports
from models.detector_settings import DAY_SECONDS, DetectorSettings
from models.distance import share_out
from models.fleet_detector import FleetDetector, compile_loops

MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
QUICK = DetectorSettings(warm_up_reports=20, season_prior_reports=1e9)


def watch(detector, values, *, first=0, rows=None, cohorts=None):
    """Feed steps of shape (n_steps, n_devices, n_metrics), a minute apart; return the scores."""
    rows = np.arange(values.shape[1]) if rows is None else np.asarray(rows)
    names = cohorts or ["c"] * len(rows)
    return [
        detector.observe(rows, names, np.full(len(rows), MONDAY + 60.0 * (first + step)), batch)
        for step, batch in enumerate(values.astype(np.float32))
    ]


def ordinary(random, n_steps, n_devices, n_metrics=3):
    return random.normal(size=(n_steps, n_devices, n_metrics)) + 50.0


def state_of(detector, row=0):
    return {name: array[0] for name, array in detector.baselines.read(np.array([row])).items()}


@pytest.fixture
def random():
    return np.random.default_rng(1)


@pytest.fixture
def taught(random):
    """Ten devices of a cohort, well known."""
    detector = FleetDetector(3, floors=0.1, settings=QUICK)
    watch(detector, ordinary(random, 300, 10))
    return detector


# Baselines


def test_a_quiet_series_neither_freezes_nor_explodes(random):
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    values = ordinary(random, 2600, 10, 2)
    values[:500, :, 0] = 5.0
    values[500:, :, 0] -= 45.0
    watch(detector, values[:499])
    assert np.all(state_of(detector)["variance"][:, 0] < 1e-6)
    small = values[499:500].copy()
    small[0, :, 0] = 5.05
    (below_floor,) = watch(detector, small, first=499)
    assert below_floor.contributions[:, 0].min() < 0.1
    assert np.median(below_floor.p_value) > 0.05, "less than the floor is nothing"
    great = values[499:500].copy()
    great[0, 0, 0] = 9.0
    assert watch(detector, great, first=500)[0].p_value[0] < 0.01
    lively = watch(detector, values[501:], first=501)
    assert 0.5 < state_of(detector)["variance"][0, 0] < 2.0, "the scale has followed"
    late = np.concatenate([each.p_value for each in lively[-500:]])
    assert np.mean(late < 0.01) < 0.02


def test_one_outlier_teaches_little(taught, random):
    before = state_of(taught)
    wild = ordinary(random, 1, 10)
    wild[0, 0, 1] = 1e15
    assert watch(taught, wild, first=300)[0].p_value[0] < 1e-3
    after = state_of(taught)
    assert abs(after["slow"][1] - before["slow"][1]) < 0.1
    assert after["variance"][0, 1] < 1.5 * before["variance"][0, 1]
    calm = watch(taught, ordinary(random, 60, 10), first=301)
    assert np.mean([each.p_value[0] for each in calm[40:]]) > 0.2, "its mean has come back"


def test_a_metric_that_appears_later_is_learnt_from_then_on(random):
    detector = FleetDetector(3, floors=0.1, settings=QUICK)
    values = ordinary(random, 300, 4)
    values[:150, :, 2] = np.nan
    found = watch(detector, values)
    assert all(np.isnan(each.expected[:, 2]).all() for each in found[:170])
    assert all((each.contributions[:, 2] == 0).all() for each in found[:170])
    assert all((each.p_value > 1e-3).all() for each in found[150:180])
    assert found[-1].expected[:, 2] == pytest.approx(50.0, abs=1.0)
    odd = ordinary(random, 1, 4)
    odd[0, 1, 2] = 70.0
    (scores,) = watch(detector, odd, first=300)
    assert scores.p_value[1] < 1e-3
    assert scores.contributions[1].argmax() == 2


def test_a_metric_that_is_gone_keeps_its_level(taught, random):
    level = state_of(taught)["slow"][1]
    values = ordinary(random, 50, 10)
    values[:, :, 1] = np.nan
    found = watch(taught, values, first=300)
    assert state_of(taught)["slow"][1] == level
    assert np.mean([each.p_value < 0.01 for each in found]) < 0.03
    back = watch(taught, ordinary(random, 20, 10), first=350)
    assert np.mean([each.p_value < 0.01 for each in back]) < 0.03


def test_a_new_device_of_a_known_cohort_is_judged_at_once(random):
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    own = random.normal(size=(1, 5, 2)) * 2.0
    watch(detector, ordinary(random, 200, 5, 2) + own)
    new = np.array([[[51.0, 48.0], [95.0, 50.0]]])  # one like the others, one not at all
    (scores,) = watch(detector, new, first=200, rows=[5, 6])
    assert scores.p_value[0] > 0.05
    assert scores.p_value[1] < 1e-3
    assert scores.contributions[1].argmax() == 0
    assert scores.expected[1] == pytest.approx(50.0, abs=4.0)
    stranger = watch(detector, new, first=201, rows=[7, 8], cohorts=["d", "d"])[0]
    assert np.all(stranger.p_value == 1), "of a cohort that nothing is known of"
    assert np.isnan(stranger.expected).all()


def test_four_devices_are_no_cohort_yet(random):
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    watch(detector, ordinary(random, 200, 4, 2))
    (scores,) = watch(detector, np.full((1, 1, 2), 95.0), first=200, rows=[4])
    assert scores.p_value[0] == 1


def test_a_level_of_its_own_becomes_the_devices(random):
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    watch(detector, ordinary(random, 200, 8, 2) + 3.0 * random.normal(size=(1, 8, 2)))
    found = watch(detector, ordinary(random, 300, 1, 2) + 6.0, first=200, rows=[8])
    assert state_of(detector, 8)["slow"] == pytest.approx(56.0, abs=0.5)
    assert np.mean([each.p_value[0] < 0.01 for each in found[100:]]) < 0.05


@pytest.mark.parametrize("size", [1e12, 1e15, -1e15])
def test_great_values_are_survived(size, random):
    detector = FleetDetector(2, floors=0.1, settings=QUICK)
    values = np.column_stack([random.normal(size, abs(size) / 1e3, 1000), random.normal(size=1000)])
    found = watch(detector, values.reshape(100, 10, 2))
    assert all(np.isfinite(each.score).all() for each in found)
    assert np.mean([each.p_value < 0.01 for each in found[60:]]) < 0.05
    sums = detector.cohort("c").export()
    assert all(np.isfinite(array).all() for array in sums.values())
    step = values[:10].reshape(1, 10, 2)
    step[0, 0, 0] = size * 1.5
    assert watch(detector, step, first=100)[0].p_value[0] < 1e-3


@settings(max_examples=40, deadline=None)
@given(
    cells=st.lists(
        st.floats(-1e15, 1e15) | st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 5.0]),
        min_size=24,
        max_size=24,
    )
)
def test_any_values_leave_finite_sums(cells):
    detector = FleetDetector(2, floors=0.1, settings=DetectorSettings(warm_up_reports=1))
    for scores in watch(detector, np.array(cells).reshape(4, 3, 2)):
        assert np.isfinite(scores.score).all()
        assert ((scores.p_value > 0) & (scores.p_value <= 1)).all()
        assert np.isfinite(scores.contributions).all()
        assert np.isfinite(scores.novelty).all()
    for sums in (detector.cohort("c").export(), detector.baselines.read(np.arange(3))):
        assert all(np.isfinite(array).all() for array in sums.values())


def test_nothing_reported_is_nothing_unusual(taught):
    values = np.full((1, 10, 3), np.nan)
    values[0, 1] = np.inf
    (scores,) = watch(taught, values, first=300)
    assert np.all(scores.p_value == 1)
    assert np.all(scores.novelty == 0)
    assert np.all(scores.contributions == 0)


# Novelty


def test_a_repeated_peak_is_as_new_as_the_last_one(taught, random):
    heights = []
    for turn, height in enumerate((12.0, 12.0, 24.0)):
        values = np.full((1, 10, 3), 50.0)
        values[0, 0, 0] += height
        (scores,) = watch(taught, values, first=300 + 200 * turn)
        heights.append(scores.novelty[0])
        watch(taught, ordinary(random, 199, 10), first=301 + 200 * turn)
    assert heights[0] > 2
    assert heights[1] == pytest.approx(1.0, abs=0.15)
    assert heights[2] == pytest.approx(2.0, abs=0.4)


def test_a_spread_that_shrinks_makes_old_heights_no_news(random):
    quick = DetectorSettings(warm_up_reports=20, scale_reports=200.0, season_prior_reports=1e9)
    detector = FleetDetector(1, floors=0.1, settings=quick)
    watch(detector, 50.0 + 5.0 * random.normal(size=(400, 8, 1)))
    found = watch(detector, 50.0 + 0.5 * random.normal(size=(1500, 8, 1)), first=400)
    assert np.sqrt(state_of(detector)["variance"][0, 0]) < 1.0, "the scale has followed"
    assert max(each.novelty.max() for each in found[20:]) < 1.0
    peak = np.full((1, 8, 1), 50.0)
    peak[0, 0] = 62.0  # as high as it once was, in units; of scales far more
    (scores,) = watch(detector, peak, first=1900)
    assert scores.novelty[0] < 1.3


# Scores of batches


def test_the_order_of_a_batch_does_not_matter(random):
    values = ordinary(random, 120, 30)
    values[116:, 4, 1] += 12.0
    cohorts = [f"cohort {n % 3}" for n in range(30)]
    straight = FleetDetector(3, floors=0.1, settings=QUICK)
    shuffled = FleetDetector(3, floors=0.1, settings=QUICK)
    found = watch(straight, values, cohorts=cohorts)
    for step in range(120):
        order = random.permutation(30)
        scores = shuffled.observe(
            order,
            [cohorts[row] for row in order],
            np.full(30, MONDAY + 60.0 * step),
            values[step, order].astype(np.float32),
        )
        assert np.allclose(scores.score, found[step].score[order], rtol=1e-3, atol=1e-4)
        assert np.allclose(scores.p_value, found[step].p_value[order], rtol=0.1)
    assert found[-1].p_value[4] < 0.02


def test_devices_of_different_cohorts_are_judged_alone_as_in_a_batch(random):
    values = ordinary(random, 150, 6)
    values[120:, 2, 0] += 6.0
    cohorts = [f"cohort {n}" for n in range(6)]
    together = FleetDetector(3, floors=0.1, settings=QUICK)
    alone = FleetDetector(3, floors=0.1, settings=QUICK)
    for step, scores in enumerate(watch(together, values, cohorts=cohorts)):
        for row in range(6):
            single = watch(
                alone,
                values[step : step + 1, row : row + 1],
                first=step,
                rows=[row],
                cohorts=[cohorts[row]],
            )[0]
            assert single.score[0] == pytest.approx(scores.score[row], rel=1e-4, abs=1e-5)
            assert single.novelty[0] == pytest.approx(scores.novelty[row], rel=1e-4, abs=1e-5)
    for name, array in together.baselines.read(np.arange(6)).items():
        assert np.allclose(array, alone.baselines.read(np.arange(6))[name], rtol=1e-4, atol=1e-5)


def test_what_cannot_harm_adds_nothing(random):
    detector = FleetDetector(3, floors=0.1, sides=[1, -1, 0], settings=QUICK)
    watch(detector, ordinary(random, 300, 10))
    values = np.full((1, 10, 3), 50.0)
    values[0, 0, 0], values[0, 1, 0] = 30.0, 70.0  # low is good, high is bad
    values[0, 2, 1], values[0, 3, 1] = 70.0, 30.0  # the other way round
    values[0, 4, 2], values[0, 5, 2] = 70.0, 30.0  # both are bad
    (scores,) = watch(detector, values, first=300)
    quiet, loud = [0, 2, 6, 7, 8, 9], [1, 3, 4, 5]
    assert np.all(scores.p_value[loud] < 1e-3)
    assert np.all(scores.p_value[quiet] > 0.02)
    assert scores.novelty[loud].min() > 2
    assert scores.novelty[quiet].max() < 1.3
    assert scores.contributions[0, 0] == scores.contributions[2, 1] == 0


def test_contributions_name_what_has_moved(random):
    detector = FleetDetector(12, floors=0.1, settings=QUICK)
    values = ordinary(random, 300, 12, 12)
    watch(detector, values)
    step = ordinary(random, 1, 12, 12)
    step[0] += 9.0 * np.eye(12)
    (scores,) = watch(detector, step, first=300)
    assert np.array_equal(scores.contributions.argmax(axis=1), np.arange(12))
    assert scores.contributions.max(axis=1).min() > 0.5
    assert scores.contributions.sum(axis=1) == pytest.approx(1.0, abs=1e-4)
    assert scores.expected == pytest.approx(np.full((12, 12), 50.0), abs=1.0)


def test_p_values_of_a_healthy_fleet_are_uniform():
    random = np.random.default_rng(7)
    detector = FleetDetector(6, floors=0.1, settings=DetectorSettings())
    scale = np.exp(random.normal(size=(40, 6)))
    levels = 10 * random.normal(size=(40, 6))
    values = levels + scale * random.standard_t(5, size=(900, 40, 6))
    found = watch(detector, values)
    p_values = np.concatenate([each.p_value for each in found[300:]])
    for level, most in ((0.1, 1.25), (0.01, 1.5), (0.001, 2.5)):
        share = np.mean(p_values <= level)
        assert 0.4 * level < share < most * level, (level, share)


# Clocks


def test_a_clock_that_runs_back_harms_nobody(taught, random):
    before = taught.cohort("c").seconds
    values = ordinary(random, 1, 10)
    seconds = np.full(10, before + 60.0)
    seconds[3] = before - 30 * DAY_SECONDS
    seconds[4] = 0.0
    scores = taught.observe(np.arange(10), ["c"] * 10, seconds, values[0].astype(np.float32))
    assert np.isfinite(scores.score).all()
    assert taught.cohort("c").seconds == before + 60.0
    alone = taught.observe(
        np.array([3]), ["c"], np.array([before - 3600.0]), values[0, 3:4].astype(np.float32)
    )
    assert alone.p_value[0] > 1e-3
    assert taught.cohort("c").seconds == before + 60.0


def test_after_a_silence_means_begin_at_the_level(taught):
    away = np.full((20, 10, 3), 50.0)
    away[:, 0, 0] = 58.0
    watch(taught, away, first=300)
    moved = state_of(taught)
    assert moved["fast"][0] > 55
    taught.baselines.resume(np.array([0]))
    resumed = state_of(taught)
    assert np.array_equal(resumed["fast"], resumed["slow"])
    assert np.array_equal(resumed["medium"], resumed["slow"])
    assert np.array_equal(resumed["variance"], moved["variance"])


def test_rows_come_into_being_without_copying_all_others_each_time():
    detector = FleetDetector(2, floors=0.1)
    copies = 0
    before = -1
    for row in range(3_000):
        detector.baselines.grow(row + 1)
        now = id(detector.baselines._arrays["slow"])
        copies, before = copies + (now != before), now
    assert copies < 100
    n_rows = len(detector.baselines._arrays["slow"])
    assert 3_000 <= n_rows <= 3_000 * 9 / 8


def test_a_device_takes_little_memory():
    detector = FleetDetector(44, floors=0.1)
    detector.baselines.grow(1_000)
    arrays = detector.baselines.read(np.arange(1_000))
    assert sum(array.nbytes for array in arrays.values()) / 1_000 <= 1_500
    assert detector.baselines.bytes_per_device <= 1_500


@pytest.mark.parametrize("row", [-1, 10_000_000])
def test_rows_that_do_not_exist_are_refused(taught, row):
    before = state_of(taught)
    cohort = taught.cohort("c")
    with pytest.raises(IndexError):
        taught.baselines.compare(np.array([0, row]), np.zeros((2, 3), np.float32), cohort.priors())
    assert all(np.array_equal(before[name], array) for name, array in state_of(taught).items())


def test_loops_are_compiled_once(taught, random):
    loops = (compare_reports, learn_variances, add_reports, share_out)
    compile_loops()
    compiled = [len(loop.signatures) for loop in loops]
    values = ordinary(random, 1, 10)
    values[0, :, 1] = np.nan
    watch(taught, values[:, ::2], first=300, rows=np.arange(10)[::2])
    assert compiled == [1] * len(loops) == [len(loop.signatures) for loop in loops]
