# SPDX-License-Identifier: Apache-2.0
"""Since when a series has been different: the likeliest moment, and an interval around it.

Each moment is weighed by how much better a changed mean from there on explains what came after
(Hinkley, 1970; Barry and Hartigan, 1993, for one change and a flat prior over the moments).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.signals import FloatArray

CREDIBILITY = 0.95
_LEAST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Indices of the first changed sample: likeliest, earliest, latest; the mean since it."""

    index: int
    earliest: int
    latest: int
    mean: float


def find_change(samples: Sequence[float]) -> ChangePoint:
    """Return where the mean of white samples of unit variance, oldest first, left zero.

    The interval holds the change with probability `CREDIBILITY` if there was one.

    Raises:
        ValueError: there are no samples.

    """
    values = np.asarray(samples, dtype=float)
    if not len(values):
        message = "no samples to look for a change in"
        raise ValueError(message)
    n_after = np.arange(len(values), 0, -1)
    means = np.cumsum(values[::-1])[::-1] / n_after
    return _choose(means**2 * n_after / 2.0 - 0.5 * np.log(n_after), means)


def find_split(samples: Sequence[float]) -> ChangePoint:
    """Return where independent samples, oldest first, left a mean that nobody knows.

    Their variance is taken from the samples, around both means of the best split.

    Raises:
        ValueError: there are fewer than two samples.

    """
    values = np.asarray(samples, dtype=float)
    n_samples = len(values)
    if n_samples < 2:
        message = "a change needs a sample before it and one after"
        raise ValueError(message)
    n_before = np.arange(1, n_samples)
    n_after = n_samples - n_before
    sums = np.cumsum(values)[:-1]
    means = (values.sum() - sums) / n_after
    gains = n_before * n_after / n_samples * (means - sums / n_before) ** 2
    variance = max(float(((values - values.mean()) ** 2).sum() - gains.max()) / n_samples, _LEAST)
    harmonic = n_before * n_after / n_samples
    found = _choose(gains / (2.0 * variance) - 0.5 * np.log(harmonic), means)
    return ChangePoint(
        index=found.index + 1,
        earliest=found.earliest + 1,
        latest=found.latest + 1,
        mean=found.mean,
    )


def _choose(evidence: FloatArray, means: FloatArray) -> ChangePoint:
    weights = np.exp(evidence - evidence.max())
    cumulated = np.cumsum(weights) / weights.sum()
    index = int(np.argmax(evidence))
    tail = (1.0 - CREDIBILITY) / 2.0
    last = len(means) - 1
    return ChangePoint(
        index=index,
        earliest=min(index, int(np.searchsorted(cumulated, tail))),
        latest=max(index, min(last, int(np.searchsorted(cumulated, 1.0 - tail)))),
        mean=float(means[index]),
    )
