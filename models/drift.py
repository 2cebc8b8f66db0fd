# SPDX-License-Identifier: Apache-2.0
"""Drift of the world under the models: ADWIN on deseasonalised, whitened cohort series; PSI.

ADWIN (Bifet and Gavalda, 2007) assumes independent samples: fed with a raw daily sine it cries
several times a day. So each series first loses its mean by hour of day, then its correlation
with the last sample (AR(1)). Model quality (confidence, override rate) goes the same way,
with the model's name as the cohort.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from river.drift import ADWIN

from models.drift_state import SeriesState
from models.signals import FloatArray

DELTA = 0.002
_HOURS = 24
_HOUR_MEMORY = 200.0
_CORRELATION_MEMORY = 500.0
_WARM_UP = 30
_CLIP = 4.0
_LEAST_SHARE = 1e-4
_WINDOW = 512  # samples that outlive a restart


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAlarm:
    """A series has changed its level for good."""

    cohort: str
    metric: str
    observed_at: datetime
    recent_mean: float  # of whitened residuals, in standard deviations
    n_samples: int


@dataclass(slots=True)
class _Series:
    """One monitored series: hourly means, AR(1) moments, scale and the detector."""

    hourly_mean: FloatArray = field(default_factory=lambda: np.zeros(_HOURS))
    hourly_count: FloatArray = field(default_factory=lambda: np.zeros(_HOURS))
    detector: Any = field(default_factory=lambda: ADWIN(delta=DELTA))  # type: ignore[no-untyped-call]
    last_residual: float = 0.0
    covariance: float = 0.0
    variance: float = 0.0
    noise_variance: float = 0.0
    n_samples: int = 0
    last_observed_at: float = 0.0
    window: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def judge(self, sample: float) -> bool:
        """Tell whether the detector sees a drift with this sample."""
        self.detector.update(sample)
        self.window.append(sample)
        drifted = bool(self.detector.drift_detected)
        if drifted:  # the detector has dropped what came before the change: so do we
            recent = list(self.window)[-max(1, int(self.detector.width)) :]
            self.window = deque(recent, maxlen=_WINDOW)
        return drifted

    def whiten(self, value: float, hour: int) -> float | None:
        """Return the standardised innovation, None while the hour's mean is being learnt."""
        known = self.hourly_count[hour] > 0
        residual = value - float(self.hourly_mean[hour])
        count = self.hourly_count[hour] = self.hourly_count[hour] + 1.0
        self.hourly_mean[hour] += residual / min(count, _HOUR_MEMORY)
        if not known:
            return None
        self.n_samples += 1
        rate = 1.0 / min(self.n_samples, _CORRELATION_MEMORY)
        correlation = self.covariance / self.variance if self.variance > 0 else 0.0
        innovation = residual - float(np.clip(correlation, -0.99, 0.99)) * self.last_residual
        scale = float(np.sqrt(self.noise_variance))
        self.covariance += rate * (residual * self.last_residual - self.covariance)
        self.variance += rate * (residual**2 - self.variance)
        self.noise_variance += rate * (innovation**2 - self.noise_variance)
        self.last_residual = residual
        if self.n_samples <= _WARM_UP or scale <= 0:
            return None
        return float(np.clip(innovation / scale, -_CLIP, _CLIP))


class DriftMonitor:
    """One ADWIN per (cohort, metric)."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], _Series] = {}

    def observe(
        self, *, cohort: str, metric: str, observed_at: datetime, value: float
    ) -> DriftAlarm | None:
        """Feed one sample (a cohort's mean or median, say); return an alarm when it drifts.

        Samples that are older than the last one of their series are passed over.
        """
        series = self._series.setdefault((cohort, metric), _Series())
        if not np.isfinite(value):
            return None
        if observed_at.timestamp() < series.last_observed_at:
            return None
        series.last_observed_at = observed_at.timestamp()
        sample = series.whiten(value, observed_at.astimezone(UTC).hour)
        if sample is None or not series.judge(sample):
            return None
        return DriftAlarm(
            cohort=cohort,
            metric=metric,
            observed_at=observed_at,
            recent_mean=float(series.detector.estimation),
            n_samples=series.n_samples,
        )

    def export_series(self, cohort: str, metric: str) -> SeriesState:
        """Return what a series must remember, as plain numbers."""
        series = self._series[(cohort, metric)]
        return SeriesState(
            hourly_mean=series.hourly_mean.tolist(),
            hourly_count=series.hourly_count.tolist(),
            last_residual=series.last_residual,
            covariance=series.covariance,
            variance=series.variance,
            noise_variance=series.noise_variance,
            n_samples=series.n_samples,
            last_observed_at=series.last_observed_at,
            window=list(series.window),
        )

    def import_series(self, cohort: str, metric: str, state: SeriesState) -> None:
        """Go on from a stored series: its detector sees its last samples again."""
        series = _Series(
            hourly_mean=np.array(state.hourly_mean),
            hourly_count=np.array(state.hourly_count),
            last_residual=state.last_residual,
            covariance=state.covariance,
            variance=state.variance,
            noise_variance=state.noise_variance,
            n_samples=state.n_samples,
            last_observed_at=state.last_observed_at,
        )
        for sample in state.window:
            series.detector.update(sample)
            series.window.append(sample)
        self._series[(cohort, metric)] = series

    def observe_confidence(
        self, model_name: str, confidence: float, observed_at: datetime
    ) -> DriftAlarm | None:
        """Feed the confidence of one answer of a model."""
        return self.observe(
            cohort=f"model:{model_name}",
            metric="confidence",
            observed_at=observed_at,
            value=confidence,
        )


def population_stability_index(
    reference: FloatArray, current: FloatArray, n_bins: int = 10
) -> float:
    """Return the PSI of two samples over the reference's quantile bins; > 0.25 is a shift.

    Source: Siddiqi, Credit Risk Scorecards (2006). Empty bins count as a share of 1e-4.
    """
    reference, current = reference[np.isfinite(reference)], current[np.isfinite(current)]
    if not len(reference) or not len(current):
        return 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, n_bins + 1)[1:-1]))
    shares = [
        np.maximum(
            np.bincount(np.searchsorted(edges, sample, side="right"), minlength=len(edges) + 1)
            / len(sample),
            _LEAST_SHARE,
        )
        for sample in (reference, current)
    ]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
