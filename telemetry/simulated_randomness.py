# SPDX-License-Identifier: Apache-2.0
"""Chance without a sequence: every number follows from (seed, device, stream, time) alone.

A counter is hashed instead of drawing from a generator, so that a value is the same whatever was
asked before, and in whatever order. Pure. Source of the hash: the finaliser of SplitMix64 (Steele,
Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
"""

import zlib

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
KeyArray = npt.NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_TIME_STEP = np.uint64(0xD1B54A32D192ED03)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


def mix(keys: KeyArray) -> KeyArray:
    """Return well-mixed keys, shape as given; overflow wraps by intention."""
    mixed = keys ^ (keys >> np.uint64(30))
    mixed *= _FIRST
    mixed ^= mixed >> np.uint64(27)
    mixed *= _SECOND
    mixed ^= mixed >> np.uint64(31)
    return mixed


def name_stream(name: str) -> np.uint64:
    """Return the constant of a stream of random numbers; it depends on the name alone."""
    return np.uint64(zlib.crc32(name.encode()) * int(_GAMMA) % 2**64)


def derive_keys(seed: int, n_keys: int) -> KeyArray:
    """Return one key per device (or site), shape (n_keys,)."""
    start = mix(np.array([seed % 2**64], dtype=np.uint64) * _GAMMA + _GAMMA)[0]
    return mix(start + np.arange(1, n_keys + 1, dtype=np.uint64) * _GAMMA)


def uniform(keys: KeyArray, stream: KeyArray | np.uint64, tick: IntArray | int = 0) -> FloatArray:
    """Return numbers in (0, 1) for keys, stream and tick, which broadcast against each other."""
    ticks = np.atleast_1d(np.asarray(tick, dtype=np.int64)).view(np.uint64) * _TIME_STEP
    mixed = mix((keys + ticks) + stream)
    mixed >>= np.uint64(11)
    unit = mixed.astype(np.float64)
    unit += 0.5
    unit *= _TO_UNIT
    return unit


def wander(
    keys: KeyArray,
    stream: KeyArray | np.uint64,
    minutes: FloatArray,
    period_minutes: FloatArray | float,
) -> FloatArray:
    """Return numbers in (0, 1) that change smoothly, with a new random knot every period.

    Value noise (Perlin 1985, with smoothstep between the knots): autocorrelated within a period,
    independent beyond two. Each key has its knots at other times. All arguments broadcast.
    """
    position = minutes / period_minutes + 977.0 * uniform(keys, stream, -1)
    knots = np.floor(position)
    position -= knots
    ticks = knots.astype(np.int64)
    before, after = uniform(keys, stream, ticks), uniform(keys, stream, ticks + 1)
    after -= before
    after *= position * position * (3.0 - 2.0 * position)
    after += before
    return after


def bell(unit: FloatArray, low: float, high: float, *, peak: float = 2.0) -> FloatArray:
    """Map uniform numbers to a hump within (low, high).

    The Kumaraswamy distribution (1980) with a = `peak`, b = peak * 1.5: like a beta distribution,
    but its quantiles have a closed form.
    """
    return low + (high - low) * (1.0 - (1.0 - unit) ** (1.0 / (1.5 * peak))) ** (1.0 / peak)


def heavy_factor(unit: FloatArray, shape: float) -> FloatArray:
    """Map uniform numbers to factors around 1 with a heavy tail.

    Quantiles of the log-logistic distribution with median 1; the smaller the shape, the heavier.
    """
    factor: FloatArray = (unit / (1.0 - unit)) ** (1.0 / shape)
    return factor


def waiting(unit: FloatArray) -> FloatArray:
    """Map uniform numbers to exponential ones with mean 1."""
    return -np.log(unit)


def geometric_count(unit: FloatArray, mean: FloatArray | float) -> FloatArray:
    """Map uniform numbers to whole numbers >= 0 of a geometric distribution with a mean."""
    decay = np.log(mean / (1.0 + np.asarray(mean, dtype=np.float64)))
    counts: FloatArray = np.floor(np.log(unit) / decay)
    return counts
