# SPDX-License-Identifier: Apache-2.0
"""The score of the Numenta Anomaly Benchmark, version 1.1.

Source: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms" (2015). In a labelled
window only the best detection counts, the earlier the better; every detection outside costs, the
more the farther it lies behind a window. One threshold is swept over the whole corpus. 0 is a
detector that says nothing, 100 a perfect one. The first 15 % of a series (at most 750 rows) do not
count.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.anomaly_sets import IntArray, Series

FloatArray = npt.NDArray[np.float64]
PROBATION_SHARE, PROBATION_MOST = 0.15, 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a found window earns, a missed one and a false detection cost."""

    found: float
    missed: float
    false: float


PROFILES: Mapping[str, Profile] = {
    "standard": Profile(found=1.0, missed=1.0, false=0.11),
    "reward_low_FP_rate": Profile(found=1.0, missed=1.0, false=0.22),
    "reward_low_FN_rate": Profile(found=1.0, missed=2.0, false=0.11),
}


def count_probation(n_rows: int) -> int:
    """Return how many rows of a series a detector may learn from without being judged."""
    return min(math.floor(PROBATION_SHARE * n_rows), int(PROBATION_SHARE * PROBATION_MOST))


def score_nab(series: Sequence[Series], scores: Mapping[str, FloatArray]) -> dict[str, float]:
    """Return the score of each profile.

    Args:
        series: the corpus.
        scores: for each series one anomaly score a row, higher is stranger.

    """
    worth, owner, given = [], [], []
    n_windows = 0
    for each in series:
        each_worth, each_owner = _rate_positions(each.window, n_windows)
        n_windows += int(each.window.max(initial=0))
        judged = slice(count_probation(len(each.values)), None)
        worth.append(each_worth[judged])
        owner.append(each_owner[judged])
        given.append(np.asarray(scores[each.name], np.float64)[judged])
    if not sum(map(len, given)):  # no series is longer than its probation
        return dict.fromkeys(PROFILES, 0.0)
    order = np.argsort(-np.concatenate(given), kind="stable")
    ordered = np.concatenate(worth)[order], np.concatenate(owner)[order]
    last_of_tie = np.r_[np.diff(np.concatenate(given)[order]) != 0, True]
    return {
        name: _sweep(*ordered, last_of_tie, profile, n_windows)
        for name, profile in PROFILES.items()
    }


def _sweep(
    worth: FloatArray,
    owner: IntArray,
    last_of_tie: npt.NDArray[np.bool_],
    profile: Profile,
    n_windows: int,
) -> float:
    inside = owner >= 0
    gain = np.where(inside, 0.0, worth * profile.false)
    best: dict[int, float] = {}
    for row in np.flatnonzero(inside):
        value, known = worth[row] * profile.found, best.get(int(owner[row]), -profile.missed)
        if value > known:
            gain[row], best[int(owner[row])] = value - known, value
    nothing = -profile.missed * len(np.unique(owner[inside]))
    totals = nothing + np.cumsum(gain)
    reached = max(float(totals[last_of_tie].max(initial=nothing)), nothing)
    perfect = n_windows * profile.found
    return round(100 * (reached - nothing) / (perfect - nothing), 2) if perfect > nothing else 0.0


def _rate_positions(window: IntArray, first: int) -> tuple[FloatArray, IntArray]:
    """Return what a detection in each row is worth, and which window it would find (-1: none)."""
    worth, owner = np.full(len(window), -1.0), np.full(len(window), -1, dtype=np.int64)
    numbers = range(1, int(window.max(initial=0)) + 1)
    bounds = [np.flatnonzero(window == number)[[0, -1]] for number in numbers]
    for position, (start, end) in enumerate(bounds):
        width = end - start + 1
        inside = np.arange(start, end + 1)
        worth[inside] = _sigmoid(-(end - inside + 1) / width) / _sigmoid(np.array(-1.0))
        owner[inside] = first + position
        until = bounds[position + 1][0] if position + 1 < len(bounds) else len(window)
        after = np.arange(end + 1, until)
        worth[after] = _sigmoid((after - end) / max(width - 1, 1))
    return worth, owner


def _sigmoid(position: npt.NDArray[np.float64]) -> FloatArray:
    """Return 1 at the start of a window (-1), 0 at its end (0), towards -1 behind it."""
    value: FloatArray = 2 / (1 + np.exp(np.clip(5 * position, -50, 50))) - 1
    return np.where(position > 3, -1.0, value)  # NAB's own cut-off
