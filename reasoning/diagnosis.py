# SPDX-License-Identifier: Apache-2.0
"""Decides what is wrong: the models' class, supported or doubted by what was retrieved.

Pure. The classifier or detector that opened the incident states a class and a confidence; the
retrieved articles vote with their scores. Agreement keeps the confidence, silence lowers it, and
where the model said "unknown" a clear majority of the passages may speak instead. Where a person
said that it is none of the known failures, nobody speaks instead.
"""

from collections.abc import Mapping, Sequence
from math import exp

from contracts.failure import FailureClass
from reasoning.untrusted import IncidentClaim, PassageClaim

CLEAR_MAJORITY = 0.6
DOUBT_FACTOR = 0.8


def weigh_support(passages: Sequence[PassageClaim]) -> dict[FailureClass, float]:
    """Return each failure class's share of the passages' weight; shares add up to one.

    Weights are softmax of the passages' scores; a passage of several classes splits its weight.
    """
    weights = [exp(min(passage.score, 20.0)) for passage in passages]
    total = sum(weights) or 1.0
    shares: dict[FailureClass, float] = {}
    for passage, weight in zip(passages, weights, strict=True):
        for name in passage.failure_classes:
            share = weight / total / len(passage.failure_classes)
            shares[name] = shares.get(name, 0.0) + share
    return shares


def conclude(
    stated: IncidentClaim, support: Mapping[FailureClass, float]
) -> tuple[FailureClass, float]:
    """Return the failure class and its confidence in [0, 1]."""
    if stated.failure_class is FailureClass.UNKNOWN:
        best = max(support, key=lambda name: support[name], default=None)
        if stated.by_person or best is None or support[best] < CLEAR_MAJORITY:
            return FailureClass.UNKNOWN, 0.0
        return best, round(support[best] * DOUBT_FACTOR, 4)
    if support.get(stated.failure_class, 0.0) > 0.0 or not support:
        return stated.failure_class, round(stated.confidence, 4)
    return stated.failure_class, round(stated.confidence * DOUBT_FACTOR, 4)
