# SPDX-License-Identifier: Apache-2.0
"""Calibration error, and temperature scaling. Pure NumPy."""

import numpy as np
import numpy.typing as npt

from models.signals import FloatArray

N_BINS = 10
_SHARPNESS_GRID = np.geomspace(0.4, 4.0, 70)


def expected_calibration_error(confidences: FloatArray, correct: FloatArray) -> float:
    """Return the mean gap between confidence and accuracy over ten equal bins (ECE)."""
    if not len(confidences):
        return 0.0
    bins = np.minimum((confidences * N_BINS).astype(int), N_BINS - 1)
    gaps = np.bincount(bins, weights=confidences - correct)  # sums: means times cases of a bin
    return float(np.abs(gaps).sum() / len(bins))


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
