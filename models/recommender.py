# SPDX-License-Identifier: Apache-2.0
"""Rank scripts for an incident by the probability that a person approves and the fix holds.

A logistic regression over the signals below; every signal helps, so every coefficient is
positive. Past outcomes enter as Beta posterior means, so that one success is no certainty.
A script for another platform is never ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.signals import FloatArray

SIGNAL_NAMES = (
    "retrieval",
    "class_match",
    "class_match_weighted",
    "preconditions",
    "success_rate",
    "approval_rate",
    "experience",
)
SUCCESS_PRIOR = (4.0, 1.0)  # a reviewed starter script usually works
APPROVAL_PRIOR = (3.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptCandidate:
    """What is known of a script with respect to one incident."""

    script_id: str
    version: str
    retrieval_score: float  # in [0, 1]
    failure_class_match: bool
    platform_match: bool
    preconditions_met: bool
    n_succeeded: int = 0
    n_failed: int = 0
    n_approved: int = 0
    n_rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedScript:
    """A candidate with its probability and the signals behind it, for the explanation."""

    script_id: str
    version: str
    probability: float
    signals: dict[str, float]


def compute_signals(candidate: ScriptCandidate, class_confidence: float) -> dict[str, float]:
    """Return the signals in [0, 1], in the order of `SIGNAL_NAMES`."""
    confidence = min(max(class_confidence, 0.0), 1.0)
    n_outcomes = candidate.n_succeeded + candidate.n_failed
    match = float(candidate.failure_class_match)
    values = (
        min(max(candidate.retrieval_score, 0.0), 1.0),
        match,
        match * confidence,
        float(candidate.preconditions_met),
        _beta_mean(candidate.n_succeeded, candidate.n_failed, SUCCESS_PRIOR),
        _beta_mean(candidate.n_approved, candidate.n_rejected, APPROVAL_PRIOR),
        float(np.log1p(min(n_outcomes, 100)) / np.log1p(100)),
    )
    return dict(zip(SIGNAL_NAMES, values, strict=True))


def signal_matrix(rows: Sequence[Mapping[str, float]]) -> FloatArray:
    """Return shape (n_candidates, n_signals)."""
    return np.array([[row[name] for name in SIGNAL_NAMES] for row in rows])


class Recommender:
    """Ranks candidates with a fitted model (see `training`)."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def rank(
        self, candidates: Sequence[ScriptCandidate], class_confidence: float
    ) -> list[RankedScript]:
        """Return candidates for this platform, most probable first; ties by script id."""
        usable = [candidate for candidate in candidates if candidate.platform_match]
        if not usable:
            return []
        signals = [compute_signals(candidate, class_confidence) for candidate in usable]
        probabilities = self._model.predict_proba(signal_matrix(signals))[:, 1]
        ranked = [
            RankedScript(
                script_id=candidate.script_id,
                version=candidate.version,
                probability=float(probability),
                signals=values,
            )
            for candidate, probability, values in zip(usable, probabilities, signals, strict=True)
        ]
        return sorted(ranked, key=lambda script: (-script.probability, script.script_id))


def _beta_mean(n_good: int, n_bad: int, prior: tuple[float, float]) -> float:
    good, bad = max(n_good, 0) + prior[0], max(n_bad, 0) + prior[1]
    return good / (good + bad)
