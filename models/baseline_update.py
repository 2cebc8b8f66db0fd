# SPDX-License-Identifier: Apache-2.0
"""A batch against its devices' baselines, one value after the other, in compiled loops.

Whole-array operations would walk through a report's state some hundred times; here each value is
read once, compared with its level, and taken in (Numba compiles on first use and keeps the result
on disk). What is computed is described in `device_baselines`.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.compilation import compiled
from models.detector_settings import N_STREAMS

N_SIDES = 2  # above and below
N_PEAKS = N_STREAMS * N_SIDES + 1  # and of how lively the device is
MOST_REPORTS = 65_535
_FREE_REPORTS = 10  # the first ones are not winsorised: nothing is known yet
_LIVELINESS_REPORTS = 40.0
_WILD = 100.0  # scales; a fast mean is back from there within 20 reports
_MOST_SHRINKAGE = 5.0

Row = npt.NDArray[Any]  # of one device: (n_metrics,) or (n_streams, n_metrics)


class DeviceArrays(NamedTuple):
    """What is remembered of all devices, a row each."""

    n_reports: npt.NDArray[np.uint16]  # (n_rows, n_metrics)
    slow: npt.NDArray[np.float32]  # level; same shape
    fast: npt.NDArray[np.float32]
    medium: npt.NDArray[np.float32]
    variance: npt.NDArray[np.float32]  # (n_rows, n_streams, n_metrics)
    peaks: npt.NDArray[np.float32]  # decayed maxima, (n_rows, N_PEAKS)
    liveliness: npt.NDArray[np.float32]  # fast and slow mean of deviations' size, (n_rows, 2)
    ruler: npt.NDArray[
        np.float32
    ]  # mean logarithm of the scales peaks were measured in, (n_rows, 1)


class Expectation(NamedTuple):
    """What a cohort and the settings say of every device; arrays are of (n_metrics,)."""

    location: npt.NDArray[np.float32]  # NaN where the cohort knows nothing
    between: npt.NDArray[np.float32]
    within: npt.NDArray[np.float32]  # (n_streams, n_metrics)
    floors: npt.NDArray[np.float32]
    sides: npt.NDArray[np.float32]
    warm_up_reports: float
    slow_reports: float
    fast_reports: float
    medium_reports: float
    clip: float
    peak_decay: float
    least_peak: float
    least_liveliness: float


class Comparison(NamedTuple):
    """What a batch of n reports comes to; filled in here."""

    scaled: npt.NDArray[np.float32]  # (n_streams, n, n_metrics)
    bounded: npt.NDArray[np.float32]  # same shape
    variance: npt.NDArray[np.float32]  # same shape
    known: npt.NDArray[np.bool_]  # (n, n_metrics)
    present: npt.NDArray[np.bool_]  # same shape
    level: npt.NDArray[np.float32]  # same shape
    ripe: npt.NDArray[np.bool_]  # devices that are known from this report on; (n,)
    novelty: npt.NDArray[np.float64]  # (n,)


@compiled
def compare_reports(
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    state: DeviceArrays,
    expected: Expectation,
    found: Comparison,
) -> None:
    """Compare reports with their devices' baselines, and take values into means and peaks.

    Args:
        rows: of the devices, shape (n,), each once; they must exist, which is not checked here.
        values: shape (n, n_metrics), NaN where absent.
        state: changed, but for the variances of what is not new.
        expected: of the cohort that all of them belong to.
        found: filled in.

    """
    # Taken out of the tuples once: each time costs more than the arithmetic on an element.
    counts, slows, fasts, mediums, variances, peaks, liveliness, rulers = state
    scaled, bounded, before, knowns, presents, levels, ripe, novelty = found
    n_metrics = values.shape[1]
    weights, doubts = np.empty(n_metrics), np.empty(n_metrics)
    errors, heights = np.empty((N_STREAMS, n_metrics)), np.empty(N_PEAKS)
    for position, row in enumerate(rows):
        count, slow, variance = counts[row], slows[row], variances[row]
        fast, medium, value = fasts[row], mediums[row], values[position]
        known, present = knowns[position], presents[position]
        was_known = count.max() >= expected.warm_up_reports
        _begin(value, expected, count, slow, fast, medium, variance, weights, doubts, present)
        known[:] = present & (weights >= expected.warm_up_reports)
        levels[position], before[:, position] = slow, variance
        spread = variance[0]
        _follow(value, slow, spread, weights, doubts, present, expected, fast, medium, errors)
        for stream in range(N_STREAMS):
            _scale(
                errors[stream], variance[stream], weights, doubts, known, expected,
                scaled[stream, position], bounded[stream, position],
            )  # fmt: skip
        size, ruler = _reach(errors, spread, known, expected, heights)
        novelty[position] = _rate_novelty(
            size, ruler - rulers[row, 0], expected, heights, liveliness[row], peaks[row]
        )
        rulers[row, 0] = ruler
        _learn_level(bounded[0, position], spread, weights, doubts, present, expected, slow, count)
        ripe[position] = not was_known and count.max() >= expected.warm_up_reports


@compiled
def _begin(
    value: Row,
    expected: Expectation,
    count: Row,
    slow: Row,
    fast: Row,
    medium: Row,
    variance: Row,
    weights: Row,
    doubts: Row,
    present: Row,
) -> None:
    """Begin baselines of what is new: as the cohort's kind, which weighs some reports, or here."""
    location, between, within = expected.location, expected.between, expected.within
    for metric in range(len(value)):
        weights[metric], doubts[metric] = count[metric], 0.0
        present[metric] = np.isfinite(value[metric])
        if present[metric] and count[metric] == 0:
            slow[metric] = fast[metric] = medium[metric] = value[metric]
            if np.isfinite(location[metric]):
                slow[metric] = location[metric]
                variance[:, metric] = within[:, metric]
                weights[metric], doubts[metric] = expected.warm_up_reports, between[metric]


