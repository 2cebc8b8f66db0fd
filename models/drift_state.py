# SPDX-License-Identifier: Apache-2.0
"""The stored form of a drift monitor's series: MessagePack of plain numbers, version 1.

The detector itself is not stored but fed again with its last samples: no code is ever loaded.
"""

import math
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from models.errors import StateFormatError

_Hours = Annotated[list[float], Meta(min_length=24, max_length=24)]


class SeriesState(Struct, kw_only=True, forbid_unknown_fields=True):
    """What one series remembers; moments are seconds since 1970."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    hourly_mean: _Hours
    hourly_count: _Hours
    last_residual: float
    covariance: float
    variance: float
    noise_variance: float
    n_samples: Annotated[int, Meta(ge=0)]
    last_observed_at: float
    window: Annotated[list[float], Meta(max_length=4096)]


def encode_series(state: SeriesState) -> bytes:
    """Serialise a series."""
    return msgspec.msgpack.encode(state)


def decode_series(content: bytes) -> SeriesState:
    """Read `encode_series`'s bytes without trusting them.

    Raises:
        StateFormatError: malformed, of another version, or holding numbers that are not finite.

    """
    try:
        state = msgspec.msgpack.decode(content, type=SeriesState)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateFormatError from error
    numbers = (
        *state.hourly_mean,
        *state.hourly_count,
        *state.window,
        state.last_residual,
        state.covariance,
        state.variance,
        state.noise_variance,
        state.last_observed_at,
    )
    if not all(map(math.isfinite, numbers)):
        raise StateFormatError
    return state
