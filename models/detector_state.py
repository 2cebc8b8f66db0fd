# SPDX-License-Identifier: Apache-2.0
"""The stored form of a device's detector state: MessagePack of plain numbers, version 1.

Metrics are named, so state survives a change of the signal table; no code is ever loaded.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta, Struct

from models.errors import StateFormatError
from models.guards import Streak, Streaks
from models.signals import METRIC_NAMES, N_SIGNALS, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """Baselines of shape (n_signals,) and counters of one device."""

    count: FloatArray
    mean: FloatArray
    variance: FloatArray
    last_seen: float
    unusual_reports: int
    streaks: Streaks


class _StoredState(Struct, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=1, le=1)] = 1
    baselines: dict[str, tuple[float, float, float]]  # metric -> count, mean, variance
    last_seen: float
    unusual_reports: Annotated[int, Meta(ge=0)]
    streaks: dict[str, tuple[int, float]]
    seen_good: list[str]


def encode_state(state: DeviceState) -> bytes:
    """Serialise a device's state; metrics never seen are left out."""
    return msgspec.msgpack.encode(
        _StoredState(
            baselines={
                name: (
                    float(state.count[index]),
                    float(state.mean[index]),
                    float(state.variance[index]),
                )
                for index, name in enumerate(METRIC_NAMES)
                if state.count[index]
            },
            last_seen=state.last_seen,
            unusual_reports=state.unusual_reports,
            streaks={
                key: (streak.reports, streak.started_at)
                for key, streak in state.streaks.running.items()
            },
            seen_good=sorted(state.streaks.seen_good),
        )
    )


def decode_state(content: bytes) -> DeviceState:
    """Read `encode_state`'s bytes without trusting them.

    Raises:
        StateFormatError: malformed, of another version, or holding numbers that are not finite.

    """
    try:
        stored = msgspec.msgpack.decode(content, type=_StoredState)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateFormatError from error
    arrays = np.zeros((3, N_SIGNALS))
    for index, name in enumerate(METRIC_NAMES):
        arrays[:, index] = stored.baselines.get(name, (0.0, 0.0, 0.0))
    if not np.all(np.isfinite(arrays)) or np.any(arrays[[0, 2]] < 0):
        raise StateFormatError
    return DeviceState(
        count=arrays[0],
        mean=arrays[1],
        variance=arrays[2],
        last_seen=stored.last_seen,
        unusual_reports=stored.unusual_reports,
        streaks=Streaks(
            running={
                key: Streak(reports=reports, started_at=started_at)
                for key, (reports, started_at) in stored.streaks.items()
            },
            seen_good=set(stored.seen_good),
        ),
    )
