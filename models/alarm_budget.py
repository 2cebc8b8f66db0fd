# SPDX-License-Identifier: Apache-2.0
"""How many false drift alarms are tolerated, and the thresholds that follow from it.

The budget is one figure for everything that is watched, shared out by halves to series and to
features of days (`halve`): the more series, the less each may cry.
Thresholds are those of Page's CUSUM (Page and Hinkley's test): Siegmund's approximation of its
average run length, with the decay rate of the tail corrected for skewness and excess kurtosis.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

MINUTES_PER_DAY = 1440
MOST_PER_SERIES = 0.001  # false alarms a day, however few series there are
_OVERSHOOT = 1.166  # Siegmund's correction for discrete time: 2 x 0.583


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmBudget:
    """The tolerated number of false drift alarms a day over all that shares it."""

    false_alarms_per_day: float = 0.1

    def halve(self) -> "AlarmBudget":
        """Return the budget of one of two kinds of things that are watched."""
        return AlarmBudget(false_alarms_per_day=self.false_alarms_per_day / 2)

    def per_series(self, n_series: int) -> float:
        """Return the tolerated false alarms a day of one of so many series.

        The number of series is rounded up to a power of two: thresholds must not move with
        every new device model.
        """
        rounded = 1 << max(0, math.ceil(math.log2(max(1, n_series))))
        return min(MOST_PER_SERIES, self.false_alarms_per_day / rounded)


@lru_cache(maxsize=4096)
def decision_interval(reference: float, run_length: float) -> float:
    """Return the threshold h of a one-sided CUSUM of standard normal samples.

    Args:
        reference: k, what is taken off each sample, in standard deviations.
        run_length: the wanted mean number of samples between false alarms.

    Source: D. Siegmund, Sequential Analysis (1985): ARL = (exp(2kb) - 2kb - 1) / (2k^2) with
    b = h + 1.166.

    """
    wanted = 2.0 * reference**2 * run_length
    exponent = math.log1p(wanted)
    for _ in range(30):  # a contraction: its derivative is below 1 / (1 + wanted)
        exponent = math.log(wanted + exponent + 1.0)
    return max(0.0, exponent / (2.0 * reference) - _OVERSHOOT)


def tail_exponent(reference: float, skewness: float, excess_kurtosis: float) -> float:
    """Return theta with E[exp(theta (z - k))] = 1: how fast a CUSUM's tail falls.

    It is 2k for normal samples and less for skewed or heavy-tailed ones. Solved on the first four
    cumulants; skewness counts by its size, for both directions are watched.

    Source: Lundberg's equation, S. Asmussen, Applied Probability and Queues (2003), ch. XIII.
    """
    skew, kurtosis = abs(skewness), max(0.0, excess_kurtosis)
    theta = 2.0 * reference
    for _ in range(20):  # Newton; the left side is convex and increasing
        value = theta / 2.0 + skew * theta**2 / 6.0 + kurtosis * theta**3 / 24.0 - reference
        slope = 0.5 + skew * theta / 3.0 + kurtosis * theta**2 / 8.0
        theta -= value / slope
    return theta


def cusum_threshold(
    reference: float, *, false_alarms_per_day: float, skewness: float, excess_kurtosis: float
) -> float:
    """Return h of a two-sided CUSUM on one sample a minute of zero mean and unit variance."""
    run_length = 2.0 * MINUTES_PER_DAY / false_alarms_per_day
    normal = decision_interval(reference, run_length)
    return normal * 2.0 * reference / tail_exponent(reference, skewness, excess_kurtosis)
