# SPDX-License-Identifier: Apache-2.0
"""How unusual a batch of reports is: one number a device, and the metrics behind it.

Per residual stream the deviations from the device's own baseline are whitened by the covariance
of its cohort: the squared Mahalanobis distance, over the metrics that are present. Where only one
direction harms, the other adds nothing. A distance is measured in the 99 % quantile of the
cohort's own, and the logarithms of the streams are averaged, so that none drowns the others. The
cohort's rolling pool says how rare such a score is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.baseline_update import Comparison
from models.cohort_model import CohortModel
from models.compilation import compile_by
from models.detector_settings import DetectorSettings
from models.device_baselines import BoolArray, DeviceBaselines, Float32Array, RowArray
from models.distance import measure_distances, share_out
from models.signals import FloatArray

_STREAM_QUANTILE = 0.01
_YOUNG_QUANTILE = (
    3.0  # a distance a metric that a cohort without a past takes for its 99 % quantile
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a batch of n reports comes to, in its order."""

    score: FloatArray  # shape (n,), 0 ordinary
    p_value: FloatArray  # shape (n,), 1 while too little is known
    novelty: FloatArray  # shape (n,), 1 = as far as ever
    contributions: Float32Array  # shape (n, n_metrics): shares of the score, adding up to 1 or 0
    expected: Float32Array  # shape (n, n_metrics): level and rhythm, NaN where nothing is known


class FleetDetector:
    """Scores batches of one report a device, and learns from them.

    Not thread-safe.
    """

    def __init__(
        self,
        n_metrics: int,
        *,
        floors: npt.ArrayLike,
        sides: npt.ArrayLike | None = None,
        settings: DetectorSettings | None = None,
    ) -> None:
        """Begin without any knowledge.

        Args:
            n_metrics: columns of a batch.
            floors: least spread that is ordinary, shape (n_metrics,).
            sides: 1 where high values harm, -1 where low ones do, 0 (default) where both do.
            settings: memories and bounds.

        """
        self.settings = settings or DetectorSettings()
        self.n_metrics = n_metrics
        self._sides = np.zeros(n_metrics, np.float32)
        if sides is not None:
            self._sides[:] = sides
        self._floors = np.broadcast_to(np.asarray(floors, np.float32), (n_metrics,))
        self.baselines = DeviceBaselines(
            n_metrics,
            self.settings,
            floors=self._floors,
            sides=self._sides,
        )
        self.cohorts: dict[str, CohortModel] = {}

    def cohort(self, name: str) -> CohortModel:
        """Return a cohort, made on first use."""
        if name not in self.cohorts:
            self.cohorts[name] = CohortModel(self.n_metrics, self.settings)
        return self.cohorts[name]

    def observe(
        self,
        rows: RowArray,
        cohorts: Sequence[str],
        seconds: FloatArray,
        values: Float32Array,
        teaches: BoolArray | None = None,
    ) -> Scores:
        """Score a batch and learn from it.

        Args:
            rows: of the devices, shape (n,), each once.
            cohorts: the cohort's name of each.
            seconds: moments of the reports, since 1970, shape (n,).
            values: shape (n, n_metrics), NaN where absent.
            teaches: which reports may teach their cohort, shape (n,); by default all.

        """
        n = len(rows)
        teaches = np.ones(n, np.bool_) if teaches is None else teaches
        self.baselines.grow(int(rows.max(initial=-1)) + 1)
        score, p_value, novelty = np.zeros(n), np.ones(n), np.zeros(n)
        contributions = np.zeros((n, self.n_metrics), np.float32)
        expected = np.full((n, self.n_metrics), np.nan, np.float32)
        for name, members in _group(cohorts).items():
            part = self._observe_cohort(
                self.cohort(name),
                rows[members],
                seconds[members],
                values[members],
                teaches[members],
            )
            score[members], p_value[members] = part.score, part.p_value
            novelty[members] = part.novelty
            contributions[members], expected[members] = part.contributions, part.expected
        return Scores(
            score=score,
            p_value=p_value,
            novelty=novelty,
            contributions=contributions,
            expected=expected,
        )

    def _observe_cohort(
        self,
        cohort: CohortModel,
        rows: RowArray,
        seconds: FloatArray,
        values: Float32Array,
        teaches: BoolArray,
    ) -> Scores:
        cohort.decay_to(float(seconds.max()))
        season = cohort.season_at(seconds)
        found = self.baselines.compare(rows, values - season, cohort.priors())
        typical = _typical(cohort, found)
        parts, distances = measure_distances(
            found,
            cohort.precision(),
            sides=self._sides,
            measured=np.diagonal(cohort.sums["pair_weight"]) > 0,
            typical=typical,
        )
        scaled = np.log1p(distances / typical)
        score: FloatArray = scaled.mean(axis=0)
        ready: BoolArray = np.asarray(found.known.any(axis=1))
        p_value = np.where(ready, cohort.score_pool.p_values(score), 1.0)
        ordinary = ready
        if cohort.is_settled:
            # A fault that lasts fills the pool of a day, and would soon teach that it is ordinary.
            ordinary = ready & (cohort.gate_pool.p_values(score) >= self.settings.gate_p_value)
        weights = np.where(ordinary | ~ready, 1.0, self.settings.unusual_weight)
        taught = ordinary & teaches
        _count(cohort, score[ready & teaches], distances[:, taught], self.settings.limit_p_value)
        cohort.learn(seconds, found, season, taught, self._floors)
        self.baselines.learn(rows, found, weights)
        return Scores(
            score=score,
            p_value=p_value,
            novelty=np.where(ready, found.novelty, 0.0),
            contributions=share_out(parts),
            expected=np.where(found.known, found.level + season, np.float32(np.nan)),
        )


def compile_loops() -> None:
    """Compile what every batch runs through, or read it from disk: no batch should wait for it."""
    compile_by(_observe_nothing)


def _observe_nothing() -> None:
    detector = FleetDetector(1, floors=1.0)
    detector.observe(np.zeros(1, np.int64), [""], np.zeros(1), np.zeros((1, 1), np.float32))


def _typical(cohort: CohortModel, found: Comparison) -> FloatArray:
    """Return the distance that a stream's distances are measured in, shape (n_streams, 1)."""
    if all(pool.is_ready for pool in cohort.stream_pools):
        known = [np.expm1(pool.quantile(_STREAM_QUANTILE)) for pool in cohort.stream_pools]
        return np.asarray(np.maximum(np.array(known)[:, None], 1e-6), dtype=np.float64)
    n_known = max(float(found.known.sum(axis=1).max(initial=1)), 1.0)
    return np.full((len(cohort.stream_pools), 1), _YOUNG_QUANTILE * n_known)


def _count(
    cohort: CohortModel, score: FloatArray, distances: FloatArray, limit_p_value: float
) -> None:
    for pool, distance in zip(cohort.stream_pools, np.log1p(distances), strict=True):
        pool.add(distance, limit_p_value)
    if all(pool.is_ready for pool in cohort.stream_pools):
        cohort.score_pool.add(score, limit_p_value)
        cohort.gate_pool.add(score, limit_p_value)


def _group(names: Sequence[str]) -> Mapping[str, RowArray]:
    """Return the positions of each name."""
    numbers: dict[str, int] = {}
    numbered = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)
    order = np.argsort(numbered, kind="stable")
    ends = np.cumsum(np.bincount(numbered, minlength=len(numbers)))
    return dict(zip(numbers, np.split(order, ends[:-1]), strict=True)) if numbers else {}
