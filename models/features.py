# SPDX-License-Identifier: Apache-2.0
"""Turn windows of flat metrics into the feature vectors of the health classifier.

Pure. Features are bounded harm scores, not raw values, so that one missing sensor or an odd
machine cannot push a linear model far outside of what it was trained on. For each metric: its harm
now, the least of the last three reports, its mean over the last six, and how far it has moved in
the harmful direction from what this device showed earlier in the window.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from models.signals import (
    HARM_DIRECTION,
    METRIC_NAMES,
    N_SIGNALS,
    SCALE_FLOORS,
    FloatArray,
    read_value,
    severity_scores,
    transform,
)

PERSISTENCE_REPORTS = 3
RECENT_REPORTS = 6
LEAST_PAST = 6  # earlier reports, for the device's own past to be known
TREND_METRICS = ("memory_percent", "process_memory_percent_max", "disk_used_percent_max")
HELD_LIMITS = (("process_cpu_percent:", 80.0, 20.0), ("process_memory_percent:", 30.0, 30.0))
FEATURE_NAMES: tuple[str, ...] = (
    *(f"{name}:now" for name in METRIC_NAMES),
    *(f"{name}:persistent" for name in METRIC_NAMES),
    *(f"{name}:recent" for name in METRIC_NAMES),
    *(f"{name}:unusual" for name in METRIC_NAMES),
    *(f"{name}:trend" for name in TREND_METRICS),
    "same_process_cpu",
    "same_process_memory",
    "same_service_down",
    "past_known",
)
N_FEATURES = len(FEATURE_NAMES)
_TREND_COLUMNS = [METRIC_NAMES.index(name) for name in TREND_METRICS]
_SERVICES_DOWN = METRIC_NAMES.index("services_down")
_GREATEST_SCORE = 1.5
_UNUSUAL_SCALES = 8.0  # so many spreads from its past score 1


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
    held = [_held_level(window, prefix) for prefix, _, _ in HELD_LIMITS]
    many = compute_features(values[None], np.array([held]), np.array([float(len(window))]))
    features: FloatArray = many[0]
    return features


def compute_features(values: FloatArray, held: FloatArray, n_reports: FloatArray) -> FloatArray:
    """Return the features of many windows, shape (n_windows, n_features).

    Args:
        values: shape (n_windows, n_reports, n_signals), oldest first, NaN where not measured;
            a window of fewer reports is filled with NaN at its beginning.
        held: levels of the one process name that stayed highest through the last reports, shape
            (n_windows, 2), of CPU and of memory, in percent.
        n_reports: how many reports each window has, shape (n_windows,).

    """
    scores = severity_scores(values)
    recent = scores[:, -PERSISTENCE_REPORTS:]
    has_recent = (n_reports >= PERSISTENCE_REPORTS)[:, None]
    unusual, past_known = _score_unusual(values)
    limits = np.array([(healthy, span) for _, healthy, span in HELD_LIMITS])
    held_scores = np.clip((held - limits[:, 0]) / limits[:, 1], 0.0, _GREATEST_SCORE)
    down = np.nan_to_num(values[:, -2:, _SERVICES_DOWN], nan=0.0).min(axis=1) >= 1
    lasting = np.minimum(n_reports, RECENT_REPORTS)[:, None]
    features: FloatArray = np.concatenate(
        [
            scores[:, -1],
            np.where(has_recent, recent.min(axis=1), 0.0),
            scores[:, -RECENT_REPORTS:].sum(axis=1) / np.maximum(lasting, 1),
            unusual,
            _score_trends(values[:, -RECENT_REPORTS:, _TREND_COLUMNS]),
            np.where(has_recent, held_scores, 0.0),
            (down & (n_reports >= 2))[:, None],
            past_known[:, None],
        ],
        axis=1,
    )
    return features


def _score_unusual(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how far each metric moved from the device's own past, in [0, 1.5], and who has one.

    The median of the last three reports against the median of all but the last six, in spreads
    (interquartile range over 1.35, not below the metric's floor) towards harm.
    """
    n_windows = len(values)
    if values.shape[1] < RECENT_REPORTS + LEAST_PAST:
        return np.zeros((n_windows, N_SIGNALS)), np.zeros(n_windows)
    levels = transform(values)
    past, n_past = _sort_known(levels[:, :-RECENT_REPORTS])
    now, n_now = _sort_known(levels[:, -PERSISTENCE_REPORTS:])
    spread = (_pick(past, n_past, 0.75) - _pick(past, n_past, 0.25)) / 1.35
    moved = (_pick(now, n_now, 0.5) - _pick(past, n_past, 0.5)) * HARM_DIRECTION
    known = (n_past >= LEAST_PAST) & (n_now > 0)
    scaled = moved / np.maximum(spread, SCALE_FLOORS / 2) / _UNUSUAL_SCALES
    scores: FloatArray = np.where(known, np.clip(scaled, 0.0, _GREATEST_SCORE), 0.0)
    return scores, np.where(known.any(axis=1), 1.0, 0.0)


def _sort_known(levels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return levels sorted along reports with what is absent last, and how many are known."""
    ordered = np.sort(levels, axis=1)
    n_known = np.isfinite(ordered).sum(axis=1).astype(np.float64)
    return np.nan_to_num(ordered, nan=0.0), n_known


def _pick(ordered: FloatArray, n_known: FloatArray, share: float) -> FloatArray:
    """Return the order statistic at a share of the known ones, shape (n_windows, n_signals)."""
    position = np.maximum(np.rint((n_known - 1) * share), 0).astype(np.int64)
    picked: FloatArray = np.take_along_axis(ordered, position[:, None, :], axis=1)[:, 0]
    return picked


def _score_trends(series: FloatArray) -> FloatArray:
    """Return the rise over the last reports in tens of units, within [-1, 1.5].

    Only a steady rise counts: it is weighted with the share of steps that go up.
    """
    steps = np.diff(series, axis=1)
    known = np.isfinite(steps)
    n_steps = known.sum(axis=1)
    rise = np.where(known, steps, 0.0).sum(axis=1)
    steadiness = ((steps > 0) & known).sum(axis=1) / np.maximum(n_steps, 1)
    enough = n_steps >= PERSISTENCE_REPORTS - 1
    scores: FloatArray = np.where(enough, np.clip(rise / 10.0 * steadiness, -1.0, 1.5), 0.0)
    return scores


def _held_level(window: Sequence[Mapping[str, float]], prefix: str) -> float:
    """Return the level of the one name that stayed highest through the last reports."""
    recent = window[-PERSISTENCE_REPORTS:]
    lowest = [
        min(np.nan_to_num(read_value(name, report.get(name)), nan=0.0) for report in recent)
        for name in recent[-1]
        if name.startswith(prefix)
    ]
    return float(max(lowest, default=0.0))
