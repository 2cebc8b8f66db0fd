# SPDX-License-Identifier: Apache-2.0
"""What is ordinary for each device: level, means and spreads of every metric, in arrays.

A row is a device, a column a metric. Three residual streams are kept: how far a value lies from
the device's level, how far its fast mean does, and how far that lies from a slower mean. Steps are
winsorised, so that a fault teaches little; the limit has a floor, so that a quiet series whose
spread is nearly zero does not freeze it there. Of absent values (NaN) nothing is learnt, but that
their fast means return to the level.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.detector_settings import N_STREAMS, DetectorSettings
from models.signals import FloatArray

Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]
N_SIDES = 2  # above and below
N_PEAKS = N_STREAMS * N_SIDES + 1  # and of how lively the device is
_MAX_COUNT = 65_535
_FREE_REPORTS = 10  # the first ones are not winsorised: nothing is known yet
_LIVELINESS_REPORTS = 40.0
_WILD = np.float32(100.0)  # scales; a fast mean is back from there within 20 reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What a cohort tells of devices of its kind; NaN in `location` where it knows nothing."""

    location: Float32Array  # shape (n_metrics,)
    between: Float32Array  # variance of devices' levels, shape (n_metrics,)
    within: Float32Array  # variance within a device, shape (n_streams, n_metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """A batch against its baselines."""

    scaled: Float32Array  # in scales, clipped, 0 where not known; (n_streams, n, n_metrics)
    wide: Float32Array  # all streams in scales of the point stream, not clipped
    ruler: Float32Array  # those scales, (n, n_metrics)
    known: BoolArray  # present, and of a baseline that is no longer new; (n, n_metrics)
    present: Float32Array  # 1 or 0; (n, n_metrics)
    raw: Float32Array  # of the point stream, unscaled; (n, n_metrics)
    level: Float32Array  # before the batch; (n, n_metrics)
    variance: Float32Array  # before it; (n_streams, n, n_metrics)
    squares: Float32Array  # winsorised, what the variance moves towards; same shape
    fresh: BoolArray  # devices that were never seen before; (n,)
    state: Mapping[str, npt.NDArray[Any]]  # after the batch, but for the variance


