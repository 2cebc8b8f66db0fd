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

CLEAR_MAJORITY = 0.6
DOUBT_FACTOR = 0.8


def weigh_support(passages: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return each failure class's share of the passages' weight; shares add up to one.

    Weights are softmax of the passages' scores; a passage of several classes splits its weight.
    """
    weights = [exp(min(_score(passage), 20.0)) for passage in passages]
    total = sum(weights) or 1.0
    shares: dict[str, float] = {}
    for passage, weight in zip(passages, weights, strict=True):
        classes = passage["failure_classes"]
        if isinstance(classes, list | tuple) and classes:
            for name in classes:
                shares[str(name)] = shares.get(str(name), 0.0) + weight / total / len(classes)
    return shares


def _score(passage: Mapping[str, object]) -> float:
    score = passage["score"]
    return float(score) if isinstance(score, int | float) else 0.0


def conclude(
    *,
    stated_class: str,
    stated_confidence: float,
    support: Mapping[str, float],
    by_person: bool = False,
) -> tuple[FailureClass, float]:
    """Return the failure class and its confidence in [0, 1]."""
    stated = FailureClass(stated_class)
    if stated is FailureClass.UNKNOWN and by_person:
        return FailureClass.UNKNOWN, 0.0
    if stated is FailureClass.UNKNOWN:
        best = max(support, key=lambda name: support[name], default=None)
        if best is None or support[best] < CLEAR_MAJORITY:
            return FailureClass.UNKNOWN, 0.0
        return FailureClass(best), round(support[best] * DOUBT_FACTOR, 4)
    if support.get(stated.value, 0.0) > 0.0 or not support:
        return stated, round(stated_confidence, 4)
    return stated, round(stated_confidence * DOUBT_FACTOR, 4)
