# SPDX-License-Identifier: Apache-2.0
"""How far reports lie from what is ordinary for their cohort: squared Mahalanobis distances.

Deviations are whitened by the covariance of the cohort's residual streams. A metric's part of a
distance may be negative (it moved as its twins did); in a harmless direction it is nothing. An
absent deviation counts as none, which makes a distance larger, if anything; so only distances that
are not small anyhow are taken again with what is likely in its place.
"""

import numpy as np
import numpy.typing as npt

from models.baseline_update import Comparison
from models.compilation import compiled
from models.device_baselines import BoolArray, Float32Array
from models.signals import FloatArray

_CONJUGATE_STEPS = 3
_SMALL_DISTANCE = 0.3  # of the 99 % quantile


def measure_distances(
    found: Comparison,
    precision: Float32Array,
    *,
    sides: Float32Array,
    measured: BoolArray,
    typical: FloatArray,
) -> tuple[Float32Array, FloatArray]:
    """Return each metric's part of each stream's squared distance, and the distances.

    Args:
        found: the deviations, of n reports.
        precision: inverse covariances, shape (n_streams, n_metrics, n_metrics).
        sides: 1 where high values harm, -1 where low ones do, 0 where both; shape (n_metrics,).
        measured: what the cohort has ever measured; the rest is unrelated to it; (n_metrics,).
        typical: the 99 % quantile of each stream's distances, shape (n_streams, 1).

    Returns:
        Parts of shape (n_streams, n, n_metrics); distances of shape (n_streams, n).

    """
    parts: Float32Array = found.scaled @ precision
    distances = np.empty(parts.shape[:2])
    again = np.empty(parts.shape[1], np.bool_)
    _weigh(found.scaled, found.scaled, found.known, sides, parts, distances)
    _find_incomplete(found.known, measured, distances, _SMALL_DISTANCE * typical[:, 0], again)
    if again.any():
        scaled, known = np.ascontiguousarray(found.scaled[:, again]), found.known[again]
        filled = fill_absent(scaled, known, precision)
        likely: Float32Array = filled @ precision
        better = np.empty(likely.shape[:2])
        _weigh(filled, scaled, known, sides, likely, better)
        parts[:, again], distances[:, again] = likely, better
    return parts, distances


def fill_absent(scaled: Float32Array, known: BoolArray, precision: Float32Array) -> Float32Array:
    """Put in for absent deviations what the others make likely: the least distance.

    A few conjugate gradient steps over the absent ones (Hestenes and Stiefel, 1952). Zeros instead
    would claim that a metric stood still whose twin has moved.

    Args:
        scaled: 0 where absent, shape (n_streams, n, n_metrics).
        known: shape (n, n_metrics).
        precision: shape (n_streams, n_metrics, n_metrics).

    """
    absent = (~known).astype(np.float32)
    filled = scaled.copy()
    residue: Float32Array = filled @ precision
    residue *= -absent
    direction = residue.copy()
    size = _dot(residue, residue)
    for remaining in reversed(range(_CONJUGATE_STEPS)):
        slope = direction @ precision
        step = size / np.maximum(_dot(direction, slope), np.float32(1e-12))
        filled += step * direction
        if remaining:
            slope *= absent
            slope *= step
            residue -= slope
            larger = _dot(residue, residue)
            direction *= larger / np.maximum(size, np.float32(1e-12))
            direction += residue
            size = larger
    return filled


@compiled
def share_out(parts: Float32Array) -> Float32Array:
    """Return each metric's share of what harms in a report, over all streams.

    Args:
        parts: shape (n_streams, n, n_metrics).

    Returns:
        Shares that add up to 1, or 0 where nothing harms; shape (n, n_metrics).

    """
    n_streams, n, n_metrics = parts.shape
    shares = np.zeros((n, n_metrics), np.float32)
    for position in range(n):
        total = 0.0
        for metric in range(n_metrics):
            harm = 0.0
            for stream in range(n_streams):
                harm += max(parts[stream, position, metric], 0.0)
            shares[position, metric] = harm
            total += harm
        for metric in range(n_metrics):
            shares[position, metric] /= max(total, 1e-12)
    return shares


@compiled
def _weigh(
    deviations: Float32Array,
    observed: Float32Array,
    known: BoolArray,
    sides: Float32Array,
    parts: Float32Array,
    distances: FloatArray,
) -> None:
    """Turn whitened deviations into parts of distances, in place, and add them up.

    Args:
        deviations: of the streams, absent ones filled or 0; shape (n_streams, n, n_metrics).
        observed: the same, not filled; the first stream's tell in which direction a value lies.
        known: shape (n, n_metrics).
        sides: shape (n_metrics,).
        parts: `deviations` times the precision; becomes the parts. Same shape.
        distances: filled in, shape (n_streams, n).

    """
    n_streams, n, n_metrics = parts.shape
    for stream in range(n_streams):
        for position in range(n):
            total = 0.0
            for metric in range(n_metrics):
                side = sides[metric]
                harms = side == 0.0 or side * observed[0, position, metric] > 0.0
                part = parts[stream, position, metric] * deviations[stream, position, metric]
                if not (harms and known[position, metric]):
                    part = np.float32(0.0)
                parts[stream, position, metric] = part
                total += part
            distances[stream, position] = max(total, 0.0)


@compiled
def _find_incomplete(
    known: BoolArray,
    measured: BoolArray,
    distances: FloatArray,
    small: FloatArray,
    again: BoolArray,
) -> None:
    """Mark reports that lack what their cohort measures, and whose distances are not small."""
    n_streams, n = distances.shape
    for position in range(n):
        far = False
        for stream in range(n_streams):
            far |= distances[stream, position] > small[stream]
        lacks = False
        if far:
            for metric in range(known.shape[1]):
                lacks |= measured[metric] and not known[position, metric]
        again[position] = lacks


def _dot(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> Float32Array:
    product: Float32Array = np.einsum("snm,snm->sn", left, right)[:, :, None]
    return product
