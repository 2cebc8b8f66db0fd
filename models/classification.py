# SPDX-License-Identifier: Apache-2.0
"""What a classifier answers: a failure class with a calibrated confidence, or an abstention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.failure import FailureClass

CONFIDENCE_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The most probable class. When abstained the class is unknown; the ranking remains.

    `confidence` is the probability of the best class, also when the answer is an abstention.
    """

    failure_class: FailureClass
    confidence: float
    probabilities: Mapping[FailureClass, float]  # most probable first
    abstained: bool


def decide_class(
    classes: Sequence[str],
    probabilities: Sequence[float],
    threshold: float = CONFIDENCE_THRESHOLD,
) -> Classification:
    """Choose the most probable class, or abstain below the threshold or for unknown."""
    ranked = sorted(
        ((FailureClass(name), float(p)) for name, p in zip(classes, probabilities, strict=True)),
        key=lambda pair: (-pair[1], pair[0]),
    )
    best, confidence = ranked[0]
    abstained = best is FailureClass.UNKNOWN or confidence < threshold
    return Classification(
        failure_class=FailureClass.UNKNOWN if abstained else best,
        confidence=confidence,
        probabilities=dict(ranked),
        abstained=abstained,
    )
