# SPDX-License-Identifier: Apache-2.0
"""What a team would use without us: four detectors, each fitted on train and scoring test.

On NAB, where there is no train, the first rows of a series that are not judged take its place.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from river.anomaly import HalfSpaceTrees
from river.preprocessing import MinMaxScaler
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

FloatArray = npt.NDArray[np.float64]
Detector = Callable[[FloatArray, FloatArray], FloatArray]
EXPLAINED = 0.9  # share of the variance that PCA keeps
TOP_METRICS = 5
LEAST_SCALE = 1e-6
_ROBUST_SHARE = 0.05  # scale of the robust z-score that no metric falls below, of its range


def reconstruct_by_pca(train: FloatArray, test: FloatArray) -> FloatArray:
    """Return the squared error of each row of test, rebuilt from the main components of train."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    scale[scale < LEAST_SCALE] = 1.0
    model = PCA(EXPLAINED if train.shape[1] > 1 else 1).fit((train - mean) / scale)
    rows = (test - mean) / scale
    if train.shape[1] == 1:  # one metric is its own component: nothing would be left
        errors: FloatArray = (rows**2).sum(axis=1)
    else:
        errors = ((rows - model.inverse_transform(model.transform(rows))) ** 2).sum(axis=1)
    return errors


def rate_robustly(train: FloatArray, test: FloatArray) -> FloatArray:
    """Return the sum of the five largest robust z-scores (median, interquartile range)."""
    median = np.median(train, axis=0)
    low, high = np.quantile(train, [0.25, 0.75], axis=0)
    least = _ROBUST_SHARE * np.ptp(train, axis=0)
    scale = np.maximum(np.maximum((high - low) / 1.349, least), LEAST_SCALE)
    deviations = np.sort(np.abs((test - median) / scale), axis=1)
    total: FloatArray = deviations[:, -TOP_METRICS:].sum(axis=1)
    return total


def isolate(train: FloatArray, test: FloatArray) -> FloatArray:
    """Return the scores of scikit-learn's IsolationForest."""
    model = IsolationForest(random_state=0).fit(train)
    return np.asarray(-model.score_samples(test), dtype=np.float64)


def cut_in_half(train: FloatArray, test: FloatArray) -> FloatArray:
    """Return the scores of river's HalfSpaceTrees behind its MinMaxScaler, as river advises.

    25 trees of height 8, in windows of 250; they go on learning.
    """
    trees: Any = MinMaxScaler() | HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=0)
    scores = []
    for number, row in enumerate(np.vstack([train, test])):
        point = dict(enumerate(row.tolist()))
        if number >= len(train):
            scores.append(trees.score_one(point))
        trees.learn_one(point)
    return np.array(scores)


def fill_absent(train: FloatArray, test: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both with what is absent (NaN) replaced by the metric's median in train."""
    known = np.isfinite(train)
    filled = np.where(known.any(axis=0), train, 0.0)
    median = np.nanmedian(np.where(np.isfinite(filled), filled, np.nan), axis=0)
    return np.where(known, train, median), np.where(np.isfinite(test), test, median)


RIVALS: Mapping[str, Detector] = {
    "half_space_trees": cut_in_half,
    "isolation_forest": isolate,
    "robust_z_top5": rate_robustly,
    "pca": reconstruct_by_pca,
}
