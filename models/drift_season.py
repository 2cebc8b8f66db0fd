# SPDX-License-Identifier: Apache-2.0
"""The week of one series, learnt by quarters of an hour: what is usual now, on this weekday.

Raw means would add their own noise to every sample. So they are shrunk in the frequency domain: a
harmonic is kept only where it stands out from what the same quarter's mean varies from day to
day (hard thresholding, Donoho and Johnstone, 1994). Noise without a season leaves none. A day
that may be somebody's weekend is learnt once before it is judged.
"""

import math
from array import array
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from models.signals import FloatArray

SLOT_SECONDS = 900
DAY_SLOTS = 96
_HOUR_SLOTS = 4
N_SLOTS = 7 * DAY_SLOTS
MEMORY_WEEKS = 6
_WARM_UP_DAYS = 2
_WORKING_DAYS = 4  # Monday to Thursday; any of the others is weekend somewhere
_WEEK_SECONDS = N_SLOTS * SLOT_SECONDS
_MONDAY = 3 * 86_400  # 1970 began on a Thursday
_VARIANCE_MEMORY = 14.0 * DAY_SLOTS
_CLIP = 4.0
_EDGE = 6.0  # times the other steps' median and their noise
_MOST_CORRELATED = 0.95
_RUNS = (1, 2, 4, 8)
_LONGEST_RUN = 8
_STANDS_OUT = 4.0


def slot_of(moment: float) -> int:
    """Return the quarters since Monday 0:00 UTC of a moment in seconds since 1970."""
    return int((moment + _MONDAY) % _WEEK_SECONDS) // SLOT_SECONDS


