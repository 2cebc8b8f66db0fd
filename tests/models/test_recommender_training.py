# SPDX-License-Identifier: Apache-2.0
"""Training weighs real experience against a stated prior, in time, and nobody's more than all's."""

from datetime import timedelta

import numpy as np
import pytest

from models.experience import split_in_time
from models.recommender import SIGNAL_NAMES, Event, Recommender, signal_matrix
from models.recommender_training import train_recommender, weigh_witnesses

USUAL = dict.fromkeys(SIGNAL_NAMES, 0.7) | {"class_match": 1.0, "preconditions": 1.0}


def silently(seed, outcomes=()):
    return train_recommender(seed, outcomes, lambda _: None)


def predict(fit, event, **signals):
    return Recommender(fit.model).predict(signal_matrix([USUAL | signals]), event)[0]


def test_without_experience_it_is_judged_on_simulated_cases_that_none_is_trained_on():
    first, second = silently(0), silently(1)
    assert first.metrics["judged_on_real"] == 0.0
    assert first.metrics["calibration_error"] < 0.03
    assert first.metrics["auc"] > 0.78
    assert first.digest_of_data != second.digest_of_data
    assert np.array_equal(first.held_back.inputs, second.held_back.inputs)
    assert list(first.held_back.case_ids) == list(second.held_back.case_ids)
    assert set(first.held_back.labels) == set(first.model.classes_) == {"no", "yes"}
    assert first.held_back.inputs.shape == (
        len(first.held_back.labels),
        first.model.n_features_in_,
    )
    assert silently(0).digest_of_data == first.digest_of_data


def test_real_outcomes_outweigh_the_prior_in_the_end(make_examples):
    n_cases = 800
    never = make_examples([USUAL] * n_cases, [True] * n_cases, [False] * n_cases)
    few = make_examples([USUAL] * 5, [True] * 5, [False] * 5)
    prior, little, much = (predict(silently(0, cases), Event.WORKS) for cases in ((), few, never))
    assert prior > little > 0.5
    assert much < 0.3
    assert predict(silently(0, never), Event.APPROVED) > 0.8


def test_the_latest_quarter_is_held_back_and_the_border_only_moves_on(make_examples):
    cases = make_examples([USUAL] * 300, [True] * 300, [n % 2 == 0 for n in range(300)])
    cases = sorted(cases, key=lambda one: (one.observed_at, one.proposal_id, one.event))
    earlier, later = split_in_time(cases, 0.25)
    assert len(later) == 150
    assert earlier[-1].observed_at <= later[0].observed_at
    for n_cases in range(1, len(cases)):
        assert len(split_in_time(cases[:n_cases], 0.25)[0]) <= len(
            split_in_time(cases[: n_cases + 1], 0.25)[0]
        )
    fit = silently(0, cases)
    assert fit.metrics["n_real_held_back"] == 150
    assert fit.metrics["n_real_decisions"] == fit.metrics["n_real_outcomes"] == 300


def test_a_witness_weighs_no_more_than_all_others_together():
    lonely = weigh_witnesses(["ada"] * 1000)
    assert lonely.sum() == pytest.approx(50)
    many = weigh_witnesses([*["ada"] * 1000, *(f"user:{n % 10}" for n in range(300))])
    assert many[:1000].sum() == pytest.approx(300)
    assert np.all(many[1000:] == 1.0)
    assert np.all(weigh_witnesses(["ada"] * 20 + ["bob"]) == 1.0)


def test_a_signal_that_experience_speaks_against_is_left_out_and_told(make_examples):
    random = np.random.default_rng(0)
    near = random.uniform(0, 1, 3000)
    rows = [USUAL | {"retrieval": float(value)} for value in near]
    cases = make_examples(rows, [True] * 3000, list(random.random(3000) > near))
    fit = silently(0, cases)
    assert "works:retrieval" in fit.params["left_out"].split(",")
    assert predict(fit, Event.WORKS, retrieval=0.1) == predict(fit, Event.WORKS, retrieval=0.9)


def test_examples_are_ordered_by_what_happened_and_not_by_the_proposal(make_examples):
    (first, second) = make_examples([USUAL], [True], [True])
    assert second.observed_at - first.observed_at > timedelta(0)
    assert (first.event, second.event) == (Event.APPROVED, Event.WORKS)