class DeviceBaselines:
    """Rows of devices; which device is which row is the caller's to know."""

    def __init__(self, n_metrics: int, settings: DetectorSettings, floors: Float32Array) -> None:
        self._settings = settings
        self._floors = floors.astype(np.float32)
        self._shapes: Mapping[str, tuple[tuple[int, ...], type]] = {
            "count": ((n_metrics,), np.uint16),
            "slow": ((n_metrics,), np.float32),
            "fast": ((n_metrics,), np.float32),
            "medium": ((n_metrics,), np.float32),
            "variance": ((N_STREAMS, n_metrics), np.float32),
            "peaks": ((N_PEAKS,), np.float32),
            "liveliness": ((2,), np.float32),  # a fast and a slow mean of the deviations' size
            "ruler": ((1,), np.float32),  # mean logarithm of the scales that peaks were measured in
        }
        self._arrays: dict[str, npt.NDArray[Any]] = {
            name: np.zeros((0, *shape), kind) for name, (shape, kind) in self._shapes.items()
        }

    @property
    def bytes_per_device(self) -> int:
        """Return how much memory a device takes."""
        return sum(
            int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in self._shapes.values()
        )

    def grow(self, n_rows: int) -> None:
        """Make room for at least so many rows; new ones know nothing."""
        for name, array in self._arrays.items():
            if len(array) < n_rows:
                # A share more: else each new device would copy all the others.
                size = max(n_rows, len(array) + len(array) // 8)
                larger = np.zeros((size, *array.shape[1:]), array.dtype)
                larger[: len(array)] = array
                self._arrays[name] = larger

    def read(self, rows: RowArray) -> dict[str, npt.NDArray[Any]]:
        """Return the state of some rows, by name."""
        return {name: array[rows] for name, array in self._arrays.items()}

    def write(self, rows: RowArray, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Replace the state of some rows."""
        for name, array in self._arrays.items():
            array[rows] = state[name]

    def clear(self, rows: RowArray) -> None:
        """Forget some devices."""
        for array in self._arrays.values():
            array[rows] = 0

    def resume(self, rows: RowArray) -> None:
        """Let fast means begin anew from the level, after a silence."""
        for name in ("fast", "medium"):
            self._arrays[name][rows] = self._arrays["slow"][rows]

    def compare(self, rows: RowArray, values: Float32Array, priors: Priors) -> Residuals:
        """Compare a batch with its baselines; `learn` then takes it in.

        Args:
            rows: shape (n,), each once.
            values: shape (n, n_metrics), NaN where absent.
            priors: of the cohort that all of them belong to.

        """
        settings, state = self._settings, self.read(rows)
        slow = state["slow"]
        variance: Float32Array = np.ascontiguousarray(state["variance"].swapaxes(0, 1))
        present = np.isfinite(values)
        seen = state["count"] > 0
        count = state["count"].astype(np.float32)
        start = _Start.of(values, present & ~seen, priors)
        start.put_in(state, variance, count, settings.warm_up_reports)
        scales = self._scales(variance, count, start.between)
        errors: Float32Array = np.empty((N_STREAMS, *values.shape), np.float32)
        np.subtract(np.where(present, values, slow), slow, out=errors[0])
        bound = _bound_errors(errors[0], scales[0], count)
        for name, reports in (("fast", settings.fast_reports), ("medium", settings.medium_reports)):
            state[name] += (slow + bound - state[name]) / reports
        np.subtract(state["fast"], slow, out=errors[1])
        np.subtract(state["fast"], state["medium"], out=errors[2])
        scaled = np.clip(errors / scales, -settings.clip, settings.clip)
        bounded = scaled * scales
        if count.min(initial=np.inf) < _FREE_REPORTS:
            np.copyto(bounded, errors, where=count < _FREE_REPORTS)
        mask = present.astype(np.float32)
        trust = mask / np.minimum(count + np.float32(1.0), settings.slow_reports)
        if start.warm.any():
            trust = np.where(start.warm, start.trust(variance[0], self._floors), trust)
        ruler = np.sqrt(np.maximum(variance[0], self._floors**2))
        known = present & (count >= settings.warm_up_reports)
        is_known = known.astype(np.float32)
        level = slow.copy()
        slow += trust * bounded[0]
        state["count"] = np.minimum(count + present, _MAX_COUNT)
        return Residuals(
            scaled=scaled * is_known,
            wide=errors / ruler * is_known,
            ruler=ruler,
            known=known,
            present=mask,
            raw=errors[0],
            level=level,
            variance=variance,
            squares=np.square(bounded, out=bounded),
            fresh=np.logical_not(seen.any(axis=1)),
            state=state,
        )

    def learn(self, rows: RowArray, residuals: Residuals, weights: FloatArray) -> None:
        """Take in a compared batch.

        Args:
            rows: shape (n,).
            residuals: of `compare` for these rows.
            weights: how much each report teaches of spread, shape (n,), in [0, 1].

        """
        count = residuals.state["count"].astype(np.float32)
        memory = np.minimum(np.maximum(count, 1.0), self._settings.scale_reports)
        rate = residuals.present * (weights[:, None].astype(np.float32) / memory)
        variance = residuals.squares - residuals.variance
        variance *= rate
        variance += residuals.variance
        self.write(rows, {**residuals.state, "variance": variance.swapaxes(0, 1)})

    def rate_novelty(self, residuals: Residuals, sides: Float32Array) -> FloatArray:
        """Return how far each device exceeds its own decayed past maximum, shape (n,); 1 = equal.

        Args:
            residuals: of `compare`; the new maxima are part of what `learn` takes in.
            sides: 1 where high values harm, -1 where low ones do, 0 where both; (n_metrics,).

        """
        state, settings = residuals.state, self._settings
        n_known = np.maximum(residuals.known.sum(axis=1), 1)
        ruler = (np.log(residuals.ruler) * residuals.known).sum(axis=1, keepdims=True)
        ruler /= n_known[:, None]
        # Peaks are kept in units: else a spread that has grown would call old heights new.
        shrunk = np.exp(np.clip(state["ruler"] - ruler, -5.0, 5.0))
        above = (residuals.wide * (sides >= 0)).max(axis=2, initial=0.0)
        below = (residuals.wide * (sides <= 0)).min(axis=2, initial=0.0)
        lively = state["liveliness"] * shrunk
        size = np.abs(residuals.wide[0]).sum(axis=1) / n_known
        rise = lively[:, 0] + (size - lively[:, 0]) / _LIVELINESS_REPORTS
        excess = np.maximum(rise - lively[:, 1], 0.0)
        level = lively[:, 1] + (size - lively[:, 1]) / settings.slow_reports
        now = np.column_stack([above.T, -below.T, excess])
        past = state["peaks"] * shrunk * 0.5 ** (1 / settings.peak_half_life_reports)
        least = np.full(N_PEAKS, settings.least_peak, np.float32)
        least[-1] = settings.least_liveliness
        state["peaks"][:] = np.maximum(past, now)
        state["liveliness"][:] = np.column_stack([rise, level])
        state["ruler"][:] = ruler
        novelty: FloatArray = (now / np.maximum(past, least)).max(axis=1).astype(np.float64)
        return novelty

    def _scales(
        self, variance: Float32Array, count: Float32Array, between: Float32Array
    ) -> Float32Array:
        """Return spreads (n_streams, n, n_metrics) that allow for a level that is still new."""
        newness = 1.0 + (self._settings.warm_up_reports / np.maximum(count, 1.0)) ** 2
        spread = variance * newness
        spread += between
        np.maximum(spread, self._floors**2, out=spread)
        scales: Float32Array = np.sqrt(spread, out=spread)
        return scales


def _bound_errors(errors: Float32Array, scales: Float32Array, count: Float32Array) -> Float32Array:
    """Return what means take in of values, all of the first ones.

    Else one wild value, 10^12 say, would hold a fast mean off its level for hours.
    """
    limits = scales * _WILD
    bound: Float32Array = np.clip(errors, -limits, limits)
    if count.min(initial=np.inf) < _FREE_REPORTS:
        np.copyto(bound, errors, where=count < _FREE_REPORTS)
    return bound


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Baselines of what is seen for the first time: of the cohort's kind, or the first value."""

    values: Float32Array
    fresh: BoolArray  # (n, n_metrics)
    warm: BoolArray  # those of them that a cohort knows something about
    between: Float32Array  # variance that a warm start adds, 0 elsewhere
    priors: Priors

    @classmethod
    def of(cls, values: Float32Array, fresh: BoolArray, priors: Priors) -> "_Start":
        warm = fresh & np.isfinite(priors.location)
        between = np.where(warm, priors.between, np.float32(0.0))
        return cls(values=values, fresh=fresh, warm=warm, between=between, priors=priors)

    def put_in(
        self,
        state: Mapping[str, npt.NDArray[Any]],
        variance: Float32Array,
        count: Float32Array,
        weight: float,
    ) -> None:
        """Write the first baselines into a batch's arrays; a cohort's weigh so many reports."""
        if not self.fresh.any():
            return
        for name in ("slow", "fast", "medium"):
            np.copyto(state[name], self.values, where=self.fresh)
        if self.warm.any():
            np.copyto(state["slow"], self.priors.location, where=self.warm)
            np.copyto(variance, self.priors.within[:, None], where=self.warm)
            np.copyto(count, np.float32(weight), where=self.warm)

    def trust(self, variance: Float32Array, floors: Float32Array) -> Float32Array:
        """Return how far a first value is believed: as far as devices differ from one another."""
        trust: Float32Array = self.between / (self.between + variance + floors**2)
        return trust
