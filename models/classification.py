# SPDX-License-Identifier: Apache-2.0
"""What a classifier answers: a failure class with a calibrated confidence, or an abstention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.failure import FailureClass
from models.abstention import Abstention

N_RECORDED = 5  # the most probable classes that a recorded answer names
CONFIDENCE_THRESHOLD = 0.5  # of models that were trained without thresholds of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The most probable class. When abstained the class is unknown; the ranking remains.

    `confidence` is the probability of the best class, also when the answer is an abstention.
    `alternatives` are the classes that cannot be ruled out (a conformal set), the most probable
    first; empty where the model states none, or where the case is unlike anything learned.
    """

    failure_class: FailureClass
    confidence: float
    probabilities: Mapping[FailureClass, float]  # most probable first
    abstained: bool
    alternatives: tuple[FailureClass, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what is recorded of the answer; its confidence is recorded beside it."""
        most_probable = list(self.probabilities.items())[:N_RECORDED]
        return {
            "failure_class": self.failure_class.value,
            "abstained": self.abstained,
            "top": {name.value: round(share, 4) for name, share in most_probable},
            "alternatives": [name.value for name in self.alternatives],
        }


def decide_class(
    classes: Sequence[str],
    probabilities: Sequence[float],
    threshold: float | None = None,
    *,
    abstention: Abstention | None = None,
) -> Classification:
    """Choose the most probable class, or abstain below its threshold or for unknown.

    Args:
        classes: names of failure classes, one a probability.
        probabilities: calibrated.
        threshold: makes the answer stricter, never laxer than the model's own thresholds; without
            either, `CONFIDENCE_THRESHOLD`.
        abstention: the model's own thresholds.

    """
    ranked = sorted(
        ((FailureClass(name), float(p)) for name, p in zip(classes, probabilities, strict=True)),
        key=lambda pair: (-pair[1], pair[0]),
    )
    best, confidence = ranked[0]
    if abstention is None:
        accepted = confidence >= (CONFIDENCE_THRESHOLD if threshold is None else threshold)
        possible: list[str] = []
    else:
        accepted = abstention.accepts(best, confidence) and confidence >= (threshold or 0.0)
        possible = abstention.list_possible(
            [name for name, _ in ranked], [probability for _, probability in ranked]
        )
    abstained = best is FailureClass.UNKNOWN or not accepted
    return Classification(
        failure_class=FailureClass.UNKNOWN if abstained else best,
        confidence=confidence,
        probabilities=dict(ranked),
        abstained=abstained,
        alternatives=tuple(FailureClass(name) for name in possible),
    )
