# SPDX-License-Identifier: Apache-2.0
"""Which devices a person should hear of: evidence, a bound on false discoveries, episodes.

Each report's surprise, -ln p, feeds a one-sided cumulative sum (Page, "Continuous inspection
schemes", 1954) that forgets what is ordinary; one report adds a bounded amount, so that no single
one raises an alarm. A sum that rises and falls back without an alarm is an excursion: what healthy
devices do. Excursions are counted by the metric that drove them and by their height, with an
exponential tail beyond what was seen, so that for any sum the fleet knows how many as high it
expects a day. What drives a sum is what it is most of, not what the last report names. The time
that counts is ours: a queue of old reports is no time that passed. An episode opens where that
number, over all metrics (Bonferroni), is at most a share of the devices that a day tells of: the
Benjamini-Hochberg bound (1995), in counts. A device counts once a day, because one fault may make
many episodes. The number has a floor, the alarm budget: a fleet that has no faults may still be
wrong now and then. An episode ends when its device has been ordinary for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.device_baselines import BoolArray, RowArray
from models.errors import StateFormatError
from models.signals import FloatArray

FALSE_DISCOVERY_RATE = 0.1
BUDGET_EPISODES = 0.005  # a device and day that a fleet is supposed to have, at least
ALLOWANCE = 4.0  # surprise of a report that changes no sum: e^-4 of them surprise more
MOST_SURPRISE = 12.0  # that one report counts for
MOST_EVIDENCE = 200.0
MOST_LEAD = 2 * MOST_SURPRISE  # of a metric: a fault of another is heard after a few reports
CALM_P_VALUE = 0.05
CALM_REPORTS = 10  # in a row that end an episode
DAY_SECONDS = 86_400.0
HALF_LIFE_SECONDS = 3 * DAY_SECONDS
LEARNING_SECONDS = DAY_SECONDS  # a fleet's first day raises no statistical alarm
COUNTED_SECONDS = 1_800.0  # between two excursions of one device that count
TOLD_SECONDS = DAY_SECONDS  # between two of its episodes that count: a fault may make many
MOST_ELAPSED_SECONDS = 3_600.0  # between two batches; more is silence
N_HEIGHTS = 101
_TAIL_EXCURSIONS = 10.0  # highest ones of a metric, that its tail is fitted to
_PRIOR_EXCURSIONS = 0.2  # imagined ones of a metric that never had any,
_PRIOR_EXCESS = 6.0  # and how high those reach, on average
_PRIOR_WEIGHT = 3.0
_REFIT_SECONDS = 600.0
_GREATEST_SUM = 1e12  # of counts, and of seconds: what is more nobody has lived through
_STEP = MOST_EVIDENCE / (N_HEIGHTS - 1)
_HEIGHTS = np.arange(N_HEIGHTS) * _STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """What became of a batch's devices, each of shape (n,)."""

    evidence: FloatArray
    false_a_day: FloatArray  # excursions as high that healthy devices are expected to make
    is_open: BoolArray  # an episode goes on
    has_opened: BoolArray  # with this report
    has_ended: BoolArray


