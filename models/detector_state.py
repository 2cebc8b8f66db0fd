# SPDX-License-Identifier: Apache-2.0
"""The stored forms of what the detector remembers: MessagePack of plain numbers, version 2.

Of a device: its rows of the arrays, as one string of little-endian numbers, and what rules
remember. Of a cohort or the fleet: sums. Each names the layout that it was written in, a digest of
the metrics' names; state of an older layout is mapped by name. No code is ever loaded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from models.errors import StateFormatError
from models.guards import Streak, Streaks
from models.signals import METRIC_NAMES, FloatArray

Arrays = Mapping[str, npt.NDArray[Any]]


def layout_of(metrics: Sequence[str]) -> str:
    """Return the name of a layout: a digest of its metrics, in their order."""
    return hashlib.sha256("\n".join(metrics).encode()).hexdigest()[:16]


LAYOUT = layout_of(METRIC_NAMES)


@dataclass(slots=True, kw_only=True)
class OpenEpisode:
    """An episode of a device that was told of, and how long nothing was heard of it."""

    incident_key: str
    quiet_reports: int = 0


@dataclass(slots=True, kw_only=True)
class DeviceMemory:
    """What is remembered of a device beside its rows of the arrays."""

    last_seen: float = -np.inf  # seconds since 1970
    streaks: Streaks = field(default_factory=Streaks)
    episodes: dict[str, OpenEpisode] = field(default_factory=dict)  # by the detection's key
    statistical_key: str = ""  # of the episode that the statistics have open
    successive_reports: int = 0  # since that began


class _StoredDevice(Struct, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=2, le=2)] = 2
    layout: Annotated[str, Meta(max_length=64)]
    rows: bytes
    last_seen: float
    streaks: dict[str, tuple[int, float]]
    seen_good: list[str]
    episodes: dict[str, tuple[str, Annotated[int, Meta(ge=0)]]]
    statistical_key: str
    successive_reports: Annotated[int, Meta(ge=0)]


class _StoredSums(Struct, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=2, le=2)] = 2
    layout: Annotated[str, Meta(max_length=64)]
    sums: dict[str, tuple[list[int], bytes]]  # name -> shape, little-endian doubles


def encode_device(arrays: Arrays, row: int, memory: DeviceMemory) -> bytes:
    """Serialise a device.

    Args:
        arrays: of many devices, by name.
        row: which of them.
        memory: what else is remembered of it.

    """
    return msgspec.msgpack.encode(
        _StoredDevice(
            layout=LAYOUT,
            rows=b"".join(arrays[name][row].tobytes() for name in sorted(arrays)),
            last_seen=memory.last_seen,
            streaks={k: (s.reports, s.started_at) for k, s in memory.streaks.running.items()},
            seen_good=sorted(memory.streaks.seen_good),
            episodes={
                key: (each.incident_key, each.quiet_reports)
                for key, each in memory.episodes.items()
            },
            statistical_key=memory.statistical_key,
            successive_reports=memory.successive_reports,
        )
    )


def decode_device(
    content: bytes, arrays: Arrays, layouts: Mapping[str, Sequence[str]]
) -> tuple[dict[str, npt.NDArray[Any]], DeviceMemory]:
    """Read `encode_device`'s bytes without trusting them.

    Args:
        content: the bytes.
        arrays: of the same names and kinds; only their shapes behind the first are looked at.
        layouts: metrics of older layouts by name.

    Returns:
        the device's part of each array, and what else is remembered.

    Raises:
        StateFormatError: malformed, of an unknown layout, or holding numbers that are not finite.

    """
    try:
        stored = msgspec.msgpack.decode(content, type=_StoredDevice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateFormatError from error
    metrics = METRIC_NAMES if stored.layout == LAYOUT else layouts.get(stored.layout)
    if metrics is None:
        raise StateFormatError
    return _read_rows(stored.rows, arrays, metrics), DeviceMemory(
        last_seen=stored.last_seen,
        streaks=Streaks(
            running={k: Streak(reports=n, started_at=at) for k, (n, at) in stored.streaks.items()},
            seen_good=set(stored.seen_good),
        ),
        episodes={
            key: OpenEpisode(incident_key=incident_key, quiet_reports=quiet)
            for key, (incident_key, quiet) in stored.episodes.items()
        },
        statistical_key=stored.statistical_key,
        successive_reports=stored.successive_reports,
    )


def _read_rows(
    content: bytes, arrays: Arrays, metrics: Sequence[str]
) -> dict[str, npt.NDArray[Any]]:
    found, offset = {}, 0
    for name in sorted(arrays):
        array = arrays[name]
        inner = tuple(
            len(metrics) if size == len(METRIC_NAMES) else size for size in array.shape[1:]
        )
        size = int(np.prod(inner)) * array.itemsize
        part = content[offset : offset + size]
        if len(part) != size:
            raise StateFormatError
        values = np.frombuffer(part, array.dtype).reshape(inner)
        if not np.all(np.isfinite(values)):
            raise StateFormatError
        found[name] = _map_metrics(values, metrics)
        offset += size
    if offset != len(content):
        raise StateFormatError
    return found


def _map_metrics(values: npt.NDArray[Any], metrics: Sequence[str]) -> npt.NDArray[Any]:
    """Bring the last axis from another layout's metrics to ours; what is new is nought."""
    if metrics is METRIC_NAMES or values.ndim == 0 or values.shape[-1] != len(metrics):
        return values
    mapped = np.zeros((*values.shape[:-1], len(METRIC_NAMES)), values.dtype)
    for position, name in enumerate(metrics):
        if name in METRIC_NAMES:
            mapped[..., METRIC_NAMES.index(name)] = values[..., position]
    return mapped


def encode_sums(sums: Mapping[str, FloatArray]) -> bytes:
    """Serialise sums by name."""
    return msgspec.msgpack.encode(
        _StoredSums(
            layout=LAYOUT,
            sums={
                name: (list(values.shape), values.astype("<f8").tobytes())
                for name, values in sums.items()
            },
        )
    )


def decode_sums(content: bytes) -> dict[str, FloatArray]:
    """Read `encode_sums`'s bytes without trusting them.

    Raises:
        StateFormatError: malformed, of another layout, or holding numbers that are not finite.

    """
    try:
        stored = msgspec.msgpack.decode(content, type=_StoredSums)
        if stored.layout != LAYOUT:
            raise StateFormatError
        sums = {
            name: np.frombuffer(content, "<f8").reshape(shape).copy()
            for name, (shape, content) in stored.sums.items()
        }
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise StateFormatError from error
    if not all(np.all(np.isfinite(values)) for values in sums.values()):
        raise StateFormatError
    return sums