@dataclass(slots=True)
class WeeklySeason:
    """Means of the quarters of the week; `visits` says in how many weeks each was seen.

    Completed quarters wait until their hour is over, so that the season changes once an hour.
    """

    means: "array[float]" = field(default_factory=lambda: array("f", bytes(4 * N_SLOTS)))
    visits: bytearray = field(default_factory=lambda: bytearray(N_SLOTS))
    variance: float = 0.0  # of a quarter's mean from day to day
    covariance: float = 0.0  # of two such quarters that follow one another
    last_difference: float = 0.0
    n_differences: int = 0
    slot: int = -1  # the quarter that is being added up
    total: float = 0.0
    n_samples: int = 0
    waiting: list[tuple[int, float]] = field(default_factory=list)  # slots and their means
    _knots: "array[float] | None" = None
    _edges: bytes = b""
    _n_working: int | None = None

    def expect(self, moment: float) -> float:
        """Return the season at a moment: a cubic through the middles of the quarters.

        Where two quarters differ by far more than others do, the season jumps between them.
        """
        knots = self._knots
        if knots is None:
            known = (self.means.tobytes(), bytes(self.visits), self._noise, self._correlation)
            knots, self._edges = _smooth(*known)
            self._knots = knots
        position = ((moment + _MONDAY) % _WEEK_SECONDS) / SLOT_SECONDS - 0.5
        left = math.floor(position)
        t = position - left
        edges, i, j = self._edges, left % N_SLOTS, (left + 1) % N_SLOTS
        here, after = knots[i], knots[j]
        if edges[i]:
            return here if t < 0.5 else after
        slope_here = 0.0 if edges[i - 1] else (after - knots[i - 1]) / 2.0
        slope_after = 0.0 if edges[j] else (knots[(j + 1) % N_SLOTS] - here) / 2.0
        bend = here - after
        cubic = 2.0 * bend + slope_here + slope_after
        return here + t * (slope_here + t * (-bend - slope_here - cubic + t * cubic))

    @property
    def is_learnt(self) -> bool:
        """Tell whether the warm-up is over: two days that are nobody's weekend."""
        return self._count_working() >= _WARM_UP_DAYS * DAY_SLOTS

    @property
    def mean(self) -> float:
        """Return the mean of the quarters of working days that were learnt."""
        n_working = _WORKING_DAYS * DAY_SLOTS
        pairs = zip(self.means[:n_working], self.visits[:n_working], strict=True)
        known = [mean for mean, n_visits in pairs if n_visits]
        return sum(known) / len(known) if known else 0.0

    def is_familiar(self, moment: float) -> bool:
        """Tell whether something is known of this quarter: it, or on working days its like."""
        slot = slot_of(moment)
        if self._count_working() < DAY_SLOTS:
            return False
        if slot // DAY_SLOTS >= _WORKING_DAYS:
            return self.visits[slot] > 0
        return any(self.visits[slot % DAY_SLOTS : _WORKING_DAYS * DAY_SLOTS : DAY_SLOTS])

    def move(self, shift: float) -> None:
        """Take a shift of level out of the quarter that is being added up."""
        self.total -= shift * self.n_samples

    def add(self, moment: float, value: float) -> bool:
        """Take in a sample; return whether a quarter was completed with it."""
        slot = slot_of(moment)
        completed = slot != self.slot and self.slot >= 0
        if completed:
            self.waiting.append((self.slot, self.total / self.n_samples))
            if slot // _HOUR_SLOTS != self.slot // _HOUR_SLOTS:
                self._take_in_waiting()
        if slot != self.slot:
            self.slot, self.total, self.n_samples = slot, 0.0, 0
        self.total += value
        self.n_samples += 1
        return completed

    def _take_in_waiting(self) -> None:
        for slot, mean in self.waiting:
            self._take_in(slot, mean)
        self.waiting.clear()
        self._knots = self._n_working = None

    def _count_working(self) -> int:
        """Return how many quarters of days that are nobody's weekend were learnt."""
        if self._n_working is None:
            self._n_working = sum(self.visits[: _WORKING_DAYS * DAY_SLOTS])
        return self._n_working

    def _take_in(self, slot: int, mean: float) -> None:
        n_visits = self.visits[slot]
        expected, n_expected = self._predict(slot)
        difference = mean - expected
        if n_expected:
            difference = self._note_difference(difference, n_expected)
        weight = 1.0 / (n_visits + 1)  # of a quarter's first visit: all
        self.means[slot] = expected + difference * weight
        self.visits[slot] = min(n_visits + 1, MEMORY_WEEKS - 1)

    def _predict(self, slot: int) -> tuple[float, int]:
        """Return what a quarter's mean should be, and from how many days that is known."""
        if self.visits[slot]:
            return self.means[slot], self.visits[slot]
        if slot // DAY_SLOTS >= _WORKING_DAYS:
            return 0.0, 0
        alike = [
            self.means[other]
            for other in range(slot % DAY_SLOTS, _WORKING_DAYS * DAY_SLOTS, DAY_SLOTS)
            if self.visits[other]
        ]
        return (sum(alike) / len(alike), len(alike)) if alike else (0.0, 0)

    def _note_difference(self, difference: float, n_expected: int) -> float:
        """Learn how much quarters' means vary; return the difference, clipped to what is usual."""
        if self.n_differences >= DAY_SLOTS and self.variance > 0:
            limit = _CLIP * math.sqrt(self.variance * (1.0 + 1.0 / n_expected))
            difference = min(limit, max(-limit, difference))
        self.n_differences += 1
        scaled = difference * math.sqrt(n_expected / (n_expected + 1.0))
        rate = 1.0 / min(self.n_differences, _VARIANCE_MEMORY)
        self.variance += rate * (scaled**2 - self.variance)
        self.covariance += rate * (scaled * self.last_difference - self.covariance)
        self.last_difference = scaled
        return difference

    @property
    def _noise(self) -> float:
        return self.variance if self.n_differences >= DAY_SLOTS else 0.0

    @property
    def _correlation(self) -> float:
        if self.variance <= 0:
            return 0.0
        return min(_MOST_CORRELATED, max(0.0, self.covariance / self.variance))