@compiled
def _variance_of(
    variance: float, weight: float, doubt: float, floor: float, warm_up: float
) -> float:
    """Return a variance that allows for a level that is still new."""
    return max(variance * (1.0 + (warm_up / max(weight, 1.0)) ** 2) + doubt, floor * floor)


@compiled
def _follow(
    value: Row,
    slow: Row,
    spread: Row,
    weights: Row,
    doubts: Row,
    present: Row,
    expected: Expectation,
    fast: Row,
    medium: Row,
    errors: Row,
) -> None:
    """Let the means follow the values; the errors are what the streams are made of."""
    floors, warm_up = expected.floors, expected.warm_up_reports
    fast_rate, medium_rate = 1.0 / expected.fast_reports, 1.0 / expected.medium_reports
    for metric in range(len(value)):
        level, weight = float(slow[metric]), weights[metric]
        error = value[metric] - level if present[metric] else 0.0
        # Else one wild value, 10^12 say, would hold a fast mean off its level for hours.
        wild = _WILD * np.sqrt(
            _variance_of(spread[metric], weight, doubts[metric], floors[metric], warm_up)
        )
        bound = error if weight < _FREE_REPORTS else min(max(error, -wild), wild)
        fast[metric] += (level + bound - fast[metric]) * fast_rate
        medium[metric] += (level + bound - medium[metric]) * medium_rate
        errors[0, metric] = error
        errors[1, metric] = fast[metric] - level
        errors[2, metric] = fast[metric] - medium[metric]


@compiled
def _scale(
    errors: Row,
    variance: Row,
    weights: Row,
    doubts: Row,
    known: Row,
    expected: Expectation,
    scaled: Row,
    bounded: Row,
) -> None:
    """Express a stream's errors in its scales, winsorised."""
    floors, warm_up, clip = expected.floors, expected.warm_up_reports, expected.clip
    for metric in range(len(errors)):
        weight, error = weights[metric], errors[metric]
        scale = np.sqrt(
            _variance_of(variance[metric], weight, doubts[metric], floors[metric], warm_up)
        )
        height = min(max(error / scale, -clip), clip)
        scaled[metric] = height if known[metric] else 0.0
        bounded[metric] = error if weight < _FREE_REPORTS else height * scale


