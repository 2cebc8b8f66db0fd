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

from models.baseline_update import (
    N_PEAKS,
    Comparison,
    DeviceArrays,
    Expectation,
    compare_reports,
    learn_variances,
)
from models.detector_settings import N_STREAMS, DetectorSettings
from models.signals import FloatArray

Float32Array = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
RowArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """What a cohort tells of devices of its kind; NaN in `location` where it knows nothing."""

    location: Float32Array  # shape (n_metrics,)
    between: Float32Array  # variance of devices' levels, shape (n_metrics,)
    within: Float32Array  # variance within a device, shape (n_streams, n_metrics)


class DeviceBaselines:
    """Rows of devices; which device is which row is the caller's to know."""

    def __init__(
        self,
        n_metrics: int,
        settings: DetectorSettings,
        *,
        floors: Float32Array,
        sides: Float32Array,
    ) -> None:
        self._settings = settings
        self._floors = floors.astype(np.float32)
        self._sides = sides.astype(np.float32)
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

    def compare(self, rows: RowArray, values: Float32Array, priors: Priors) -> Comparison:
        """Compare a batch with its baselines and take in its values; `learn` takes in its spread.

        Args:
            rows: shape (n,), each once.
            values: shape (n, n_metrics), NaN where absent.
            priors: of the cohort that all of them belong to.

        Raises:
            IndexError: there is no such row. Nothing is changed then.

        """
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self._arrays["slow"]):
            raise IndexError(rows)  # compiled loops would read and write beyond the arrays
        streams = (N_STREAMS, *values.shape)
        found = Comparison(
            scaled=np.empty(streams, np.float32),
            bounded=np.empty(streams, np.float32),
            variance=np.empty(streams, np.float32),
            known=np.empty(values.shape, np.bool_),
            present=np.empty(values.shape, np.bool_),
            level=np.empty(values.shape, np.float32),
            ripe=np.empty(len(rows), np.bool_),
            novelty=np.empty(len(rows)),
        )
        compare_reports(rows, values, self._state(), self._expect(priors), found)
        return found

    def learn(self, rows: RowArray, found: Comparison, weights: FloatArray) -> None:
        """Take in the spread of a compared batch.

        Args:
            rows: shape (n,).
            found: what `compare` said of these rows.
            weights: how much each report teaches, shape (n,), in [0, 1].

        """
        learn_variances(rows, weights, self._state(), found, self._settings.scale_reports)

    def _state(self) -> DeviceArrays:
        arrays = dict(self._arrays)
        return DeviceArrays(n_reports=arrays.pop("count"), **arrays)

    def _expect(self, priors: Priors) -> Expectation:
        settings = self._settings
        return Expectation(
            location=priors.location,
            between=priors.between,
            within=priors.within,
            floors=self._floors,
            sides=self._sides,
            warm_up_reports=float(settings.warm_up_reports),
            slow_reports=settings.slow_reports,
            fast_reports=settings.fast_reports,
            medium_reports=settings.medium_reports,
            clip=settings.clip,
            peak_decay=0.5 ** (1 / settings.peak_half_life_reports),
            least_peak=settings.least_peak,
            least_liveliness=settings.least_liveliness,
        )