@lru_cache(maxsize=2048)  # of 10 kB each: stored series are loaded again every minute
def _smooth(
    means: bytes, visits: bytes, noise: float, correlation: float
) -> "tuple[array[float], bytes]":
    """Return the knots of a season, of zero mean on working days, and whether it jumps after each.

    Args:
        means: of the quarters, single precision.
        visits: of the quarters.
        noise: variance of a quarter's mean.
        correlation: of quarters' means that follow one another.

    """
    n_visits = np.frombuffer(visits, dtype=np.uint8).astype(float).reshape(7, DAY_SLOTS)
    profile = np.frombuffer(means, dtype=np.float32).astype(float).reshape(7, DAY_SLOTS)
    weights = n_visits[:_WORKING_DAYS]
    n_days = weights.sum(axis=0)
    known = n_days > 0
    if not known.any():
        return array("d", bytes(8 * N_SLOTS)), bytes(N_SLOTS)
    daily = (weights * profile[:_WORKING_DAYS]).sum(axis=0) / np.maximum(n_days, 1.0)
    daily[~known] = daily[known].mean()
    least = float(n_days[known].min())
    knots = np.tile(_denoise(daily, noise / least, correlation), 7)
    if n_visits.any(axis=1).all():
        weekly = np.where(n_visits > 0, profile - daily, 0.0).ravel()
        share = 1.0 / float(n_visits[n_visits > 0].min()) + 1.0 / least
        knots = knots + _denoise(weekly, noise * share, correlation)
    centred = knots - knots[: _WORKING_DAYS * DAY_SLOTS].mean()
    return array("d", centred.tobytes()), _find_edges(knots, noise / least)


def _denoise(profile: FloatArray, variance: float, correlation: float) -> FloatArray:
    """Return a cyclic profile, shape (n,), without what noise could be.

    The noise is taken for an AR(1). Harmonics are kept that stand out, and where the rest stands
    out over one to eight slots (an edge has no few harmonics) the profile is kept as it is.
    Of noise alone about one profile in ten keeps anything.
    """
    n_slots = len(profile)
    spectrum = np.fft.rfft(profile - profile.mean())
    angles = 2.0 * np.pi * np.arange(len(spectrum)) / n_slots
    density = (1.0 - correlation**2) / (1.0 + correlation**2 - 2.0 * correlation * np.cos(angles))
    # Powers of noise are exponential, with mean n x variance x density.
    limit = math.log(10.0 * n_slots / 2.0) * n_slots * variance * density
    spectrum[np.abs(spectrum) ** 2 <= limit] = 0.0
    smooth = np.fft.irfft(spectrum, n=n_slots) + profile.mean()
    rest = profile - smooth
    doubled = np.concatenate([[0.0], np.cumsum(np.concatenate([rest, rest[:_LONGEST_RUN]]))])
    kept = np.zeros(n_slots, dtype=bool)
    for length in _RUNS:
        sums = doubled[length : n_slots + length] - doubled[:n_slots]
        spread = math.sqrt(length * variance * _variance_inflation(correlation, length))
        for start in np.flatnonzero(np.abs(sums) > _STANDS_OUT * spread):
            kept[np.arange(start, start + length) % n_slots] = True
    return np.where(kept, profile, smooth)


def _variance_inflation(correlation: float, length: int) -> float:
    """Return the variance of a sum of AR(1) noise over that of as many independent samples."""
    lags = np.arange(1, length)
    return float(1.0 + 2.0 * np.sum((1.0 - lags / length) * correlation**lags))


def _find_edges(knots: FloatArray, variance: float) -> bytes:
    """Return a byte a knot: whether the season jumps after it."""
    steps = np.abs(np.roll(knots, -1) - knots)
    around = np.maximum(np.roll(steps, 1), np.roll(steps, -1))
    usual = _EDGE * max(float(np.median(steps)), math.sqrt(2.0 * variance))
    return bytes(((steps > usual) & (steps > 3.0 * around)).tolist())
