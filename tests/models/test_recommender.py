# SPDX-License-Identifier: Apache-2.0
"""Ranking prefers what fits and what worked, and says how sure it is and of what."""

import dataclasses
import time

import numpy as np
import pytest
from scipy.special import expit

from models.calibration import expected_calibration_error
from models.errors import ModelArtifactError
from models.online_correction import Correction
from models.recommender import (
    NEUTRAL,
    SIGNAL_NAMES,
    Event,
    Recommender,
    ScriptCandidate,
    compute_signals,
    signal_matrix,
)
from models.recommender_training import train_recommender
from models.simulated_outcomes import simulate_outcomes
from models.track_record import APPROVAL_PRIOR, SUCCESS_PRIOR, Belief, Tally

FITTING = ScriptCandidate(
    script_id="a-fit",
    version="1.0.0",
    retrieval_score=0.7,
    retrieval_support=0.4,
    failure_class_match=True,
    platform_match=True,
    preconditions_met=True,
)


def tally(n_good, n_bad, **nearness):
    near = dict.fromkeys(("same_version", "same_class", "same_cohort"), True) | nearness
    return Tally(n_good=n_good, n_bad=n_bad, **near)


@pytest.fixture(scope="module")
def model():
    return train_recommender(1, [], lambda _: None).model


@pytest.fixture(scope="module")
def recommender(model):
    return Recommender(model)


def judge(recommender, signals):
    return np.prod([recommender.predict(signals, event) for event in Event], axis=0)


def test_calibrated_on_the_prior(recommender):
    cases = simulate_outcomes(seed=(9, 9), n_outcomes=10_000)
    for event in Event:
        signals, happened = cases.observe(event)
        assert expected_calibration_error(recommender.predict(signals, event), happened) < 0.03
    both = cases.approved * cases.worked
    assert expected_calibration_error(judge(recommender, cases.signals), both) < 0.03


def draw_other_truth(random):
    """A world that is not the prior's: probit-like steps, a lenient board, no common causes."""
    quality, leniency = random.uniform(0.3, 0.99), random.uniform(0.5, 1.0)
    n_past, n_decided = int(random.integers(0, 25)), int(random.integers(0, 25))
    n_worked = int(random.binomial(n_past, quality))
    n_approved = int(random.binomial(n_decided, leniency))
    candidate = dataclasses.replace(
        FITTING,
        retrieval_score=float(random.uniform(0.2, 0.9)),
        retrieval_support=float(random.choice([0.125, 0.25, 0.5, 0.75])),
        failure_class_match=bool(random.random() < 0.8),
        preconditions_met=bool(random.random() < 0.85),
        success=SUCCESS_PRIOR.update([tally(n_worked, n_past - n_worked)]),
        approval=APPROVAL_PRIOR.update([tally(n_approved, n_decided - n_approved)]),
        safety=float(random.uniform(0.3, 0.8)),
    )
    signals = compute_signals(candidate, float(random.uniform(0.3, 1.0)))
    good = signals["class_match_weighted"] > 0.45 and candidate.preconditions_met
    works = quality * (0.95 if good and candidate.retrieval_score > 0.35 else 0.35)
    return signals, leniency * (0.95 if good else 0.6), works


def draw_world(seed, n_cases):
    random = np.random.default_rng(seed)
    drawn = [draw_other_truth(random) for _ in range(n_cases)]
    approved = random.random(n_cases) < [one[1] for one in drawn]
    worked = approved & (random.random(n_cases) < [one[2] for one in drawn])
    return [one[0] for one in drawn], approved, worked


def test_experience_calibrates_it_to_a_truth_of_another_form(recommender, make_examples):
    signals, approved, worked = draw_world(5, 3000)
    learnt = train_recommender(1, make_examples(*draw_world(4, 2000)), lambda _: None)
    after = Recommender(learnt.model)
    matrix, both = signal_matrix(signals), (approved & worked).astype(float)
    errors = [expected_calibration_error(judge(one, matrix), both) for one in (recommender, after)]
    assert errors[1] < 0.04
    assert errors[1] < 0.7 * errors[0]
    assert learnt.metrics["judged_on_real"] == 1.0
    assert learnt.metrics["calibration_error"] < 0.06  # as it says of itself, on 900 cases


