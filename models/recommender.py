# SPDX-License-Identifier: Apache-2.0
"""Rank scripts for an incident by the probability that a person approves and the fix holds.

Two events with a probability each, P = P(approved) x P(works, if approved), by one logistic
regression that has coefficients of its own for each event. Every signal is in [0, 1] and helps.
Past cases enter as Beta posteriors (`track_record`); what was learnt since the model was trained
as a correction of its log-odds (`online_correction`). A script for another platform is never
ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import log1p
from typing import Any

import numpy as np
from scipy.special import expit, logit

from models.errors import ModelArtifactError
from models.online_correction import NO_CORRECTION, Correction
from models.signals import FloatArray
from models.track_record import APPROVAL_PRIOR, SUCCESS_PRIOR, Belief, find_quantiles

SIGNAL_NAMES = (
    "retrieval",
    "retrieval_support",
    "class_match",
    "class_match_weighted",
    "preconditions",
    "success_rate",
    "approval_rate",
    "experience",
    "class_success_rate",
    "class_approval_rate",
    "safety",
)
# Of cases that were stored before a signal was known: what it is where nothing is known.
NEUTRAL: Mapping[str, float] = {
    "retrieval_support": 0.0,
    "class_success_rate": SUCCESS_PRIOR.mean,
    "class_approval_rate": APPROVAL_PRIOR.mean,
    "safety": 0.6,
}
_RATES = tuple(SIGNAL_NAMES.index(name) for name in SIGNAL_NAMES if name.endswith("_rate"))
_SUCCESS, _APPROVAL = SIGNAL_NAMES.index("success_rate"), SIGNAL_NAMES.index("approval_rate")
# What serves the failure helps only where its preconditions hold.
_PRODUCTS = tuple(
    (SIGNAL_NAMES.index(name), SIGNAL_NAMES.index("preconditions"))
    for name in ("class_match", "retrieval")
)
INTERVAL = (0.05, 0.95)  # shares of the beliefs' distributions
MAX_EXPERIENCE = 100.0  # cases


class Event(StrEnum):
    """What a probability is of."""

    APPROVED = "approved"
    WORKS = "works"  # if approved


_BIAS = "bias"
COLUMN_NAMES = tuple(
    f"{event}:{name}"
    for event in Event
    for name in (
        _BIAS,
        *SIGNAL_NAMES,
        *(f"{SIGNAL_NAMES[left]}*{SIGNAL_NAMES[right]}" for left, right in _PRODUCTS),
    )
)
N_COLUMNS = len(COLUMN_NAMES)
HELPFUL = np.array([not name.endswith(_BIAS) for name in COLUMN_NAMES])


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCandidate:
    """What is known of a script with respect to one incident."""

    script_id: str
    version: str
    retrieval_score: float  # in [0, 1]
    failure_class_match: bool
    platform_match: bool
    preconditions_met: bool
    retrieval_support: float = 0.0  # share of the passages found that name it
    success: Belief = SUCCESS_PRIOR
    approval: Belief = APPROVAL_PRIOR
    class_success: Belief = SUCCESS_PRIOR  # of all scripts for this failure class
    class_approval: Belief = APPROVAL_PRIOR
    safety: float = NEUTRAL["safety"]  # 1 less the risk score / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedScript:
    """A candidate with its probability and what it is made of, for the explanation.

    `low` and `high` bound the probability as far as the two beliefs of past cases are uncertain
    (central 90 %). `draw` is the probability at rates drawn from them, None where none were.
    """

    script_id: str
    version: str
    probability: float
    parts: Mapping[str, float]  # the probability of each event
    corrections: Mapping[str, float]  # log-odds learnt since training, of each event
    low: float
    high: float
    draw: float | None
    signals: dict[str, float]


def compute_signals(candidate: ScriptCandidate, class_confidence: float) -> dict[str, float]:
    """Return the signals in [0, 1], in the order of `SIGNAL_NAMES`."""
    match = float(candidate.failure_class_match)
    n_cases = max(candidate.success.n_cases - SUCCESS_PRIOR.n_cases, 0.0)
    values = (
        _clip(candidate.retrieval_score),
        _clip(candidate.retrieval_support),
        match,
        match * _clip(class_confidence),
        float(candidate.preconditions_met),
        candidate.success.mean,
        candidate.approval.mean,
        log1p(min(n_cases, MAX_EXPERIENCE)) / log1p(MAX_EXPERIENCE),
        candidate.class_success.mean,
        candidate.class_approval.mean,
        _clip(candidate.safety),
    )
    return dict(zip(SIGNAL_NAMES, values, strict=True))


def signal_matrix(rows: Sequence[Mapping[str, float]]) -> FloatArray:
    """Return shape (n_candidates, n_signals); signals that are not in a row are neutral."""
    wanted = [(name, NEUTRAL.get(name)) for name in SIGNAL_NAMES]
    return np.array(
        [[row[name] if other is None else row.get(name, other) for name, other in wanted]
         for row in rows]
    ).reshape(-1, len(SIGNAL_NAMES))  # fmt: skip


def event_columns(signals: FloatArray, event: Event) -> FloatArray:
    """Return what the model takes for one event, shape (n_rows, n_columns).

    One model holds both events: of each row, the columns of the other event are zero. Rates enter
    as log-odds, in which evidence adds up.
    """
    rows = signals.copy()
    rows[:, _RATES] = logit(np.clip(rows[:, _RATES], 0.01, 0.99)) / 4.0
    products = [rows[:, left] * rows[:, right] for left, right in _PRODUCTS]
    block = np.column_stack([np.ones(len(rows)), rows, *products])
    other = np.zeros_like(block)
    return np.hstack([block, other] if event is Event.APPROVED else [other, block])


class Recommender:
    """Ranks candidates with a fitted model (see `recommender_training`) and a correction.

    Raises:
        ModelArtifactError: the model weighs other signals than this program knows.

    """

    def __init__(self, model: Any, correction: Correction = NO_CORRECTION) -> None:
        n_columns = getattr(model, "n_features_in_", None)
        if n_columns != N_COLUMNS:
            raise ModelArtifactError(
                f"the recommender in use weighs {n_columns} columns of signals, this program"
                f" {N_COLUMNS}; run `eucora train recommender` and promote the new version"
            )
        self._model = model
        self._correction = correction

    def rank(
        self,
        candidates: Sequence[ScriptCandidate],
        class_confidence: float,
        *,
        levels: Mapping[str, tuple[float, float]] | None = None,
    ) -> list[RankedScript]:
        """Return candidates for this platform, most probable first; ties by script id.

        Args:
            candidates: what is known of each script.
            class_confidence: the calibrated probability of the failure class.
            levels: for drawing, by script id: the shares in (0, 1) at which the beliefs of success
                and of approval are read.

        """
        usable = [candidate for candidate in candidates if candidate.platform_match]
        if not usable:
            return []
        rows = [compute_signals(candidate, class_confidence) for candidate in usable]
        expected = signal_matrix(rows)
        variants = [expected, *(_move_rates(expected, usable, level, level) for level in INTERVAL)]
        if levels is not None:
            drawn = np.array([levels[candidate.script_id] for candidate in usable])
            variants.append(_move_rates(expected, usable, drawn[:, 0], drawn[:, 1]))
        corrections = {
            event: self._correction.apply(event, expected, SIGNAL_NAMES) for event in Event
        }
        events = {
            event: self.predict(
                np.vstack(variants), event, np.tile(corrections[event], len(variants))
            ).reshape(len(variants), len(usable))
            for event in Event
        }
        joint = events[Event.APPROVED] * events[Event.WORKS]
        ranked = [
            RankedScript(
                script_id=candidate.script_id,
                version=candidate.version,
                probability=float(joint[0, row]),
                parts={event.value: float(events[event][0, row]) for event in Event},
                corrections={event.value: float(corrections[event][row]) for event in Event},
                low=float(joint[1, row]),
                high=float(joint[2, row]),
                draw=None if levels is None else float(joint[3, row]),
                signals=rows[row],
            )
            for row, candidate in enumerate(usable)
        ]
        return sorted(ranked, key=lambda script: (-script.probability, script.script_id))

    def predict(self, signals: FloatArray, event: Event, correction: Any = 0.0) -> FloatArray:
        """Return an event's probabilities, shape (n_rows,), with log-odds added."""
        probabilities: FloatArray = expit(self.predict_log_odds(signals, event) + correction)
        return probabilities

    def predict_log_odds(self, signals: FloatArray, event: Event) -> FloatArray:
        """Return the log-odds of an event by the trained model alone, shape (n_rows,)."""
        log_odds: FloatArray = self._model.decision_function(event_columns(signals, event))
        return log_odds


def _move_rates(
    signals: FloatArray, candidates: Sequence[ScriptCandidate], success: Any, approval: Any
) -> FloatArray:
    """Return the signals as they were if the rates were at these shares of their beliefs."""
    moved = signals.copy()
    moved[:, _SUCCESS] = find_quantiles([one.success for one in candidates], success)
    moved[:, _APPROVAL] = find_quantiles([one.approval for one in candidates], approval)
    return moved


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)
