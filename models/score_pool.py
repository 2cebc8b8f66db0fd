# SPDX-License-Identifier: Apache-2.0
"""Rolling conformal p-values with an exponential tail: how rare a score is, lately.

A score is ranked among those of the recent past (Vovk et al., "Algorithmic Learning in a Random
World", 2005), whose counts decay with time. Ranks end at one in the number of scores. Beyond the
98 % quantile the tail is taken to be exponential with the mean excess of what lies there (peaks
over threshold, Pickands, 1975, with a shape of zero: scores are logarithms). Counts are sums, so
that pools of several workers add up.
"""

import math

import numpy as np

from models.signals import FloatArray

N_BINS = 600
HIGHEST_SCORE = 12.0
TAIL_SHARE = 0.02
LEAST_WEIGHT = 300.0  # below, nothing is called rare
ROLLING_WEIGHT = 2_000.0  # what is kept however slowly reports come
_EDGES = np.linspace(0.0, HIGHEST_SCORE, N_BINS + 1)
_MIDDLES = (_EDGES[:-1] + _EDGES[1:]) / 2
_BIN = HIGHEST_SCORE / N_BINS
_REFRESH_SHARE = 0.01


class ScorePool:
    """Decayed counts of scores in [0, 12], and the tail fitted to them."""

    def __init__(self) -> None:
        self.counts: FloatArray = np.zeros(N_BINS)
        self._above: FloatArray = np.zeros(N_BINS + 1)
        self._threshold = HIGHEST_SCORE
        self._tail_share = 1.0
        self._mean_excess = 1.0
        self._fitted_weight = 0.0
        self._added = 0.0

    @property
    def weight(self) -> float:
        """Return how many scores the pool amounts to."""
        return float(self.counts.sum())

    @property
    def is_ready(self) -> bool:
        """Tell whether there is enough of a past to call anything rare."""
        return self._fitted_weight >= LEAST_WEIGHT

    def decay(self, factor: float) -> None:
        """Let the past count less; never so that too little of it remains to tell what is rare."""
        weight = self.weight
        if weight > ROLLING_WEIGHT:
            self.counts *= max(factor, ROLLING_WEIGHT / weight)

    def add(self, scores: FloatArray, limit_p_value: float = 0.0) -> None:
        """Count scores; those rarer than the limit count as being as rare as that.

        Args:
            scores: shape (n,).
            limit_p_value: what is rarer must not drag the tail along; 0 for no limit.

        """
        limit = self.quantile(limit_p_value) if limit_p_value else HIGHEST_SCORE
        bins = np.minimum(np.minimum(scores, limit) / _BIN, N_BINS - 1)
        self.counts += np.bincount(bins.astype(np.int64), minlength=N_BINS)
        self._added += len(scores)
        if self._added >= _REFRESH_SHARE * self._fitted_weight:
            self.refit()

    def refit(self) -> None:
        """Fit the tail to the counts."""
        above = np.concatenate([np.cumsum(self.counts[::-1])[::-1], [0.0]])
        weight = float(above[0])
        self._added, self._fitted_weight = 0.0, weight
        if weight <= 0.0:
            return
        first = max(int(np.searchsorted(-above, -TAIL_SHARE * weight)) - 1, 0)
        self._above = above / weight
        self._threshold = float(_EDGES[first])
        self._tail_share = float(self._above[first])
        excess = _MIDDLES[first:] - self._threshold
        self._mean_excess = max(float(self.counts[first:] @ excess) / float(above[first]), _BIN)

    def p_values(self, scores: FloatArray) -> FloatArray:
        """Return the p-value of each score, shape (n,), 1 while the pool is too young."""
        if not self.is_ready:
            return np.ones(len(scores))
        bins = np.clip(scores / _BIN, 0, N_BINS - 1).astype(np.int64)
        excess = np.maximum(scores - self._threshold, 0.0)
        tail = self._tail_share * np.exp(-excess / self._mean_excess)
        seen = self._above[bins]  # what was seen so often is not rarer, whatever the tail says
        return np.maximum(np.where(scores > self._threshold, np.maximum(tail, seen), seen), 1e-300)

    def quantile(self, p_value: float) -> float:
        """Return the score that is as rare as this; the highest score while the pool is young."""
        if not self.is_ready:
            return HIGHEST_SCORE
        if p_value >= self._tail_share:
            return float(_EDGES[max(int(np.searchsorted(-self._above, -p_value)) - 1, 0)])
        rarer = self._threshold + self._mean_excess * math.log(self._tail_share / p_value)
        return min(rarer, HIGHEST_SCORE)
