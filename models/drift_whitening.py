# SPDX-License-Identifier: Apache-2.0
"""Turns the deseasonalised samples of one series into white, standardised innovations.

Detectors of change assume independent samples. So an autoregression (Yule and Walker's, by
Levinson's recursion on forgetful autocovariances) takes out what the last samples foretell, and
what correlation is left over is paid for in the scale: a long-run variance by batch means of
the innovations, at two lengths (prewhitening: Andrews and Monahan, 1992).
"""

import math
from dataclasses import dataclass, field

ORDER = 3
MEMORY = 10_080.0  # samples: a week
_REFIT_SAMPLES = 60
_CLIP_FROM = 200  # samples, from which outliers are told
_CLIP = 4.0
INNOVATION_CLIP = 5.0
_BATCHES = (30, 240)  # samples
_BATCH_MEMORY = (480.0, 120.0)
_PRIOR_BATCHES = 20.0  # as if so many had shown white innovations
_MOST_CORRELATED = 0.999
_LEAST_VARIANCE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Innovation:
    """A standardised innovation: by the scale for quick changes, and by the one for slow ones."""

    fast: float
    slow: float


@dataclass(slots=True)
class Whitener:
    """Moments of one series; plain numbers."""

    covariances: list[float] = field(default_factory=lambda: [0.0] * (ORDER + 1))
    coefficients: list[float] = field(default_factory=lambda: [0.0] * ORDER)
    lags: list[float] = field(default_factory=list)  # the newest first
    variance: float = 0.0  # of innovations
    skewness: float = 0.0  # third and fourth moment of the standardised innovations
    kurtosis: float = 3.0
    n_samples: int = 0
    batch_sums: list[float] = field(default_factory=lambda: [0.0] * len(_BATCHES))
    batch_fill: list[int] = field(default_factory=lambda: [0] * len(_BATCHES))
    batch_ratios: list[float] = field(default_factory=lambda: [1.0] * len(_BATCHES))
    n_batches: list[int] = field(default_factory=lambda: [0] * len(_BATCHES))
    _factors: tuple[float, float] | None = None

    @property
    def deviation(self) -> float:
        """Return the standard deviation of the series around its season."""
        return math.sqrt(max(self.covariances[0], _LEAST_VARIANCE))

    @property
    def gain(self) -> float:
        """Return how much of a lasting shift shows in each innovation."""
        return max(1.0 - sum(self.coefficients), 1.0 - _MOST_CORRELATED)

    @property
    def slow_scale(self) -> float:
        """Return the deviation by which slow changes are standardised, in the series' unit."""
        return math.sqrt(max(self.variance, _LEAST_VARIANCE)) * self._find_factors()[1]

    def _find_factors(self) -> tuple[float, float]:
        """Return by what quick and slow changes' deviations exceed the innovations' own."""
        if self._factors is None:
            counts = map(min, self.n_batches, _BATCH_MEMORY)
            quick, slow = (
                (_PRIOR_BATCHES + n * ratio) / (_PRIOR_BATCHES + n)
                for n, ratio in zip(counts, self.batch_ratios, strict=True)
            )
            self._factors = math.sqrt(max(1.0, quick)), math.sqrt(max(1.0, quick, slow))
        return self._factors

    def whiten(self, residual: float) -> Innovation | None:
        """Take in a sample less level and season; None while the lags are filling."""
        bounded = residual
        if self.n_samples >= _CLIP_FROM:
            limit = _CLIP * self.deviation
            bounded = min(limit, max(-limit, residual))
        innovation = None
        if len(self.lags) == ORDER:
            a, b, c = self.coefficients
            x, y, z = self.lags
            innovation = self._standardise(residual - a * x - b * y - c * z)
        self._learn(bounded)
        self.lags.insert(0, bounded)
        del self.lags[ORDER:]
        return innovation

    def forget_lags(self) -> None:
        """A gap: the next sample does not follow the last one."""
        self.lags.clear()

    def move(self, shift: float) -> None:
        """The level is another one: the last samples are seen from there."""
        self.lags = [lag - shift for lag in self.lags]

    def _learn(self, residual: float) -> None:
        self.n_samples += 1
        covariances = self.covariances
        rate = 1.0 / min(self.n_samples, MEMORY)
        covariances[0] += rate * (residual * residual - covariances[0])
        if len(self.lags) < ORDER:
            return
        for lag, earlier in enumerate(self.lags, start=1):
            covariances[lag] += rate * (residual * earlier - covariances[lag])
        if self.n_samples % _REFIT_SAMPLES == 0:
            self.coefficients = solve_levinson(covariances)

    def _standardise(self, innovation: float) -> Innovation:
        deviation = math.sqrt(max(self.variance, _LEAST_VARIANCE))
        for_fast, for_slow = self._find_factors()
        fast, slow = deviation * for_fast, deviation * for_slow
        if self.n_samples >= _CLIP_FROM:
            limit = INNOVATION_CLIP * fast
            innovation = min(limit, max(-limit, innovation))
        rate = 1.0 / min(self.n_samples, MEMORY)
        self.variance += rate * (innovation * innovation - self.variance)
        self._add_to_batches(innovation)
        z = innovation / fast
        if self.n_samples >= _CLIP_FROM:
            self.skewness += rate * (z**3 - self.skewness)
            self.kurtosis += rate * (z**4 - self.kurtosis)
        return Innovation(fast=z, slow=innovation / slow)

    def _add_to_batches(self, innovation: float) -> None:
        for index, length in enumerate(_BATCHES):
            self.batch_sums[index] += innovation
            self.batch_fill[index] += 1
            if self.batch_fill[index] == length:
                self._close_batch(index)

    def _close_batch(self, index: int) -> None:
        squared = self.batch_sums[index] ** 2 / _BATCHES[index]
        self.batch_sums[index], self.batch_fill[index] = 0.0, 0
        if self.n_samples < _CLIP_FROM:
            return
        self._factors = None
        self.n_batches[index] += 1
        rate = 1.0 / min(self.n_batches[index], _BATCH_MEMORY[index])
        ratio = squared / max(self.variance, _LEAST_VARIANCE)
        self.batch_ratios[index] += rate * (ratio - self.batch_ratios[index])


def solve_levinson(covariances: list[float]) -> list[float]:
    """Return the Yule-Walker coefficients of autocovariances at lags 0, 1, ..., n.

    Source: N. Levinson (1946), J. Durbin (1960). A series that does not vary foretells nothing.
    """
    error = covariances[0]
    coefficients: list[float] = []
    for order in range(len(covariances) - 1):
        if error <= _LEAST_VARIANCE:
            break
        rest = covariances[order + 1] - sum(
            coefficient * covariances[order - index]
            for index, coefficient in enumerate(coefficients)
        )
        reflection = min(_MOST_CORRELATED, max(-_MOST_CORRELATED, rest / error))
        coefficients = [
            coefficient - reflection * coefficients[order - 1 - index]
            for index, coefficient in enumerate(coefficients)
        ] + [reflection]
        error *= 1.0 - reflection**2
    return coefficients + [0.0] * (len(covariances) - 1 - len(coefficients))