class ExcursionPool:
    """How high healthy devices' sums rise, by driving metric: decayed counts and their tails."""

    def __init__(self, n_metrics: int) -> None:
        self.counts: FloatArray = np.zeros((n_metrics, N_HEIGHTS))
        self.exposure_seconds = 0.0  # in which they were made, decaying as they do
        self.learnt_seconds = 0.0  # the same, not decaying
        self.seconds = 0.0
        self._expected: FloatArray | None = None
        self._fitted_at = 0.0

    @property
    def has_learnt(self) -> bool:
        """Tell whether the first day is over."""
        return self.learnt_seconds >= LEARNING_SECONDS

    def begin(self, seconds: float) -> None:
        """Let a fleet that was never heard begin to learn now, whatever its first reports say."""
        self.seconds = self.seconds or seconds

    def decay_to(self, seconds: float) -> float:
        """Let the past count less; return the seconds that passed, without silences.

        While the whole fleet says nothing (a weekend, say) nothing counts and nothing decays.
        """
        elapsed = max(seconds - self.seconds, 0.0) if self.seconds else 0.0
        self.seconds = max(self.seconds, seconds)
        elapsed = min(elapsed, MOST_ELAPSED_SECONDS)
        self.age(elapsed)
        return elapsed

    def age(self, elapsed_seconds: float) -> None:
        """Let so much time pass in which the fleet spoke."""
        factor = 0.5 ** (elapsed_seconds / HALF_LIFE_SECONDS)
        self.counts *= factor
        self.exposure_seconds = self.exposure_seconds * factor + elapsed_seconds
        self.learnt_seconds += elapsed_seconds

    def export_times(self) -> FloatArray:
        """Return exposure, time of learning and the latest moment, in seconds."""
        return np.array([self.exposure_seconds, self.learnt_seconds, self.seconds])

    def restore(self, counts: FloatArray, times: FloatArray) -> None:
        """Replace counts and what `export_times` gave."""
        self.counts = counts.copy()
        self.exposure_seconds, self.learnt_seconds, self.seconds = (float(each) for each in times)
        self._expected = None

    def add(self, drivers: RowArray, heights: FloatArray) -> None:
        """Count excursions that ended without an alarm, each of shape (n,)."""
        np.add.at(self.counts, (drivers, _level_of(heights)), 1.0)

    def expect(self, drivers: RowArray, heights: FloatArray) -> FloatArray:
        """Return how many excursions as high the fleet makes a day, over all metrics; (n,)."""
        if self._expected is None or self.seconds - self._fitted_at >= _REFIT_SECONDS:
            self._expected, self._fitted_at = self._fit(), self.seconds
        expected = self._expected[drivers, _level_of(heights)] * len(self.counts)
        return np.asarray(expected, dtype=np.float64)

    def _fit(self) -> FloatArray:
        days = max(self.exposure_seconds, DAY_SECONDS / 2) / DAY_SECONDS
        imagined = _PRIOR_EXCURSIONS * np.exp(-_HEIGHTS / _PRIOR_EXCESS)
        fitted = [_fit_tail(counts) + imagined for counts in self.counts]
        return np.asarray(np.array(fitted) / days, dtype=np.float64)


def _weigh_drivers(
    state: Mapping[str, npt.NDArray[Any]], drivers: RowArray, weights: FloatArray
) -> tuple[RowArray, FloatArray]:
    """Return what each excursion is most of, by weighted majority vote, and its lead; both (n,).

    Boyer and Moore's vote, in "Automated Reasoning" (1991). A single report of one metric does not
    rename what another one drove for hours: heights of the two are worlds apart.
    """
    known, lead = state["driver"].astype(np.int64), state["lead"].astype(np.float64)
    after = lead + np.where(drivers == known, weights, -weights)
    return np.where(after < 0, drivers, known), np.minimum(np.abs(after), MOST_LEAD)


def _level_of(heights: FloatArray) -> RowArray:
    return np.clip(heights / _STEP, 0, N_HEIGHTS - 1).astype(np.int64)


def _fit_tail(counts: FloatArray) -> FloatArray:
    """Return how many excursions reach each height, with a tail beyond the ten highest."""
    reaching = np.cumsum(counts[::-1])[::-1]
    total = float(reaching[0])
    if total <= 0.0:
        return np.zeros(N_HEIGHTS)
    first = max(int(np.searchsorted(-reaching, -min(_TAIL_EXCURSIONS, total))) - 1, 0)
    excess = float((_HEIGHTS[first:] - _HEIGHTS[first] + _STEP / 2) @ counts[first:])
    prior = _PRIOR_WEIGHT * _PRIOR_EXCESS
    mean = (excess + prior) / (float(reaching[first]) + _PRIOR_WEIGHT)
    tail = reaching[first] * np.exp(-np.maximum(_HEIGHTS - _HEIGHTS[first], 0.0) / mean)
    highest = np.maximum(tail, reaching)  # below the first of the ten the tail is flat, and lower
    return np.asarray(highest, dtype=np.float64)