@pytest.mark.parametrize(
    "change",
    [
        {"retrieval_score": 0.2},
        {"retrieval_support": 0.1},
        {"failure_class_match": False},
        {"preconditions_met": False},
        {"success": SUCCESS_PRIOR.update([tally(0, 10)])},
        {"approval": APPROVAL_PRIOR.update([tally(0, 10)])},
        {"class_success": Belief(good=4, bad=20)},
        {"safety": 0.2},
    ],
)
def test_every_drawback_lowers_the_rank(recommender, change):
    worse = dataclasses.replace(FITTING, script_id="0-worse", **change)
    ranked = recommender.rank([worse, FITTING], 0.9)
    assert [each.script_id for each in ranked] == ["a-fit", "0-worse"]


def test_a_fitting_script_without_history_passes_the_threshold_and_a_misfit_does_not(recommender):
    assert recommender.rank([FITTING], 0.9)[0].probability > 0.6
    misfit = dataclasses.replace(FITTING, failure_class_match=False)
    assert recommender.rank([misfit], 0.9)[0].probability < 0.5


def test_other_platforms_are_never_ranked(recommender):
    other = dataclasses.replace(FITTING, platform_match=False)
    assert recommender.rank([other], 1.0) == []
    assert recommender.rank([], 1.0) == []


def test_the_probability_is_the_product_of_its_parts_within_its_interval(recommender):
    (ranked,) = recommender.rank([FITTING], 0.9, levels={"a-fit": (0.2, 0.9)})
    assert ranked.probability == pytest.approx(np.prod(list(ranked.parts.values())))
    assert set(ranked.parts) == {"approved", "works"}
    assert ranked.low < ranked.probability < ranked.high
    assert ranked.low < ranked.draw < ranked.high
    proven = dataclasses.replace(FITTING, success=Belief(good=400, bad=100))
    narrow = recommender.rank([proven], 0.9)[0]
    assert narrow.high - narrow.low < ranked.high - ranked.low
    assert narrow.draw is None


def test_experience_convinces_the_more_the_nearer_it_is(recommender):
    def after(**nearness):
        record = SUCCESS_PRIOR.update([tally(50, 0, **nearness)])
        return recommender.rank([dataclasses.replace(FITTING, success=record)], 0.9)[0]

    near, far = after(), after(same_version=False, same_class=False)
    nothing = recommender.rank([FITTING], 0.9)[0]
    assert near.signals["success_rate"] == pytest.approx(54 / 55)
    assert near.parts["works"] > far.parts["works"] > nothing.parts["works"]


def test_what_was_learnt_online_moves_the_log_odds_and_is_told(recommender):
    correction = Correction(weights={"works": {"retrieval": -1.0, "always": 0.2}})
    plain = recommender.rank([FITTING], 0.9)[0]
    moved = Recommender(recommender._model, correction).rank([FITTING], 0.9)[0]
    assert moved.corrections == pytest.approx({"approved": 0.0, "works": -0.5})
    assert moved.parts["approved"] == plain.parts["approved"]
    before = np.log(plain.parts["works"] / (1 - plain.parts["works"]))
    assert moved.parts["works"] == pytest.approx(expit(before - 0.5))


def test_signals_of_before_are_read_with_neutral_values_for_those_that_came_later():
    old = dict.fromkeys(set(SIGNAL_NAMES) - set(NEUTRAL), 0.5)
    row = signal_matrix([old])[0]
    assert dict(zip(SIGNAL_NAMES, row, strict=True)) == {**old, **NEUTRAL}


def test_a_model_of_other_signals_is_refused_with_what_to_do(model):
    other = type(model)().fit(np.eye(7), [0, 1, 0, 1, 0, 1, 0])
    with pytest.raises(ModelArtifactError, match="eucora train recommender"):
        Recommender(other)


def test_fifty_candidates_are_ranked_in_five_milliseconds(recommender):
    candidates = [dataclasses.replace(FITTING, script_id=f"s{n}") for n in range(50)]
    levels = {one.script_id: (0.3, 0.7) for one in candidates}
    durations = []
    for _ in range(20):
        start = time.process_time()
        recommender.rank(candidates, 0.9, levels=levels)
        durations.append(time.process_time() - start)
    assert min(durations) < 0.005