@compiled
def _reach(
    errors: Row, spread: Row, known: Row, expected: Expectation, heights: Row
) -> tuple[float, float]:
    """Measure how high the streams of a report reach, in scales of the point stream.

    Returns:
        The mean size of the deviations, and the mean logarithm of those scales.

    """
    floors, sides = expected.floors, expected.sides
    n_known, size, ruler = 0, 0.0, 0.0
    heights[:] = 0.0
    for metric in range(len(known)):
        if not known[metric]:
            continue
        scale = np.sqrt(max(spread[metric], floors[metric] ** 2))
        n_known += 1
        ruler += np.log(scale)
        size += abs(errors[0, metric]) / scale
        for stream in range(N_STREAMS):
            height = errors[stream, metric] / scale
            if sides[metric] >= 0:
                heights[stream] = max(heights[stream], height)
            if sides[metric] <= 0:
                heights[N_STREAMS + stream] = max(heights[N_STREAMS + stream], -height)
    return size / max(n_known, 1), ruler / max(n_known, 1)


@compiled
def _rate_novelty(
    size: float, growth: float, expected: Expectation, heights: Row, liveliness: Row, peaks: Row
) -> float:
    """Return how far a device exceeds its own decayed past maximum, and keep the new maxima.

    Peaks are kept in units: else a spread that has grown would call old heights new.
    """
    shrunk = np.exp(-min(max(growth, -_MOST_SHRINKAGE), _MOST_SHRINKAGE))
    rise, level = liveliness[0] * shrunk, liveliness[1] * shrunk
    rise += (size - rise) / _LIVELINESS_REPORTS
    heights[N_PEAKS - 1] = max(rise - level, 0.0)
    liveliness[0], liveliness[1] = rise, level + (size - level) / expected.slow_reports
    novelty = 0.0
    for peak in range(N_PEAKS):
        past = peaks[peak] * shrunk * expected.peak_decay
        least = expected.least_liveliness if peak == N_PEAKS - 1 else expected.least_peak
        novelty = max(novelty, heights[peak] / max(past, least))
        peaks[peak] = max(past, heights[peak])
    return novelty


@compiled
def _learn_level(
    bounded: Row,
    spread: Row,
    weights: Row,
    doubts: Row,
    present: Row,
    expected: Expectation,
    slow: Row,
    count: Row,
) -> None:
    """Move levels by what may be believed of the values, and count them."""
    floors, slow_reports = expected.floors, expected.slow_reports
    for metric in range(len(slow)):
        if not present[metric]:
            continue
        trust = 1.0 / min(weights[metric] + 1.0, slow_reports)
        if count[metric] == 0 and weights[metric] > 0:
            # of a cohort's kind: a first value is believed as far as devices differ
            doubt = doubts[metric]
            trust = doubt / (doubt + spread[metric] + floors[metric] ** 2)
        slow[metric] += trust * bounded[metric]
        count[metric] = min(weights[metric] + 1.0, MOST_REPORTS)


@compiled
def learn_variances(
    rows: npt.NDArray[np.int64],
    weights: npt.NDArray[np.float64],
    state: DeviceArrays,
    found: Comparison,
    scale_reports: float,
) -> None:
    """Move variances towards the squares of a batch, by how much each report teaches.

    Args:
        rows: shape (n,).
        weights: shape (n,), in [0, 1].
        state: its variances are changed.
        found: what `compare_reports` filled in.
        scale_reports: time constant.

    """
    counts, variances = state.n_reports, state.variance
    bounded, present = found.bounded, found.present
    for position, row in enumerate(rows):
        for metric in range(counts.shape[1]):
            if not present[position, metric]:
                continue
            memory = min(max(float(counts[row, metric]), 1.0), scale_reports)
            rate = weights[position] / memory
            for stream in range(N_STREAMS):
                variance = float(variances[row, stream, metric])
                square = float(bounded[stream, position, metric]) ** 2
                variances[row, stream, metric] = variance + rate * (square - variance)
