# SPDX-License-Identifier: Apache-2.0
"""The stability index is judged by its sample sizes."""

import numpy as np
import pytest

from models.population_stability import bin_sample, compare_samples, population_stability_index


@pytest.mark.parametrize("n_reference", [20, 200])
@pytest.mark.parametrize("n_current", [20, 60])
def test_small_samples_without_drift_seldom_look_drifted(n_reference, n_current):
    random = np.random.default_rng([1, n_reference, n_current])
    p_values, indices = [], []
    for _ in range(1500):
        reference = bin_sample(random.gamma(2.0, size=n_reference))
        found = compare_samples(reference, random.gamma(2.0, size=n_current))
        p_values.append(found.p_value)
        indices.append(found.index)
    assert np.mean(np.array(p_values) < 0.05) < 0.075
    assert np.mean(np.array(p_values) < 0.001) < 0.005
    if n_reference == n_current == 20:  # where the rule of thumb cries wolf
        assert np.mean(np.array(indices) > 0.25) > 0.05


def test_a_shift_of_many_devices_is_sure_and_one_of_few_is_not():
    random = np.random.default_rng(2)
    reference = bin_sample(random.normal(size=2000))
    shifted = compare_samples(reference, random.normal(0.5, 1.0, size=2000))
    assert shifted.p_value < 1e-12
    assert shifted.index == pytest.approx(0.25, abs=0.1)  # Jeffreys' divergence: shift squared
    same = compare_samples(reference, random.normal(size=2000))
    assert same.p_value > 0.001
    assert same.index < 0.02


def test_repeated_values_and_too_few_have_their_say():
    zeros = bin_sample(np.array([0.0] * 95 + [1.0] * 5))
    assert compare_samples(zeros, np.array([0.0] * 95 + [1.0] * 5)).index < 0.01
    assert compare_samples(zeros, np.array([1.0] * 60 + [0.0] * 40)).p_value < 1e-9
    assert compare_samples(zeros, np.array([1.0])).p_value == 1.0
    constant = bin_sample(np.full(30, 7.0))
    assert compare_samples(constant, np.full(30, 7.0)).index == pytest.approx(0.0, abs=0.01)
    with pytest.raises(ValueError, match="values"):
        bin_sample(np.array([np.nan]))


def test_the_index_alone():
    random = np.random.default_rng(3)
    reference = random.normal(size=5000)
    assert population_stability_index(reference, random.normal(size=5000)) < 0.02
    assert population_stability_index(reference, random.normal(1.5, 1, 5000)) > 0.25
    assert population_stability_index(reference, []) == 0.0
