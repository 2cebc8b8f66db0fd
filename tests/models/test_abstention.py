# SPDX-License-Identifier: Apache-2.0
"""Thresholds keep what they state on cases that had no part in choosing them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from contracts.failure import FailureClass as F
from models.abstention import (
    CONFIDENCE_LEVEL,
    MISS_RATE,
    NEVER,
    attach_abstention,
    bound_accuracy,
    choose_abstention,
    find_proved_threshold,
    find_threshold,
    measure_abstention,
    read_abstention,
)
from models.classification import decide_class
from models.errors import ModelArtifactError, TrainingDataError
from models.model_file import read_model
from models.skops_runtime import dumps

CLASSES = ("dns", "printing", "thermal", "unknown")


def draw(rng, n_cases, overconfidence=1.0):
    """Return probabilities and labels; above 1 the probabilities claim more than is true."""
    scores = rng.normal(size=(n_cases, len(CLASSES))) * 4.0
    truth = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(CLASSES, p=row) for row in truth])
    claimed = np.exp(overconfidence * scores)
    return claimed / claimed.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("overconfidence", [1.0, 2.5])
def test_proved_classes_reach_the_target_on_new_cases(overconfidence):
    """Also where the probabilities lie: a proof uses no more of them than their order."""
    rng = np.random.default_rng(11)
    new, truth = draw(rng, 40_000, overconfidence)
    n_proved = n_missed = 0
    for _ in range(60):
        chosen = choose_abstention(CLASSES, *draw(rng, 1_500, overconfidence), target_accuracy=0.9)
        figures = measure_abstention(chosen, CLASSES, new, truth)
        assert figures["coverage/unknown"] == 0.0
        for name in CLASSES:
            if chosen.proved[name]:
                n_proved += 1
                n_missed += figures[f"reached_accuracy/{name}"] < 0.9
        n_missed += chosen.pooled_proved and figures["pooled_accuracy"] < 0.9
        n_proved += chosen.pooled_proved
    assert n_proved > 150
    assert n_missed <= 1.5 * (1 - CONFIDENCE_LEVEL) * n_proved


def test_the_thresholds_are_not_needlessly_strict():
    rng = np.random.default_rng(3)
    held_out, labels = draw(rng, 20_000)
    chosen = choose_abstention(CLASSES, held_out, labels, target_accuracy=0.9)
    predicted = held_out.argmax(axis=1)
    for column, name in enumerate(CLASSES[:3]):
        rows = predicted == column
        correct = labels[rows] == name
        best = find_threshold(held_out[rows].max(axis=1), correct, 0.9)
        assert best <= chosen.thresholds[name] <= best + 0.06


def test_few_cases_borrow_a_stricter_threshold():
    rng = np.random.default_rng(4)
    probabilities, labels = draw(rng, 3_000)
    is_rare = (probabilities.argmax(axis=1) == 2) & (np.arange(3_000) % 100 != 0)
    chosen = choose_abstention(
        CLASSES, probabilities[~is_rare], labels[~is_rare], target_accuracy=0.9
    )
    assert chosen.proved["dns"]
    assert not chosen.proved["thermal"]
    assert chosen.thresholds["thermal"] > chosen.pooled_threshold
    assert chosen.thresholds["unknown"] == NEVER


def test_a_class_that_is_always_wrong_is_never_answered():
    probabilities = np.tile([0.97, 0.01, 0.01, 0.01], (200, 1))
    chosen = choose_abstention(CLASSES, probabilities, ["printing"] * 200)
    assert chosen.thresholds["dns"] == chosen.pooled_threshold == NEVER
    assert not chosen.answers(CLASSES, probabilities).any()


def test_kin_is_counted_once():
    confidence, correct = np.linspace(0.5, 1.0, 100), np.ones(100, dtype=bool)
    assert find_proved_threshold(confidence, correct, 0.9) == pytest.approx(0.5)
    assert find_proved_threshold(confidence, correct, 0.9, cases_per_group=5.0) is None


def test_equal_confidences_are_answered_together():
    confidence, correct = np.full(100, 0.7), np.arange(100) < 60
    assert find_proved_threshold(confidence, correct, 0.8) is None
    assert find_threshold(confidence, correct, 0.8) == NEVER


def test_the_bound_is_clopper_and_pearsons():
    """Ten of ten successes prove 74 %; 97 % needs 99 cases, 99 % needs 299."""
    bounds = bound_accuracy(np.array([10.0, 99.0, 299.0, 0.0]), np.array([10.0, 99, 299, 9]), 0.05)
    assert bounds == pytest.approx([0.741, 0.97, 0.99, 0.0], abs=5e-4)


def test_sets_hold_the_truth_of_every_class():
    rng = np.random.default_rng(5)
    chosen = choose_abstention(CLASSES, *draw(rng, 6_000, 2.0))
    new, truth = draw(rng, 6_000, 2.0)
    held = np.array(
        [label in chosen.list_possible(CLASSES, row) for label, row in zip(truth, new, strict=True)]
    )
    for name in CLASSES:
        assert held[truth == name].mean() == pytest.approx(1 - MISS_RATE, abs=0.04)


@pytest.mark.parametrize(
    ("probabilities", "labels", "target"),
    [
        (np.zeros((0, 4)), [], 0.9),
        (np.zeros((2, 3)), ["dns", "dns"], 0.9),
        (np.full((1, 4), 0.25), ["dns"], 1.0),
    ],
)
def test_unusable_cases_are_refused(probabilities, labels, target):
    with pytest.raises(TrainingDataError):
        choose_abstention(CLASSES, probabilities, labels, target_accuracy=target)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_thresholds_survive_the_registry(registry):
    rng = np.random.default_rng(6)
    chosen = choose_abstention(CLASSES, *draw(rng, 800), target_accuracy=0.9)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(rng.normal(size=(40, 2)), rng.choice(CLASSES, 40))
    registry.log_and_register(
        "probe", attach_abstention(model, chosen), metrics={}, params={}, digest_of_data="0" * 64
    )
    assert read_abstention(registry.load("probe").model) == chosen


def test_models_without_or_with_unreadable_thresholds():
    model = LogisticRegression().fit([[0.0], [1.0]], ["dns", "thermal"])
    assert read_abstention(model) is None
    model.abstention_ = {"thresholds": {}}
    with pytest.raises(ModelArtifactError):
        read_abstention(read_model(dumps(model)))


def test_a_callers_threshold_only_makes_stricter():
    rng = np.random.default_rng(7)
    chosen = choose_abstention(CLASSES, *draw(rng, 5_000), target_accuracy=0.9)
    required = chosen.thresholds["dns"]
    above, below = required + 0.01, required - 0.01
    row = [above, 1 - above, 0.0, 0.0]
    assert decide_class(CLASSES, row, abstention=chosen).failure_class is F.DNS
    assert decide_class(CLASSES, row, above + 0.01, abstention=chosen).abstained
    laxer = decide_class(CLASSES, [below, 1 - below, 0.0, 0.0], 0.1, abstention=chosen)
    assert laxer.abstained
    assert laxer.alternatives[0] is F.DNS
    assert decide_class(CLASSES, [0.0, 0.0, 0.0, 1.0], abstention=chosen).abstained
    assert not decide_class(CLASSES, [0.51, 0.49, 0.0, 0.0]).abstained
