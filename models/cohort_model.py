# SPDX-License-Identifier: Apache-2.0
"""What devices of a kind have in common: rhythm, levels, how metrics move together, rare scores.

All of it is sums that decay with time, so that what several workers learnt of a cohort adds up.
Rhythm is a mean by hour of day, of weekdays and of weekends, shrunk towards none. Covariances of
the residual streams are learnt from ordinary reports only (the caller leaves flagged ones out);
pairs of metrics that were never seen together count as unrelated.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from models.baseline_update import Comparison
from models.cohort_update import CohortSums, ReportBounds, add_reports
from models.detector_settings import N_STREAMS, DetectorSettings
from models.device_baselines import BoolArray, Float32Array, Priors
from models.errors import StateFormatError
from models.score_pool import ScorePool
from models.signals import FloatArray

N_SLOTS = 48  # hours of weekdays, then of weekends
_HOUR = 3_600.0
_DAY = 86_400.0
_FIRST_SATURDAY = 2  # days from 1970-01-01, a Thursday
_UNRELATED_WEIGHT = 100.0  # reports that are imagined in which metrics are unrelated
_REFRESH_SHARE = 0.05
_MOST_SPREADS = 5.0
_GREATEST_MEAN = 1e17  # of values up to 1e15, in single precision
_LATEST_SECONDS = 1e11
_TOLERANCE = 1.01  # of rounding in single precision
_MOST_REPORTS = 1e12
_ROUNDING = 1e-3


def slot_of(seconds: FloatArray) -> npt.NDArray[np.int64]:
    """Return the slot of moments (seconds since 1970, UTC), shape (n,), in [0, 48)."""
    days = (seconds // _DAY).astype(np.int64)
    weekend = (days - _FIRST_SATURDAY) % 7 < 2
    hours = (seconds % _DAY // _HOUR).astype(np.int64)
    return np.where(weekend, hours + 24, hours)


class CohortModel:
    """The sums of one cohort, and what follows from them."""

    def __init__(self, n_metrics: int, settings: DetectorSettings) -> None:
        self._settings = settings
        self.n_devices = 0.0  # that are known
        self.seconds = 0.0  # to when it has decayed
        self.first_seconds = 0.0
        self.sums: dict[str, FloatArray] = {
            "season": np.zeros((N_SLOTS, n_metrics)),
            "season_weight": np.zeros((N_SLOTS, n_metrics)),
            "moments": np.zeros((N_STREAMS, n_metrics, n_metrics)),
            "pair_weight": np.zeros((n_metrics, n_metrics)),
            "level": np.zeros((2, n_metrics)),  # of levels and of their squares
            "level_weight": np.zeros(n_metrics),
            "spread": np.zeros((N_STREAMS, n_metrics)),
        }
        self.stream_pools = [ScorePool() for _ in range(N_STREAMS)]
        self.score_pool = ScorePool()
        self.gate_pool = ScorePool()  # the same scores, remembered longer than any fault lasts
        self._precision: Float32Array | None = None
        self._unseen_weight = 0.0  # reports learnt from since the covariances were inverted
        self._season: Float32Array | None = None
        self._season_hour = -1.0

    def decay_to(self, seconds: float) -> None:
        """Let the past count less; a clock that runs back changes nothing."""
        self.first_seconds = self.first_seconds or seconds
        elapsed = seconds - self.seconds if self.seconds else 0.0
        self.seconds = max(self.seconds, seconds)
        if elapsed <= 0.0:
            return
        if elapsed > _DAY:  # a leap teaches nothing: an old report was first, say
            self.first_seconds += elapsed
            elapsed = min(elapsed, 30 * _DAY)
        slow = 0.5 ** (elapsed / self._settings.covariance_half_life_seconds)
        seasonal = 0.5 ** (elapsed / self._settings.season_half_life_seconds)
        for name in self.sums:
            self.sums[name] *= seasonal if name.startswith("season") else slow
        self.score_pool.decay(0.5 ** (elapsed / self._settings.pool_half_life_seconds))
        self.gate_pool.decay(slow)
        for pool in self.stream_pools:
            pool.decay(seasonal)

    @property
    def is_settled(self) -> bool:
        """Tell whether the time of learning is over, after which only what is ordinary teaches."""
        return self.seconds - self.first_seconds >= self._settings.learning_seconds

    def season_at(self, seconds: FloatArray) -> Float32Array:
        """Return what the hour adds to each metric, shape (n, n_metrics)."""
        if self._season is None or self.seconds // _HOUR != self._season_hour:
            weight = self.sums["season_weight"]
            profile = self.sums["season"] / (weight + self._settings.season_prior_reports)
            total = np.maximum(weight.sum(axis=0), 1e-9)
            centred = np.where(weight > 0, profile - (profile * weight).sum(axis=0) / total, 0.0)
            self._season, self._season_hour = centred.astype(np.float32), self.seconds // _HOUR
        season: Float32Array = self._season[slot_of(seconds)]
        return season

    def priors(self) -> Priors:
        """Return what a new device of the cohort is expected to be like."""
        weight = self.sums["level_weight"]
        enough = (self.n_devices >= self._settings.least_devices) & (
            weight >= self._settings.warm_up_reports
        )
        divisor = np.maximum(weight, 1e-9)
        mean, square = self.sums["level"] / divisor
        return Priors(
            location=np.where(enough, mean, np.nan).astype(np.float32),
            between=np.maximum(square - mean**2, 0.0).astype(np.float32),
            within=(self.sums["spread"] / divisor).astype(np.float32),
        )

    def precision(self) -> Float32Array:
        """Return the regularised inverse covariances, shape (n_streams, n_metrics, n_metrics)."""
        weight = float(self.sums["pair_weight"].max(initial=0.0))
        if self._precision is None or self._unseen_weight > weight * _REFRESH_SHARE + 1:
            self._precision, self._unseen_weight = self._invert(), 0.0
        return self._precision

    def learn(
        self,
        seconds: FloatArray,
        found: Comparison,
        season: Float32Array,
        ordinary: BoolArray,
        floors: Float32Array,
    ) -> None:
        """Add a batch; of reports that are not ordinary nothing is learnt.

        Args:
            seconds: moments of the reports, shape (n,).
            found: what the batch came to.
            season: what `season_at` said of it, shape (n, n_metrics).
            ordinary: which reports may teach, shape (n,).
            floors: least spread that is ordinary, shape (n_metrics,).

        """
        scaled, weights = found.scaled, found.known.astype(np.float32)
        if not ordinary.all():
            scaled, weights = scaled[:, ordinary], weights[ordinary]
        self.sums["moments"] += scaled.swapaxes(1, 2) @ scaled
        self.sums["pair_weight"] += weights.T @ weights
        self._unseen_weight += float(ordinary.sum())
        add_reports(
            np.flatnonzero(ordinary),
            slot_of(seconds),
            season,
            found,
            self._bound_reports(floors),
            CohortSums(**{name: self.sums[name] for name in CohortSums._fields}),
        )
        self.n_devices += float(found.ripe.sum())

    def _bound_reports(self, floors: Float32Array) -> ReportBounds:
        """Return beyond what a device has no more say.

        Else one device far away from all others would move and widen what its kind is like. What
        more than one device in 26 does is no outlier, but how the kind is. The floor lets a kind
        widen again that was narrow by chance: its first devices were all alike.
        """
        priors = self.priors()
        spread = _MOST_SPREADS * np.sqrt(priors.between + priors.within[0] + floors**2)
        unknown = np.isnan(priors.location)
        return ReportBounds(
            lowest=np.where(unknown, -np.inf, priors.location - spread).astype(np.float32),
            highest=np.where(unknown, np.inf, priors.location + spread).astype(np.float32),
            variance=np.where(
                unknown, np.inf, _MOST_SPREADS**2 * (priors.within + floors**2)
            ).astype(np.float32),
        )

    def export(self) -> dict[str, Any]:
        """Return all sums as plain arrays and numbers, for `restore`."""
        pools = {f"pool_{number}": pool.counts for number, pool in enumerate(self._pools())}
        return {
            **{name: values.copy() for name, values in self.sums.items()},
            **{name: counts.copy() for name, counts in pools.items()},
            "n_devices": np.array([self.n_devices]),
            "seconds": np.array([self.first_seconds, self.seconds]),
        }

    def restore(self, state: Mapping[str, FloatArray]) -> None:
        """Replace all sums by exported ones.

        Raises:
            StateFormatError: a sum is missing, of another shape, or not finite. Nothing is changed.

        """
        known = self.export()
        if set(known) != set(state):
            raise StateFormatError
        for name, array in known.items():
            if state[name].shape != array.shape or not _is_possible(name, state[name]):
                raise StateFormatError
        if not _are_consistent(state, most_moment=_TOLERANCE * self._settings.clip**2):
            raise StateFormatError
        for name in self.sums:
            self.sums[name] = state[name].astype(np.float64)
        for number, pool in enumerate(self._pools()):
            pool.counts = state[f"pool_{number}"].astype(np.float64)
            pool.refit()
        self.n_devices = float(state["n_devices"][0])
        self.first_seconds, self.seconds = (float(each) for each in state["seconds"])
        self._precision = self._season = None

    def merge(self, stored: Mapping[str, FloatArray], base: Mapping[str, FloatArray]) -> None:
        """Know what is stored and what was learnt here since `base` was known to both.

        Raises:
            StateFormatError: as of `restore`.

        """
        n_metrics = len(self.sums["level_weight"])
        theirs, past = (CohortModel(n_metrics, self._settings) for _ in range(2))
        theirs.restore(stored)
        if base:
            past.restore(base)
        moment = max(self.seconds, theirs.seconds)
        for each in (self, theirs, past):
            each.decay_to(moment)
        for name, values in self.sums.items():
            learnt = values - past.sums[name]
            if name.endswith("weight"):
                learnt = np.maximum(learnt, 0.0)  # but for rounding they only grow
            self.sums[name] = theirs.sums[name] + learnt
        pools = zip(self._pools(), theirs._pools(), past._pools(), strict=True)  # noqa: SLF001
        for mine, other, before in pools:
            mine.counts = other.counts + np.maximum(mine.counts - before.counts, 0.0)
            mine.refit()
        self.n_devices = theirs.n_devices + max(self.n_devices - past.n_devices, 0.0)
        self.first_seconds = min(self.first_seconds, theirs.first_seconds)
        self._precision = self._season = None

    def _pools(self) -> tuple[ScorePool, ...]:
        return (self.score_pool, self.gate_pool, *self.stream_pools)

    def _invert(self) -> Float32Array:
        n_metrics = self.sums["pair_weight"].shape[0]
        identity = np.eye(n_metrics)
        weight = self.sums["pair_weight"] + _UNRELATED_WEIGHT
        inverses = []
        for moments, ridge in zip(self.sums["moments"], self._settings.ridges, strict=True):
            covariance = (moments + _UNRELATED_WEIGHT * identity) / weight
            values, vectors = np.linalg.eigh(covariance)
            # pairs are counted apart, so that the whole may fail to be positive
            inverses.append((vectors / (np.maximum(values, 0.0) + ridge)) @ vectors.T)
        return np.array(inverses, dtype=np.float32)


def _is_possible(name: str, values: FloatArray) -> bool:
    """Tell whether sums are finite, and counts such as can be counted."""
    if not np.isfinite(values).all():
        return False
    counts = name.startswith("pool_") or name.endswith("weight") or name == "n_devices"
    if counts or name in {"spread", "seconds"}:
        # rounding alone brings a decayed count below nought
        return bool(np.all(values >= -_ROUNDING)) and not (counts and values.max() > _MOST_REPORTS)
    return True


def _are_consistent(sums: Mapping[str, FloatArray], *, most_moment: float) -> bool:
    """Tell whether sums come to means that values can have: else they would spoil every batch."""
    most = {
        "season": (sums["season_weight"], _GREATEST_MEAN),
        "moments": (sums["pair_weight"], most_moment),  # deviations are clipped
        "level": (sums["level_weight"], np.array([[_GREATEST_MEAN], [_GREATEST_MEAN**2]])),
        "spread": (sums["level_weight"], _GREATEST_MEAN**2),
    }
    return all(
        np.all(np.abs(sums[name]) <= bound * (np.maximum(weight, 0.0) + _ROUNDING))
        for name, (weight, bound) in most.items()
    ) and bool(np.all(sums["seconds"] <= _LATEST_SECONDS))
