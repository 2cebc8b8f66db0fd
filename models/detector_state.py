# SPDX-License-Identifier: Apache-2.0
"""The stored forms of what the detector remembers: MessagePack of plain numbers.

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
from models.signals import GREATEST_VALUE, METRIC_NAMES, FloatArray

Arrays = Mapping[str, npt.NDArray[Any]]


def layout_of(metrics: Sequence[str]) -> str:
    """Return the name of a layout: a digest of its metrics, in their order."""
    return hashlib.sha256("\n".join(metrics).encode()).hexdigest()[:16]


def is_layout(name: str, metrics: Any) -> bool:
    """Tell whether a stored layout is one: the names of metrics whose digest is its name."""
    names = metrics if isinstance(metrics, list) else []
    if not names or not all(isinstance(each, str) and each for each in names):
        return False
    unambiguous = len(set(names)) == len(names) and not any("\n" in each for each in names)
    return unambiguous and layout_of(names) == name


LAYOUT = layout_of(METRIC_NAMES)
_DRIVER = "driver"
_GREATEST_NUMBER = 100 * GREATEST_VALUE  # beyond, state is damaged and would overflow sums
_GREATEST_SQUARE = _GREATEST_NUMBER**2
_LATEST_SECONDS = 1e11


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
    counted_at: float = -np.inf  # when an excursion of it last counted as what devices do,
    told_at: float = -np.inf  # and when an episode of it last counted as told of


class _StoredDevice(Struct, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=5, le=5)] = 5
    layout: Annotated[str, Meta(max_length=64)]
    rows: bytes
    last_seen: float
    streaks: dict[str, tuple[int, float]]
    seen_good: list[str]
    episodes: dict[str, tuple[str, Annotated[int, Meta(ge=0)]]]
    statistical_key: str
    successive_reports: Annotated[int, Meta(ge=0)]
    counted_at: float
    told_at: float


class _StoredSums(Struct, kw_only=True, forbid_unknown_fields=True):
    version: Annotated[int, Meta(ge=2, le=2)] = 2
    layout: Annotated[str, Meta(max_length=64)]
    sums: dict[str, tuple[list[int], bytes]]  # name -> shape, little-endian doubles


def encode_devices(arrays: Arrays, memories: Sequence[DeviceMemory]) -> list[bytes]:
    """Serialise devices.

    Args:
        arrays: of these devices, by name; the first axis counts them.
        memories: what else is remembered of each.

    """
    records = np.empty(len(memories), _record_of(arrays, len(METRIC_NAMES)))
    for name, array in arrays.items():
        records[name] = array
    return [
        _encode(record.tobytes(), memory) for record, memory in zip(records, memories, strict=True)
    ]


def decode_devices(
    contents: Sequence[bytes], arrays: Arrays, layouts: Mapping[str, Sequence[str]]
) -> tuple[list[int], dict[str, npt.NDArray[Any]], list[DeviceMemory]]:
    """Read `encode_devices`'s bytes without trusting them.

    Args:
        contents: the bytes of each device.
        arrays: of the same names and kinds; only their shapes behind the first are looked at.
        layouts: metrics of older layouts by name, each of which `is_layout`.

    Returns:
        positions of the states that can be read, in order (not those that are malformed, of an
        unknown layout, or hold impossible numbers); their arrays; what else is remembered of them.

    """
    decoded = [_decode(content) for content in contents]
    records = np.zeros(len(contents), _record_of(arrays, len(METRIC_NAMES)))
    readable = np.zeros(len(contents), np.bool_)
    by_layout: dict[str, list[int]] = {}
    for position, stored in enumerate(decoded):
        if stored is not None:
            by_layout.setdefault(stored.layout, []).append(position)
    for layout, positions in by_layout.items():
        metrics = METRIC_NAMES if layout == LAYOUT else layouts.get(layout)
        if metrics is None:
            continue
        form = _record_of(arrays, len(metrics))
        fitting = [p for p in positions if len(_rows_of(decoded[p])) == form.itemsize]
        if fitting:
            joined = b"".join(_rows_of(decoded[p]) for p in fitting)
            found = np.frombuffer(joined, form)
            readable[fitting] = _are_possible(found, len(metrics))
            for name in arrays:
                of_metrics = arrays[name].shape[1:][-1:] == (len(METRIC_NAMES),)
                records[name][fitting] = _map_metrics(
                    found[name], metrics, of_metrics=of_metrics, of_places=name == _DRIVER
                )
    chosen = [int(position) for position in np.flatnonzero(readable)]
    memories = [_memory_of(stored) for p in chosen if (stored := decoded[p]) is not None]
    return chosen, {name: records[name][chosen] for name in arrays}, memories


def _record_of(arrays: Arrays, n_metrics: int) -> np.dtype[np.void]:
    """Return the form of a device's rows: names in order, without gaps."""
    fields = []
    for name in sorted(arrays):
        inner = arrays[name].shape[1:]
        shape = tuple(n_metrics if size == len(METRIC_NAMES) else size for size in inner)
        fields.append((name, arrays[name].dtype, shape))
    return np.dtype(fields)