class AlarmMonitor:
    """Keeps evidence and episodes of a fleet, a row a device. Not thread-safe."""

    def __init__(
        self, n_metrics: int, *, false_discovery_rate: float = FALSE_DISCOVERY_RATE
    ) -> None:
        self._rate = false_discovery_rate
        self.pool = ExcursionPool(n_metrics)
        self.episodes = 0.0  # that counted lately, decaying within a day
        self.n_living = 0  # devices that report, as far as others know; they may be more than ours
        self._arrays: dict[str, npt.NDArray[Any]] = {
            "evidence": np.zeros(0, np.float32),
            "height": np.zeros(0, np.float32),  # of the excursion that goes on
            "driver": np.zeros(0, np.int16),  # the metric that this excursion is most of,
            "lead": np.zeros(0, np.float32),  # and by how much evidence it leads the others
            "calm": np.zeros(0, np.uint8),
            "is_open": np.zeros(0, np.bool_),
            "was_open": np.zeros(0, np.bool_),  # the excursion has raised an alarm
        }
        self._seen: FloatArray = np.zeros(0)
        self._counted: FloatArray = np.zeros(0)  # when a device's excursion was counted last,
        self._told: FloatArray = np.zeros(0)  # and when its episode was

    @property
    def bytes_per_device(self) -> int:
        """Return how much memory a device takes."""
        return sum(array.itemsize for array in self._arrays.values()) + sum(
            array.itemsize for array in (self._seen, self._counted, self._told)
        )

    def read(self, rows: RowArray) -> dict[str, npt.NDArray[Any]]:
        """Return the state of some rows, by name."""
        self.grow(int(rows.max(initial=-1)) + 1)
        return {name: array[rows] for name, array in self._arrays.items()}

    def write(self, rows: RowArray, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Replace the state of some rows."""
        self.grow(int(rows.max(initial=-1)) + 1)
        for name, array in self._arrays.items():
            array[rows] = state[name]

    def read_moments(self, rows: RowArray) -> FloatArray:
        """Return when an excursion and an episode of each row were counted last, shape (n, 2).

        In seconds since 1970; -inf for never.
        """
        self.grow(int(rows.max(initial=-1)) + 1)
        return np.column_stack([self._counted[rows], self._told[rows]])

    def write_moments(self, rows: RowArray, seconds: FloatArray) -> None:
        """Replace what `read_moments` gave."""
        self.grow(int(rows.max(initial=-1)) + 1)
        self._counted[rows], self._told[rows] = seconds.T

    def clear(self, rows: RowArray) -> None:
        """Forget some devices."""
        self.grow(int(rows.max(initial=-1)) + 1)
        for array in self._arrays.values():
            array[rows] = 0
        self._seen[rows] = self._counted[rows] = self._told[rows] = -np.inf

    def export(self) -> dict[str, FloatArray]:
        """Return what the fleet has in common as sums, for `restore`."""
        return {
            "excursions": self.pool.counts.copy(),
            "episodes": np.array([self.episodes]),
            "times": self.pool.export_times(),
        }

    def restore(self, sums: Mapping[str, FloatArray]) -> None:
        """Replace what `export` gave.

        Raises:
            StateFormatError: a sum is missing or of another shape. Nothing is changed then.

        """
        known = self.export()
        if any(name not in sums or sums[name].shape != known[name].shape for name in known):
            raise StateFormatError
        if not all(np.all((sums[name] >= 0) & (sums[name] <= _GREATEST_SUM)) for name in known):
            raise StateFormatError
        self.pool.restore(sums["excursions"], sums["times"])
        self.episodes = float(sums["episodes"][0])

    def merge(self, stored: Mapping[str, FloatArray], base: Mapping[str, FloatArray]) -> None:
        """Know what is stored and what was learnt here since `base` was known to both.

        Raises:
            StateFormatError: as of `restore`.

        """
        n_metrics = len(self.pool.counts)
        theirs, past = AlarmMonitor(n_metrics), AlarmMonitor(n_metrics)
        theirs.restore(stored)
        if base:
            past.restore(base)
        latest = max(self.pool.learnt_seconds, theirs.pool.learnt_seconds)
        for each in (self, theirs, past):
            each._age(latest - each.pool.learnt_seconds)  # noqa: SLF001 - of the same class
        learnt = np.maximum(self.pool.counts - past.pool.counts, 0.0)
        times = np.maximum(self.pool.export_times(), theirs.pool.export_times())
        self.pool.restore(theirs.pool.counts + learnt, times)
        self.episodes = theirs.episodes + max(self.episodes - past.episodes, 0.0)

    def _decay_to(self, seconds: float) -> None:
        elapsed = self.pool.decay_to(seconds)
        self.episodes *= float(np.exp(-elapsed / DAY_SECONDS))  # in the long run those of a day

    def _age(self, elapsed_seconds: float) -> None:
        self.pool.age(elapsed_seconds)
        self.episodes *= float(np.exp(-elapsed_seconds / DAY_SECONDS))

    def grow(self, n_rows: int) -> None:
        """Make room for at least so many rows."""
        if n_rows > len(self._seen):
            added = max(n_rows - len(self._seen), len(self._seen) // 8)
            for name, array in self._arrays.items():
                self._arrays[name] = np.concatenate([array, np.zeros(added, array.dtype)])
            self._seen = np.concatenate([self._seen, np.full(added, -np.inf)])
            self._counted = np.concatenate([self._counted, np.full(added, -np.inf)])
            self._told = np.concatenate([self._told, np.full(added, -np.inf)])

    def observe(
        self,
        rows: RowArray,
        seconds: FloatArray,
        p_values: FloatArray,
        drivers: RowArray,
        is_timely: BoolArray | None = None,
    ) -> Alarms:
        """Take in the p-values of a batch's reports.

        Args:
            rows: of the devices, shape (n,), each once.
            seconds: moments of the reports, since 1970, shape (n,).
            p_values: shape (n,).
            drivers: the metric that says most in each report, shape (n,).
            is_timely: which reports may tell what devices do, shape (n,); by default all.

        """
        state = self.read(rows)
        is_timely = np.ones(len(rows), np.bool_) if is_timely is None else is_timely
        self._decay_to(float(seconds.max(initial=0.0)))
        surprise = np.minimum(-np.log(np.maximum(p_values, 1e-300)), MOST_SURPRISE)
        evidence = np.clip(state["evidence"] + surprise - ALLOWANCE, 0.0, MOST_EVIDENCE)
        self._count_ended(rows, state, evidence, seconds, is_timely)
        height = np.where(evidence > 0, np.maximum(state["height"], evidence), 0.0)
        driver, lead = _weigh_drivers(state, drivers, np.maximum(surprise - ALLOWANCE, 0.0))
        self._seen[rows] = seconds
        expected = self.pool.expect(driver, evidence)
        goes_on = (state["evidence"] > 0) & (evidence > 0)  # one report alone raises no alarm
        candidates = np.where(~state["is_open"] & goes_on, expected, np.inf)
        has_opened = self._discover(candidates)
        told = has_opened & is_timely & (seconds - self._told[rows] >= TOLD_SECONDS)
        self.episodes += float(told.sum())
        self._told[rows[told]] = seconds[told]
        calm = np.where(p_values > CALM_P_VALUE, state["calm"].astype(np.int64) + 1, 0)
        has_ended = state["is_open"] & (calm >= CALM_REPORTS)
        is_open = (state["is_open"] | has_opened) & ~has_ended
        self.write(
            rows,
            {
                "evidence": np.where(has_ended, 0.0, evidence),
                "height": np.where(has_ended, 0.0, height),
                "driver": driver,
                "lead": np.where(has_ended | (evidence <= 0), 0.0, lead),
                "calm": np.minimum(calm, 255),
                "is_open": is_open,
                "was_open": (state["was_open"] & (evidence > 0)) | is_open,
            },
        )
        return Alarms(
            evidence=evidence,
            false_a_day=expected,
            is_open=is_open,
            has_opened=has_opened,
            has_ended=has_ended,
        )

    def _count_ended(
        self,
        rows: RowArray,
        state: Mapping[str, npt.NDArray[Any]],
        evidence: FloatArray,
        seconds: FloatArray,
        is_timely: BoolArray,
    ) -> None:
        """Count excursions that are over; a device's say is bounded, however much it reports."""
        ended = (state["evidence"] > 0) & (evidence <= 0) & ~state["was_open"] & ~state["is_open"]
        ended &= is_timely & (seconds - self._counted[rows] >= COUNTED_SECONDS)
        self.pool.add(state["driver"][ended].astype(np.int64), state["height"][ended])
        self._counted[rows[ended]] = seconds[ended]

    def _discover(self, expected: FloatArray) -> BoolArray:
        """Tell which of a batch's sums are discoveries."""
        if not self.pool.has_learnt:
            return np.zeros(len(expected), np.bool_)
        n_seen = int((self._seen > self.pool.seconds - DAY_SECONDS).sum())
        n_devices = max(n_seen, self.n_living)
        ordered = np.sort(expected)
        found = self.episodes + np.arange(1, len(ordered) + 1)
        bounds = self._rate * np.maximum(found, BUDGET_EPISODES * n_devices)
        passing = ordered[ordered <= bounds]
        return np.asarray(expected <= (passing[-1] if len(passing) else -1.0))
