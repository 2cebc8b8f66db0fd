# SPDX-License-Identifier: Apache-2.0
"""Turn a window of flat metrics into the feature vector of the health classifier.

Pure. Features are bounded harm scores, not raw values, so that one missing sensor or an odd
machine cannot push a linear model far outside of what it was trained on.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from models.signals import METRIC_NAMES, N_SIGNALS, FloatArray, read_value, severity_scores

PERSISTENCE_REPORTS = 3
TREND_METRICS = ("memory_percent", "process_memory_percent_max", "disk_used_percent_max")
_EXTRA = ("same_process_cpu", "same_process_memory", "same_service_down")
FEATURE_NAMES: tuple[str, ...] = (
    *(f"{name}:now" for name in METRIC_NAMES),
    *(f"{name}:persistent" for name in METRIC_NAMES),
    *(f"{name}:trend" for name in TREND_METRICS),
    *_EXTRA,
)
N_FEATURES = len(FEATURE_NAMES)


def read_values(metrics: Mapping[str, float]) -> FloatArray:
    """Return the signals of one report, shape (n_signals,), NaN where absent."""
    return np.array([read_value(name, metrics.get(name)) for name in METRIC_NAMES])


def extract_features(window: Sequence[Mapping[str, float]]) -> FloatArray:
    """Return shape (n_features,) for a device's reports, oldest first.

    An empty window gives zeros: nothing is known to be wrong.
    """
    if not window:
        return np.zeros(N_FEATURES)
    values = np.array([read_values(report) for report in window])
    scores = severity_scores(values)
    recent = scores[-PERSISTENCE_REPORTS:]
    return np.concatenate(
        [
            scores[-1],
            recent.min(axis=0) if len(recent) == PERSISTENCE_REPORTS else np.zeros(N_SIGNALS),
            [_trend(values[:, METRIC_NAMES.index(name)]) for name in TREND_METRICS],
            [
                _persistent_level(window, "process_cpu_percent:", 80.0, 20.0),
                _persistent_level(window, "process_memory_percent:", 30.0, 30.0),
                _persistent_service_fault(window),
            ],
        ]
    )


def _trend(series: FloatArray) -> float:
    """Return the rise of a series over the window in tens of units, within [-1, 1.5].

    Only a steady rise counts: it is weighted with the share of steps that go up.
    """
    known = series[np.isfinite(series)]
    if len(known) < PERSISTENCE_REPORTS:
        return 0.0
    steps = np.diff(known)
    steadiness = float(np.mean(steps > 0))
    return float(np.clip((known[-1] - known[0]) / 10.0 * steadiness, -1.0, 1.5))


def _persistent_level(
    window: Sequence[Mapping[str, float]], prefix: str, healthy: float, span: float
) -> float:
    """Return the harm of the one name that stayed highest through the last reports."""
    recent = window[-PERSISTENCE_REPORTS:]
    if len(recent) < PERSISTENCE_REPORTS:
        return 0.0
    names = [name for name in recent[-1] if name.startswith(prefix)]
    lowest = [
        min(np.nan_to_num(read_value(name, r.get(name)), nan=0.0) for r in recent) for name in names
    ]
    return float(np.clip((max(lowest, default=0.0) - healthy) / span, 0.0, 1.5))


def _persistent_service_fault(window: Sequence[Mapping[str, float]]) -> float:
    recent = window[-2:]
    down = [read_value("services_down", report.get("services_down")) for report in recent]
    return float(len(down) == 2 and all(count >= 1 for count in down))