def _encode(rows: bytes, memory: DeviceMemory) -> bytes:
    return msgspec.msgpack.encode(
        _StoredDevice(
            layout=LAYOUT,
            rows=rows,
            last_seen=memory.last_seen,
            streaks={k: (s.reports, s.started_at) for k, s in memory.streaks.running.items()},
            seen_good=sorted(memory.streaks.seen_good),
            episodes={
                key: (each.incident_key, each.quiet_reports)
                for key, each in memory.episodes.items()
            },
            statistical_key=memory.statistical_key,
            successive_reports=memory.successive_reports,
            counted_at=memory.counted_at,
            told_at=memory.told_at,
        )
    )


def _decode(content: bytes) -> _StoredDevice | None:
    try:
        stored = msgspec.msgpack.decode(content, type=_StoredDevice)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    moments = (stored.last_seen, stored.counted_at, stored.told_at)
    return stored if all(moment <= _LATEST_SECONDS for moment in moments) else None


def _rows_of(stored: _StoredDevice | None) -> bytes:
    return stored.rows if stored is not None else b""


def _memory_of(stored: _StoredDevice) -> DeviceMemory:
    return DeviceMemory(
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
        counted_at=stored.counted_at,
        told_at=stored.told_at,
    )


def _are_possible(records: npt.NDArray[np.void], n_metrics: int) -> npt.NDArray[np.bool_]:
    """Tell which records hold numbers that devices can lead to, shape (n,); NaN is none."""
    possible = np.ones(len(records), np.bool_)
    for name in records.dtype.names or ():
        values = records[name].reshape(len(records), -1)
        if name == _DRIVER:
            least, greatest = 0.0, n_metrics - 1.0
        else:
            greatest = _GREATEST_SQUARE if name == "variance" else _GREATEST_NUMBER
            least = -greatest
        possible &= ((values >= least) & (values <= greatest)).all(axis=1)
    return possible


def _map_metrics(
    values: npt.NDArray[Any], metrics: Sequence[str], *, of_metrics: bool, of_places: bool
) -> npt.NDArray[Any]:
    """Bring an array from another layout's metrics to ours; what is new is nought.

    Args:
        values: rows of devices.
        metrics: of the other layout.
        of_metrics: whether the last axis counts metrics.
        of_places: whether the values are metrics' places.

    """
    if metrics is METRIC_NAMES:
        return values
    places = {metric: place for place, metric in enumerate(METRIC_NAMES)}
    if of_places:
        mapped = np.array([places.get(metric, 0) for metric in metrics], values.dtype)
        return np.asarray(mapped[np.clip(values, 0, len(metrics) - 1)])
    if not of_metrics:
        return values
    mapped = np.zeros((*values.shape[:-1], len(METRIC_NAMES)), values.dtype)
    for position, metric in enumerate(metrics):
        if metric in places:
            mapped[..., places[metric]] = values[..., position]
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
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise StateFormatError from error
    if not all(np.all(np.isfinite(values)) for values in sums.values()):
        raise StateFormatError
    return sums
