# SPDX-License-Identifier: Apache-2.0
"""p-values of a rolling pool are uniform, honest in the tail, and never drop what was seen."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.score_pool import (
    HIGHEST_SCORE,
    LEAST_WEIGHT,
    N_BINS,
    ROLLING_WEIGHT,
    ScorePool,
)

BIN = HIGHEST_SCORE / N_BINS


def fill(scores, batch=500, limit=0.0):
    pool = ScorePool()
    for first in range(0, len(scores), batch):
        pool.add(scores[first : first + batch], limit)
    return pool


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mean", [0.3, 0.6])
def test_p_values_of_exponential_scores_are_uniform(seed, mean):
    random = np.random.default_rng(seed)
    pool = fill(random.exponential(mean, 50_000))
    n = 200_000
    p_values = pool.p_values(random.exponential(mean, n))
    for level in (0.5, 0.1, 0.01, 0.001):
        below = int((p_values <= level).sum())
        # a bin is wide: p-values are a little too great, never too small
        least = binom.ppf(1e-4, n, level * np.exp(-1.5 * BIN / mean) * 0.9)
        assert least <= below <= binom.ppf(1 - 1e-4, n, level * 1.12), (level, below / n)


def test_the_tail_goes_on_beyond_what_was_seen():
    random = np.random.default_rng(1)
    pool = fill(random.exponential(0.5, 20_000))
    scores = np.array([5.0, 6.0, 7.0])
    assert np.all(scores > pool.quantile(1e-4))
    expected = np.exp(-scores / 0.5)
    assert np.all(np.abs(np.log(pool.p_values(scores) / expected)) < 0.25 * -np.log(expected))


def test_what_was_seen_is_no_rarer_than_seen():
    random = np.random.default_rng(2)
    scores = np.concatenate([random.exponential(0.1, 9_900), np.full(100, 9.0)])
    random.shuffle(scores)
    pool = fill(scores)
    assert pool.p_values(np.array([9.0]))[0] >= 0.0099
    assert pool.p_values(np.array([8.0]))[0] >= 0.0099, "a rarer score below a frequent one"


@settings(max_examples=50, deadline=None)
@given(
    scores=st.lists(st.floats(0, 30, allow_nan=False), min_size=400, max_size=500),
    asked=st.lists(st.floats(0, 40, allow_nan=False), min_size=2, max_size=20),
)
def test_p_values_fall_with_the_score_and_stay_probabilities(scores, asked):
    pool = fill(np.array(scores))
    pool.refit()
    p_values = pool.p_values(np.sort(np.array(asked)))
    assert np.all((p_values > 0) & (p_values <= 1 + 1e-12))
    assert np.all(np.diff(p_values) <= 1e-12)


def test_a_young_pool_calls_nothing_rare():
    pool = fill(np.full(int(LEAST_WEIGHT) - 1, 0.1))
    assert not pool.is_ready
    assert np.all(pool.p_values(np.array([0.0, 12.0, 50.0])) == 1)
    assert pool.quantile(0.01) == HIGHEST_SCORE
    pool.add(np.array([0.1, 0.1]))
    pool.refit()
    assert pool.p_values(np.array([12.0]))[0] < 0.01


def test_quantile_inverts_p_values():
    random = np.random.default_rng(3)
    pool = fill(random.exponential(0.5, 50_000))
    for p_value in (0.3, 0.05, 0.01, 1e-3, 1e-5):
        quantile = pool.quantile(p_value)
        assert quantile == pytest.approx(-0.5 * np.log(p_value), rel=0.15, abs=2 * BIN)
        assert pool.p_values(np.array([quantile]))[0] == pytest.approx(p_value, rel=0.1)


def test_decay_forgets_but_keeps_a_rolling_weight():
    pool = fill(np.full(10_000, 0.5))
    pool.decay(0.5)
    assert pool.weight == pytest.approx(5_000)
    pool.decay(1e-9)
    assert pool.weight == pytest.approx(ROLLING_WEIGHT)
    few = fill(np.full(1_000, 0.5))
    few.decay(1e-9)
    assert few.weight == 1_000, "too little of a past is kept, however old"
    few.add(np.full(9_000, 2.0))
    few.decay(0.5)
    assert few.weight == pytest.approx(5_000), "what came meanwhile may be forgotten again"


def test_the_past_is_forgotten():
    pool = fill(np.full(10_000, 5.0))
    for _ in range(40):
        pool.decay(0.5)
        pool.add(np.random.default_rng(4).exponential(0.3, 2_000))
    assert pool.p_values(np.array([5.0]))[0] < 1e-3


def test_what_is_beyond_the_limit_drags_no_tail_along():
    random = np.random.default_rng(5)
    calm = random.exponential(0.3, 20_000)
    faulty = calm.copy()
    faulty[10_000::200] = 9.0  # one in two hundred goes wrong
    bound, free = fill(faulty, limit=1e-3), fill(faulty)
    truth = fill(calm).p_values(np.array([4.0]))[0]
    assert free.p_values(np.array([4.0]))[0] > 1e-3
    assert bound.p_values(np.array([4.0]))[0] < 5e-4
    assert bound.p_values(np.array([4.0]))[0] >= truth


def test_pools_of_workers_add_up():
    scores = np.random.default_rng(6).exponential(0.4, 4_000)
    whole, merged = fill(scores), ScorePool()
    merged.counts = fill(scores[:1_000]).counts + fill(scores[1_000:]).counts
    merged.refit()
    whole.refit()
    asked = np.linspace(0, 12, 50)
    assert np.array_equal(whole.p_values(asked), merged.p_values(asked))
