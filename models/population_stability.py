# SPDX-License-Identifier: Apache-2.0
"""Whether two samples are of one distribution: the population stability index and its chance.

The usual rule of thumb (above .25 is a shift) forgets the sample size: of 20 devices a PSI of .25
is nothing, of 2,000 one of .03 is no accident. So the index is judged by its distribution under
no drift, and by how large it is. Bins are merged until each can be expected to be filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from models.signals import FloatArray

N_BINS = 10
LEAST_EXPECTED = 5.0  # samples in a bin, of either side
_SMOOTHING = 0.5  # Jeffreys' prior: an empty bin is no impossible one


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedSample:
    """A sample by bins: inner `edges`, shape (n_bins - 1,), and `counts`, shape (n_bins,).

    An edge belongs to the bin below it, so that a value which most devices share has its own.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """The index of two samples, and the chance of one as large without any drift."""

    index: float
    p_value: float
    n_bins: int


def bin_sample(values: FloatArray, n_bins: int = N_BINS) -> BinnedSample:
    """Return a reference: its own quantile bins, fewer where it repeats values or is small.

    Raises:
        ValueError: there are no finite values.

    """
    values = _finite(values)
    n_bins = max(2, min(n_bins, int(len(values) / LEAST_EXPECTED)))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return BinnedSample(
        edges=tuple(map(float, edges)),
        counts=_count(values, edges),
        median=float(np.median(values)),
    )


def compare_samples(reference: BinnedSample, values: FloatArray) -> Stability:
    """Return the PSI of a sample against a reference, with its p-value.

    Without drift PSI / (1 / n + 1 / m) is chi-squared with n_bins - 1 degrees of freedom, for
    n and m independent samples: B. Yurdakul and J. Naranjo, Statistical properties of the
    population stability index, Journal of Risk Model Validation 14 (2020). Two samples of which
    one is too small for two bins have nothing to say: index 0, p-value 1.

    Raises:
        ValueError: there are no finite values.

    """
    counts = np.array(
        [reference.counts, _count(_finite(values), np.array(reference.edges))], dtype=float
    )
    merged = _merge_bins(counts)
    if merged.shape[1] < 2:
        return Stability(index=0.0, p_value=1.0, n_bins=merged.shape[1])
    sizes = merged.sum(axis=1)
    smoothed = merged + _SMOOTHING
    shares = smoothed / smoothed.sum(axis=1, keepdims=True)
    index = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
    p_value = float(chi2.sf(index / float(np.sum(1.0 / sizes)), merged.shape[1] - 1))
    return Stability(index=index, p_value=p_value, n_bins=merged.shape[1])


def _finite(values: FloatArray) -> FloatArray:
    known: FloatArray = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        message = "no values to compare"
        raise ValueError(message)
    return known


def _count(values: FloatArray, edges: FloatArray) -> tuple[int, ...]:
    places = np.searchsorted(edges, values, side="left")
    return tuple(map(int, np.bincount(places, minlength=len(edges) + 1)))


def _merge_bins(counts: FloatArray) -> FloatArray:
    """Return counts, shape (2, n_bins), of neighbouring bins merged until all are expected filled.

    Expected is what both samples together say, scaled to the smaller one.
    """
    pooled = counts.sum(axis=0) / counts.sum()
    smaller = counts.sum(axis=1).min()
    columns: list[FloatArray] = []
    expected = 0.0
    for share, column in zip(pooled, counts.T, strict=True):
        if columns and expected < LEAST_EXPECTED:
            columns[-1] = columns[-1] + column
            expected += share * smaller
        else:
            columns.append(column)
            expected = share * smaller
    if len(columns) > 1 and expected < LEAST_EXPECTED:
        last = columns.pop()
        columns[-1] = columns[-1] + last
    return np.stack(columns, axis=1)


def population_stability_index(
    reference: Sequence[float], current: Sequence[float], n_bins: int = N_BINS
) -> float:
    """Return the PSI alone; 0 where either sample has no finite value.

    Source: N. Siddiqi, Credit Risk Scorecards (2006).
    """
    try:
        return compare_samples(bin_sample(np.asarray(reference), n_bins), np.asarray(current)).index
    except ValueError:
        return 0.0
