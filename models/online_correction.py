# SPDX-License-Identifier: Apache-2.0
"""What was learnt since a model was trained: weights that correct its log-odds, a step a label.

A logistic regression by stochastic gradient descent (river) on the recommender's own signals,
whose intercept is fixed at the trained model's log-odds: without labels it changes nothing. Pure.

Influence is bounded thrice. A label moves a weight by `LEARNING_RATE` at most. What one witness (a
person, or a device) has moved in all is kept inside an L1 ball of radius `MAX_WITNESS_INFLUENCE`;
since signals are in [0, 1], that is the most by which one can move the log-odds of any script. What
all have moved together is kept inside `MAX_INFLUENCE`. Numbers that are none (NaN, infinite) teach
nothing and change nothing; signals beyond [0, 1] count as the nearest bound.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from river.linear_model import LogisticRegression
from river.optim import SGD

from models.signals import FloatArray

LEARNING_RATE = 0.1
MAX_WITNESS_INFLUENCE = 0.5  # of log-odds
MAX_INFLUENCE = 2.0
_SURE = 50.0  # log-odds beyond which nothing is surer
BIAS = "always"  # the name of the signal that is always one
Weights = Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The weights of all witnesses together, by event and signal, and on how many labels."""

    weights: Mapping[str, Weights] = field(default_factory=dict)
    n_labels: Mapping[str, int] = field(default_factory=dict)

    def apply(self, event: str, signals: FloatArray, names: Sequence[str]) -> FloatArray:
        """Return log-odds to add, shape (n_rows,), for signals of shape (n_rows, n_signals)."""
        bounded = bound(self.weights.get(event, {}), MAX_INFLUENCE)
        vector = np.array([bounded.get(name, 0.0) for name in names])
        known = np.clip(np.where(np.isfinite(signals), signals, 0.0), 0.0, 1.0)
        added: FloatArray = known @ vector + bounded.get(BIAS, 0.0)
        return added

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, for the evidence."""
        return {
            event: {
                "n_labels": self.n_labels.get(event, 0),
                "weights": {name: round(value, 6) for name, value in sorted(weights.items())},
            }
            for event, weights in sorted(self.weights.items())
        }


NO_CORRECTION = Correction()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The weights after one label: of all together, and of its witness."""

    total: Weights
    witness: Weights


def learn(
    *,
    signals: Mapping[str, float],
    log_odds: float,
    happened: bool,
    total: Weights,
    witness: Weights,
) -> Step:
    """Return the weights after one label; the same where its numbers teach nothing.

    Args:
        signals: of the proposed script, each in [0, 1].
        log_odds: what the trained model says of them.
        happened: whether the event came about.
        total: the weights of all witnesses together.
        witness: what this label's witness has contributed to them.

    """
    if not is_teachable(signals, log_odds):
        return Step(total=_keep_finite(total), witness=_keep_finite(witness))
    x = {**{name: min(max(value, 0.0), 1.0) for name, value in signals.items()}, BIAS: 1.0}
    total, witness = _keep_finite(total), _keep_finite(witness)
    so_far = bound(total, MAX_INFLUENCE)
    model = LogisticRegression(
        optimizer=SGD(LEARNING_RATE),
        intercept_init=min(max(log_odds, -_SURE), _SURE)
        + sum(so_far.get(name, 0.0) * value for name, value in x.items()),
        intercept_lr=0.0,  # what is known stays; the weights that are learnt are the step
    )
    model.learn_one(x, happened)
    moved = {name: witness.get(name, 0.0) + change for name, change in model.weights.items()}
    bounded = bound({**witness, **moved}, MAX_WITNESS_INFLUENCE)
    names = {*total, *bounded}
    return Step(
        total={
            name: total.get(name, 0.0) + bounded.get(name, 0.0) - witness.get(name, 0.0)
            for name in names
        },
        witness=bounded,
    )


def is_teachable(signals: Mapping[str, float], log_odds: float) -> bool:
    """Tell whether a label's numbers are such that they teach something."""
    return math.isfinite(log_odds) and all(math.isfinite(value) for value in signals.values())


def bound(weights: Weights, radius: float) -> dict[str, float]:
    """Return the nearest weights along their direction whose sizes add up to `radius` at most."""
    finite = _keep_finite(weights)
    size = sum(abs(value) for value in finite.values())
    scale = 1.0 if size <= radius else radius / size
    return {name: value * scale for name, value in finite.items()}


def _keep_finite(weights: Weights) -> dict[str, float]:
    return {name: value for name, value in weights.items() if math.isfinite(value)}
