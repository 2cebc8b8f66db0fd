# SPDX-License-Identifier: Apache-2.0
"""When a classifier answers: confidence thresholds chosen for an accuracy, stated with a bound.

Selective classification. From held-out probabilities each predicted class gets the loosest
threshold at which the accuracy of its answers is proved to reach the target: one-sided Clopper and
Pearson (1934) bounds, tested from strict to loose in fixed sequences (Angelopoulos et al., "Learn
then Test", 2021), so that searching costs no honesty. A class with too few cases for a proof is
answered above a stricter, pooled threshold (that of half the errors), and not before its own
held-out accuracy reaches the target. Class-conditional conformal sets (Vovk, "Conditional validity
of inductive conformal predictors", 2012) name the classes that remain possible.

Thresholds travel in the model's file: plain numbers in an attribute of the fitted estimator.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from models.errors import ModelArtifactError, TrainingDataError
from models.signals import FloatArray

TARGET_ACCURACY = 0.95
CONFIDENCE_LEVEL = 0.95  # of each proof
MISS_RATE = 0.1  # of the conformal sets, for every class
NEVER = 2.0  # a threshold that no probability reaches
UNANSWERED = frozenset({"unknown"})
_ATTRIBUTE = "abstention_"
_STARTS = (0.25, 0.5, 0.7, 0.85, 1.0)  # shares of the cases at which a fixed sequence begins
BoolArray = npt.NDArray[np.bool_]
Estimator = TypeVar("Estimator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """The thresholds of a classifier; a confidence below that of its class is no answer."""

    target_accuracy: float
    thresholds: Mapping[str, float]  # by predicted class
    proved: Mapping[str, bool]  # by class: has its own bound, or borrows a stricter threshold
    pooled_threshold: float  # one for all classes, at the target accuracy
    pooled_proved: bool
    unanswered: frozenset[str]  # classes that are no answer
    set_thresholds: Mapping[str, float]  # a class at least this probable is in the conformal set

    def accepts(self, name: str, confidence: float) -> bool:
        """Tell whether the most probable class is answered at this probability."""
        return confidence >= self.thresholds.get(name, NEVER)

    def answers(self, classes: Sequence[str], probabilities: FloatArray) -> BoolArray:
        """Tell of each case whether it is answered; probabilities (n_cases, n_classes)."""
        required = np.array([self.thresholds.get(name, NEVER) for name in classes])
        answered: BoolArray = probabilities.max(axis=1) >= required[probabilities.argmax(axis=1)]
        return answered

    def list_possible(self, classes: Sequence[str], probabilities: Sequence[float]) -> list[str]:
        """Return the conformal set: the classes that are not ruled out, in the order given.

        Of the cases of every class, at least 1 - `MISS_RATE` have it in their set. A set may be
        empty: the case is unlike anything learned.
        """
        return [
            name
            for name, probability in zip(classes, probabilities, strict=True)
            if probability >= self.set_thresholds.get(name, 0.0)
        ]


def choose_abstention(
    classes: Sequence[str],
    probabilities: FloatArray,
    labels: Sequence[str],
    *,
    target_accuracy: float = TARGET_ACCURACY,
    cases_per_group: float = 1.0,
    unanswered: Collection[str] = UNANSWERED,
) -> Abstention:
    """Choose thresholds on cases that the model did not learn from.

    Args:
        classes: column names of `probabilities`.
        probabilities: held out (out of fold), shape (n_cases, n_classes).
        labels: the truth, n_cases of them; may name classes that have no column.
        target_accuracy: of the answers, in (0, 1).
        cases_per_group: mean number of cases that are kin (wordings of one phrase, windows of one
            device). They are counted as one: a design effect (Kish, 1965) of full correlation.
        unanswered: classes that are no answer, whatever their probability.

    Raises:
        TrainingDataError: no cases, shapes that do not agree, or a target outside (0, 1).

    """
    names, truth = np.array(classes, dtype=str), np.array(labels, dtype=str)
    _check(names, probabilities, truth, target_accuracy)
    predicted, confidence = names[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    correct = predicted == truth

    def find(rows: BoolArray, target: float) -> tuple[float, bool]:
        proved = find_proved_threshold(confidence[rows], correct[rows], target, cases_per_group)
        if proved is not None:
            return proved, True
        return find_threshold(confidence[rows], correct[rows], target), False

    answerable = ~np.isin(predicted, list(unanswered))
    pooled_threshold, pooled_proved = find(answerable, target_accuracy)
    half_the_errors = (1.0 + target_accuracy) / 2
    strict = max(
        pooled_threshold,
        find_threshold(confidence[answerable], correct[answerable], half_the_errors),
    )
    thresholds, proved = dict.fromkeys(names.tolist(), NEVER), dict.fromkeys(names.tolist(), False)
    for name in thresholds:
        rows = (predicted == name) & answerable
        if name not in unanswered:
            own, proved[name] = find(rows, target_accuracy) if rows.any() else (strict, False)
            thresholds[name] = own if proved[name] else max(strict, own)
    return Abstention(
        target_accuracy=float(target_accuracy),
        thresholds=thresholds,
        proved=proved,
        pooled_threshold=pooled_threshold,
        pooled_proved=pooled_proved,
        unanswered=frozenset(unanswered),
        set_thresholds=_find_set_thresholds(names, probabilities, truth, cases_per_group),
    )


def find_threshold(confidence: FloatArray, correct: BoolArray, target_accuracy: float) -> float:
    """Return the loosest threshold whose held-out answers reach the target; `NEVER` if none.

    Args:
        confidence: of each case's predicted class, shape (n_cases,).
        correct: whether the prediction was the truth.
        target_accuracy: the share of the answers that must be correct; no proof of it.

    """
    levels, n_answered, n_correct = _accumulate(confidence, correct)
    reached = np.flatnonzero(n_correct >= target_accuracy * n_answered)
    return float(levels[reached[-1]]) if len(reached) else NEVER


def find_proved_threshold(
    confidence: FloatArray,
    correct: BoolArray,
    target_accuracy: float,
    cases_per_group: float = 1.0,
) -> float | None:
    """Return the loosest threshold at which the target is proved; None where nothing is.

    Each fixed sequence begins at a share of the cases that their labels had no part in choosing,
    goes to looser thresholds, and ends at the first bound below the target; the level is shared
    among the sequences. The proof holds at `CONFIDENCE_LEVEL` for independent groups of cases.
    """
    levels, n_answered, n_correct = _accumulate(confidence, correct)
    if not len(levels):
        return None
    doubt = (1.0 - CONFIDENCE_LEVEL) / len(_STARTS)
    bounds = bound_accuracy(n_correct / cases_per_group, n_answered / cases_per_group, doubt)
    loosest = -1
    for share in _STARTS:
        start = min(int(np.searchsorted(n_answered, share * n_answered[-1])), len(levels) - 1)
        failures = np.flatnonzero(bounds[start:] < target_accuracy)
        end = start + int(failures[0]) if len(failures) else len(levels)
        if end > start:
            loosest = max(loosest, end - 1)
    return float(levels[loosest]) if loosest >= 0 else None


def bound_accuracy(n_correct: FloatArray, n_cases: FloatArray, doubt: float) -> FloatArray:
    """Return one-sided lower bounds of accuracies, wrong with at most this probability each.

    Clopper and Pearson (1934); counts may be fractions, after a design effect.
    """
    n_wrong = n_cases - n_correct
    bounds = beta.ppf(doubt, np.maximum(n_correct, 1e-9), n_wrong + 1.0)
    return np.where(n_correct > 0, bounds, 0.0)


def measure_abstention(
    abstention: Abstention,
    classes: Sequence[str],
    probabilities: FloatArray,
    labels: Sequence[str],
) -> dict[str, float]:
    """Return what the thresholds do on other cases, in all and by predicted class.

    Returns:
        `coverage` and `reached_accuracy` by the thresholds of the classes, `pooled_coverage` and
        `pooled_accuracy` by the one for all; `coverage/C` and `reached_accuracy/C` of the cases
        that are predicted to be of class C. The accuracy of no answer at all is left out.

    """
    names, truth = np.array(classes, dtype=str), np.array(labels, dtype=str)
    predicted, confidence = names[probabilities.argmax(axis=1)], probabilities.max(axis=1)
    correct, answered = predicted == truth, abstention.answers(classes, probabilities)
    pooled = (confidence >= abstention.pooled_threshold) & ~np.isin(
        predicted, list(abstention.unanswered)
    )
    figures = {
        "target_accuracy": abstention.target_accuracy,
        "coverage": float(answered.mean()),
        "pooled_coverage": float(pooled.mean()),
    }
    if answered.any():
        figures["reached_accuracy"] = float(correct[answered].mean())
    if pooled.any():
        figures["pooled_accuracy"] = float(correct[pooled].mean())
    for name in abstention.thresholds:
        rows = predicted == name
        if rows.any():
            figures[f"coverage/{name}"] = float(answered[rows].mean())
        if (rows & answered).any():
            figures[f"reached_accuracy/{name}"] = float(correct[rows & answered].mean())
    return figures


def attach_abstention(model: Estimator, abstention: Abstention) -> Estimator:
    """Let the thresholds travel with a fitted estimator, into its file and out of it again."""
    plain = asdict(abstention) | {"unanswered": sorted(abstention.unanswered)}
    setattr(model, _ATTRIBUTE, plain)
    return model


def read_abstention(model: Any) -> Abstention | None:
    """Return the thresholds of an estimator; None where it was trained without any.

    Raises:
        ModelArtifactError: what the model's file holds is no set of thresholds.

    """
    plain = getattr(model, _ATTRIBUTE, None)
    if plain is None:
        return None
    try:
        return Abstention(**{**plain, "unanswered": frozenset(plain["unanswered"])})
    except (TypeError, KeyError) as error:
        message = "the model's thresholds of abstention are not readable; train it again"
        raise ModelArtifactError(message) from error


def _check(
    names: npt.NDArray[np.str_],
    probabilities: FloatArray,
    truth: npt.NDArray[np.str_],
    target_accuracy: float,
) -> None:
    if not len(truth) or probabilities.shape != (len(truth), len(names)):
        message = (
            f"abstention needs probabilities of shape ({len(truth)}, {len(names)}) and at least"
            f" one case, not {probabilities.shape}"
        )
        raise TrainingDataError(message)
    if not 0.0 < target_accuracy < 1.0:
        message = f"the target accuracy must lie between 0 and 1, not at {target_accuracy}"
        raise TrainingDataError(message)


def _accumulate(
    confidence: FloatArray, correct: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return distinct confidences, falling, with the answers and correct ones at or above each."""
    order = np.argsort(-confidence, kind="stable")
    levels, n_correct = confidence[order], np.cumsum(correct[order]).astype(np.float64)
    last = np.flatnonzero(np.append(levels[1:] != levels[:-1], True)[: len(levels)])
    return levels[last], (last + 1).astype(np.float64), n_correct[last]


def _find_set_thresholds(
    names: npt.NDArray[np.str_],
    probabilities: FloatArray,
    truth: npt.NDArray[np.str_],
    cases_per_group: float,
) -> dict[str, float]:
    """Return, by class, the probability that its own cases exceed but for the rate of misses.

    The rank is of split conformal prediction, floor((n + 1) * rate) from below; with too few cases
    for a rank nothing is ruled out.
    """
    found = {}
    for column, name in enumerate(names.tolist()):
        own = np.sort(probabilities[truth == name, column])
        rank = int(np.floor((len(own) / cases_per_group + 1.0) * MISS_RATE) * cases_per_group)
        found[name] = float(own[rank - 1]) if rank >= 1 else 0.0
    return found
