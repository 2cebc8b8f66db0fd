# SPDX-License-Identifier: Apache-2.0
"""The stored form of a monitored series: MessagePack of plain numbers, version 2, some 7 kB.

Detectors are restored from their sums, or fed again with their last values: no code is ever loaded.
"""

import math
from array import array
from collections import deque
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from models.drift_detectors import REFERENCES
from models.drift_rate import WINDOW, RateSeries
from models.drift_season import N_SLOTS, WeeklySeason
from models.drift_series import RECENT_SAMPLES, RegularSeries
from models.drift_whitening import ORDER, Whitener
from models.errors import StateFormatError

_ARM_NUMBERS = 6
_STEP_ZERO = 128
_Count = Annotated[int, Meta(ge=0)]
_Slot = Annotated[int, Meta(ge=0, lt=N_SLOTS)]
_Recent = Annotated[bytes, Meta(max_length=RECENT_SAMPLES)]
_Arm = Annotated[list[float], Meta(min_length=_ARM_NUMBERS, max_length=_ARM_NUMBERS)]
_Pair = Annotated[list[float], Meta(min_length=2, max_length=2)]
_CountPair = Annotated[list[_Count], Meta(min_length=2, max_length=2)]


class SeasonState(Struct, kw_only=True, forbid_unknown_fields=True):
    """`WeeklySeason` as plain numbers."""

    means: Annotated[bytes, Meta(min_length=4 * N_SLOTS, max_length=4 * N_SLOTS)]
    visits: Annotated[bytes, Meta(min_length=N_SLOTS, max_length=N_SLOTS)]
    variance: Annotated[float, Meta(ge=0)]
    covariance: float
    last_difference: float
    n_differences: _Count
    slot: Annotated[int, Meta(ge=-1, lt=N_SLOTS)]
    total: float
    n_samples: _Count
    waiting: Annotated[list[tuple[_Slot, float]], Meta(max_length=4)]


class WhitenerState(Struct, kw_only=True, forbid_unknown_fields=True):
    """`Whitener` as plain numbers."""

    covariances: Annotated[list[float], Meta(min_length=ORDER + 1, max_length=ORDER + 1)]
    coefficients: Annotated[list[float], Meta(min_length=ORDER, max_length=ORDER)]
    lags: Annotated[list[float], Meta(max_length=ORDER)]
    variance: Annotated[float, Meta(ge=0)]
    skewness: float
    kurtosis: float
    n_samples: _Count
    batch_sums: _Pair
    batch_fill: _CountPair
    batch_ratios: _Pair
    n_batches: _CountPair


class SeriesState(Struct, kw_only=True, forbid_unknown_fields=True, tag="regular"):
    """What a regular series remembers; moments are seconds since 1970.

    `arms` is empty where no sample was judged since the last change; `steps` are offset by 128.
    """

    version: Annotated[int, Meta(ge=2, le=2)] = 2
    season: SeasonState
    whitener: WhitenerState
    arms: Annotated[list[_Arm], Meta(max_length=len(REFERENCES))]
    level: float
    offset: float
    n_level: _Count
    recent: float
    n_samples: _Count
    hold_off: _Count
    last_moment: float
    spacing: Annotated[float, Meta(ge=0)]
    steps: _Recent
    gaps: _Recent


class RateState(Struct, kw_only=True, forbid_unknown_fields=True, tag="rate"):
    """What a rate remembers: its last values in steps of 1/255, and their moments."""

    version: Annotated[int, Meta(ge=2, le=2)] = 2
    steps: Annotated[bytes, Meta(max_length=2 * WINDOW)]
    moments: Annotated[list[float], Meta(max_length=2 * WINDOW)]


def encode_series(state: SeriesState | RateState) -> bytes:
    """Serialise a series."""
    return msgspec.msgpack.encode(state)


def decode_series(content: bytes) -> SeriesState | RateState:
    """Read `encode_series`'s bytes without trusting them.

    Raises:
        StateFormatError: malformed, of another version, inconsistent, or holding numbers that are
            not finite.

    """
    try:
        state = msgspec.msgpack.decode(content, type=SeriesState | RateState)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateFormatError from error
    numbers = list(_list_numbers(msgspec.to_builtins(state, builtin_types=(bytes,))))
    if isinstance(state, SeriesState):
        numbers += array("f", state.season.means)
    if not all(map(math.isfinite, numbers)):
        raise StateFormatError
    if isinstance(state, RateState):
        consistent = len(state.steps) == len(state.moments)
    else:
        consistent = len(state.steps) == len(state.gaps) and (
            not state.arms
            or (len(state.arms) == len(REFERENCES) and all(arm[0] >= 1.0 for arm in state.arms))
        )
    if not consistent:
        raise StateFormatError
    return state


def _list_numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _list_numbers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _list_numbers(item)


def export_regular(series: RegularSeries) -> SeriesState:
    """Return a regular series' memory."""
    season, whitener = series.season, series.whitener
    return SeriesState(
        season=SeasonState(
            means=season.means.tobytes(),
            visits=bytes(season.visits),
            variance=season.variance,
            covariance=season.covariance,
            last_difference=season.last_difference,
            n_differences=season.n_differences,
            slot=season.slot,
            total=season.total,
            n_samples=season.n_samples,
            waiting=list(season.waiting),
        ),
        whitener=WhitenerState(
            covariances=list(whitener.covariances),
            coefficients=list(whitener.coefficients),
            lags=list(whitener.lags),
            variance=whitener.variance,
            skewness=whitener.skewness,
            kurtosis=whitener.kurtosis,
            n_samples=whitener.n_samples,
            batch_sums=list(whitener.batch_sums),
            batch_fill=list(whitener.batch_fill),
            batch_ratios=list(whitener.batch_ratios),
            n_batches=list(whitener.n_batches),
        ),
        arms=[arm.export_memory() for arm in series.arms] if series.steps else [],
        level=series.level,
        offset=series.offset,
        n_level=series.n_level,
        recent=series.recent,
        n_samples=series.n_samples,
        hold_off=series.hold_off,
        last_moment=series.last_moment,
        spacing=series.spacing,
        steps=bytes(step + _STEP_ZERO for step in series.steps),
        gaps=bytes(series.gaps),
    )


def import_regular(state: SeriesState) -> RegularSeries:
    """Return the series that `export_regular` wrote down."""
    series = RegularSeries(
        season=WeeklySeason(
            **msgspec.structs.asdict(state.season)
            | {"means": array("f", state.season.means), "visits": bytearray(state.season.visits)}
        ),
        whitener=Whitener(**msgspec.structs.asdict(state.whitener)),
        level=state.level,
        offset=state.offset,
        n_level=state.n_level,
        recent=state.recent,
        n_samples=state.n_samples,
        hold_off=state.hold_off,
        last_moment=state.last_moment,
        spacing=state.spacing,
        steps=deque((step - _STEP_ZERO for step in state.steps), maxlen=RECENT_SAMPLES),
        gaps=deque(state.gaps, maxlen=RECENT_SAMPLES),
    )
    for arm, memory in zip(series.arms, state.arms, strict=False):
        arm.import_memory(memory)
    return series


def export_rate(series: RateSeries) -> RateState:
    """Return a rate's memory."""
    return RateState(steps=bytes(series.steps), moments=list(series.moments))


def import_rate(state: RateState) -> RateSeries:
    """Return the rate that `export_rate` wrote down."""
    return RateSeries(steps=list(state.steps), moments=state.moments)
