# SPDX-License-Identifier: Apache-2.0
"""The gate of promotion: a challenger must be better than the champion on held-back cases.

A paired bootstrap interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993) of the
mean difference. A challenger whose interval reaches down to zero is not known to be better.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

N_RESAMPLES = 2_000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean of after minus before, and its interval at 95 %."""

    mean: float
    low: float
    high: float


def estimate_difference(
    before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], *, seed: int
) -> Difference:
    """Return the interval of a paired difference; arrays of the same shape (n_cases,)."""
    differences = (after - before).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(differences), size=(N_RESAMPLES, len(differences)))
    means = differences[drawn].mean(axis=1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(mean=float(differences.mean()), low=float(low), high=float(high))


def explain_refusal(metrics: Mapping[str, float]) -> str | None:
    """Return why a version with such figures must not be promoted; None if nothing speaks against.

    Versions without a comparison, as first ones are, have nothing to be judged by.
    """
    low = metrics.get("gate_low")
    if low is None or low > 0:
        return None
    return (
        f"it is not known to be better than the champion: the difference on held-back cases is"
        f" {metrics.get('gate_difference', 0.0):+.4f}, 95 % interval from {low:+.4f} to"
        f" {metrics.get('gate_high', 0.0):+.4f}; collect more labels and train again"
    )
