# SPDX-License-Identifier: Apache-2.0
"""Conformal p-values, the false discovery bound, and calibration error. Pure NumPy."""

import numpy as np
import numpy.typing as npt

from models.signals import FloatArray

POOL_SIZE = 65_536
_SORT_EVERY = 256
N_BINS = 10
_SHARPNESS_GRID = np.geomspace(0.4, 4.0, 70)


class ConformalPool:
    """The fleet's latest ordinary scores, in a ring; p-values are ranks among them."""

    def __init__(self, size: int = POOL_SIZE) -> None:
        self._ring = np.zeros(size)
        self._added = 0
        self._sorted: FloatArray = np.zeros(0)
        self._sorted_at = 0

    def add(self, score: float) -> None:
        """Remember an ordinary report's score; the oldest one leaves."""
        self._ring[self._added % len(self._ring)] = score
        self._added += 1

    def p_value(self, score: float) -> float:
        """Return (1 + number of scores at least as large) / (1 + number of scores)."""
        if self._added - self._sorted_at >= min(_SORT_EVERY, max(1, self._added // 8)):
            self._sorted = np.sort(self._ring[: min(self._added, len(self._ring))])
            self._sorted_at = self._added
        n_scores = len(self._sorted)
        n_above = n_scores - int(np.searchsorted(self._sorted, score, side="left"))
        return (1.0 + n_above) / (1.0 + n_scores)


def passes_false_discovery_bound(p_value: float, p_values: FloatArray, rate: float) -> bool:
    """Tell whether a p-value is a discovery at this rate (Benjamini and Hochberg, 1995).

    Args:
        p_value: the one in question; should be among `p_values`.
        p_values: one per device, shape (n_devices,).
        rate: the bound on the expected share of false discoveries.

    """
    ordered = np.sort(p_values)
    bounds = rate * np.arange(1, len(ordered) + 1) / max(len(ordered), 1)
    passing = ordered[ordered <= bounds]
    return bool(len(passing) and p_value <= passing[-1])


def expected_calibration_error(confidences: FloatArray, correct: FloatArray) -> float:
    """Return the mean gap between confidence and accuracy over ten equal bins (ECE)."""
    if not len(confidences):
        return 0.0
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    gaps = [
        abs(float(np.mean(confidences[bins == b]) - np.mean(correct[bins == b])))
        * float(np.mean(bins == b))
        for b in range(N_BINS)
        if np.any(bins == b)
    ]
    return float(sum(gaps))


def sharpen(probabilities: FloatArray, sharpness: float) -> FloatArray:
    """Raise probabilities (n_samples, n_classes) to a power and normalise: temperature scaling.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017); sharpness is 1/T.
    """
    logits = sharpness * np.log(np.clip(probabilities, 1e-12, 1.0))
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return scaled


def find_sharpness(probabilities: FloatArray, true_columns: npt.NDArray[np.int64]) -> float:
    """Return the sharpness with the least log-loss on held-out predictions."""
    rows = np.arange(len(true_columns))

    def loss(sharpness: float) -> float:
        likelihood = sharpen(probabilities, sharpness)[rows, true_columns]
        return float(-np.mean(np.log(np.clip(likelihood, 1e-12, 1.0))))

    return float(min(_SHARPNESS_GRID, key=loss))
