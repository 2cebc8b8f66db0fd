# SPDX-License-Identifier: Apache-2.0
"""Ranking prefers what fits and what worked, and says how sure it is."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from models.calibration import expected_calibration_error
from models.recommender import Recommender, ScriptCandidate
from models.simulated_outcomes import simulate_outcomes

FITTING = ScriptCandidate(
    script_id="a-fit",
    version="1.0.0",
    retrieval_score=0.7,
    failure_class_match=True,
    platform_match=True,
    preconditions_met=True,
)


@pytest.fixture(scope="module")
def model():
    signals, successes = simulate_outcomes(seed=1, n_outcomes=4000)
    return LogisticRegression(C=10.0, max_iter=300).fit(signals, successes.astype(int))


def test_calibrated(model):
    signals, successes = simulate_outcomes(seed=2, n_outcomes=4000)
    probabilities = model.predict_proba(signals)[:, 1]
    assert expected_calibration_error(probabilities, successes) < 0.04


@pytest.mark.parametrize(
    "change",
    [
        {"retrieval_score": 0.2},
        {"failure_class_match": False},
        {"preconditions_met": False},
        {"n_failed": 10},
        {"n_rejected": 10},
    ],
)
def test_every_drawback_lowers_the_rank(model, change):
    worse = dataclasses.replace(FITTING, script_id="0-worse", **change)
    ranked = Recommender(model).rank([worse, FITTING], 0.9)
    assert [each.script_id for each in ranked] == ["a-fit", "0-worse"]


def test_a_fitting_script_without_history_passes_the_threshold_and_a_misfit_does_not(model):
    recommender = Recommender(model)
    assert recommender.rank([FITTING], 0.9)[0].probability > 0.6
    misfit = dataclasses.replace(FITTING, failure_class_match=False)
    assert recommender.rank([misfit], 0.9)[0].probability < 0.5


def test_other_platforms_are_never_ranked(model):
    other = dataclasses.replace(FITTING, platform_match=False, n_succeeded=100)
    assert Recommender(model).rank([other], 1.0) == []
    assert Recommender(model).rank([], 1.0) == []


def test_experience_convinces(model):
    proven = dataclasses.replace(FITTING, script_id="proven", n_succeeded=50, n_approved=50)
    ranked = Recommender(model).rank([FITTING, proven], 0.9)
    assert ranked[0].script_id == "proven"
    assert np.isclose(ranked[0].signals["success_rate"], 54 / 55)
