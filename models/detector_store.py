# SPDX-License-Identifier: Apache-2.0
"""The detector's memory in PostgreSQL: devices with each batch, cohorts once a minute.

A device's memory is read and written in the transaction of its batch: what is rolled back has left
nothing. What is known of cohorts and of the fleet is sums; each worker adds what it learnt since
it last looked, so that several of them know together. The last minute of that may be lost by a
kill, which changes no score that counts.

Callers take turns (`lock_scoring`).
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from models.anomaly import AnomalyDetector
from models.detector_state import LAYOUT, decode_sums, encode_sums
from models.errors import StateFormatError
from models.signals import METRIC_NAMES, FloatArray

QUERIES = load_queries(__file__, "scoring")
FLEET = ""  # the name of what all devices have in common
SYNC_SECONDS = 60.0
Sums = dict[str, FloatArray]
_logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Synced:
    """What was common knowledge when a worker last looked."""

    sums: Sums
    generation: int
    at: float


@dataclass(slots=True, kw_only=True)
class DetectorStore:
    """Reads and writes a detector's memory in the caller's transactions."""

    clock: Clock
    _synced: dict[str, _Synced] = field(default_factory=dict)
    _layouts: Mapping[str, Sequence[str]] | None = None

    async def load(
        self,
        connection: Connection,
        detector: AnomalyDetector,
        device_ids: Sequence[str],
        cohorts: Iterable[str],
    ) -> None:
        """Make the detector remember devices as stored, and cohorts that it does not know yet."""
        layouts = await self._list_layouts(connection)
        for device_id in device_ids:
            detector.forget(device_id)  # a batch that was rolled back must leave nothing
        cursor = await connection.execute(QUERIES["find_states"], {"device_ids": list(device_ids)})
        for row in await cursor.fetchall():
            try:
                detector.import_state(row["device_id"], bytes(row["state"]), layouts)
            except StateFormatError:  # of another version, or damaged: the device starts anew
                _logger.warning("detector memory of device %s is unreadable", row["device_id"])
        unknown = [name for name in {FLEET, *cohorts} if name not in self._synced]
        for name, found in (await self._find(connection, unknown)).items():
            self._take(detector, name, found)

    async def store(
        self,
        connection: Connection,
        detector: AnomalyDetector,
        device_ids: Sequence[str],
        cohorts: Iterable[str],
    ) -> None:
        """Keep what is remembered of devices, and of cohorts whose minute is over."""
        if device_ids:
            await connection.execute(
                QUERIES["store_states"],
                {
                    "device_ids": list(device_ids),
                    "states": detector.export_states(device_ids),
                    "now": self.clock.now(),
                },
            )
        now = self.clock.now().timestamp()
        due = [
            name
            for name in {FLEET, *cohorts}
            if name not in self._synced or now - self._synced[name].at >= SYNC_SECONDS
        ]
        stored = await self._find(connection, due)
        for name in due:
            await self._sync(connection, detector, name, stored.get(name))

    async def _sync(
        self,
        connection: Connection,
        detector: AnomalyDetector,
        name: str,
        stored: _Synced | None,
    ) -> None:
        """Add to what is stored what was learnt since the last look."""
        mine, known = _export(detector, name), self._synced.get(name)
        if stored is not None and (known is None or stored.generation != known.generation):
            mine = _merge(stored.sums, mine, known.sums if known else None)
            _restorer(detector, name)(mine)
        cursor = await connection.execute(
            QUERIES["store_cohort"],
            {"cohort": name, "state": encode_sums(mine), "now": self.clock.now()},
        )
        row = await cursor.fetchone()
        generation = int(row["generation"]) if row else 0
        self._synced[name] = _Synced(
            sums=mine, generation=generation, at=self.clock.now().timestamp()
        )

    def _take(self, detector: AnomalyDetector, name: str, found: _Synced) -> None:
        try:
            _restorer(detector, name)(found.sums)
        except StateFormatError:  # of other shapes: what is learnt from now on replaces it
            _logger.warning("detector memory of cohort %s is unreadable", name)
            return
        self._synced[name] = found

    async def _find(self, connection: Connection, names: Sequence[str]) -> dict[str, _Synced]:
        if not names:
            return {}
        cursor = await connection.execute(QUERIES["find_cohorts"], {"cohorts": list(names)})
        found = {}
        for row in await cursor.fetchall():
            try:
                sums = decode_sums(bytes(row["state"]))
            except StateFormatError:
                _logger.warning("detector memory of cohort %s is unreadable", row["cohort"])
                continue
            found[row["cohort"]] = _Synced(
                sums=sums, generation=row["generation"], at=self.clock.now().timestamp()
            )
        return found

    async def _list_layouts(self, connection: Connection) -> Mapping[str, Sequence[str]]:
        if self._layouts is None:
            values = {"layout": LAYOUT, "metrics": list(METRIC_NAMES), "now": self.clock.now()}
            await connection.execute(QUERIES["store_layout"], values)
            cursor = await connection.execute(QUERIES["list_layouts"])
            self._layouts = {row["layout"]: row["metrics"] for row in await cursor.fetchall()}
        return self._layouts


def _export(detector: AnomalyDetector, name: str) -> Sums:
    return detector.alarms.export() if name == FLEET else detector.fleet.cohort(name).export()


def _restorer(detector: AnomalyDetector, name: str) -> Callable[[Sums], None]:
    return detector.alarms.restore if name == FLEET else detector.fleet.cohort(name).restore


def _merge(stored: Sums, mine: Sums, base: Sums | None) -> Sums:
    """Return what is stored and what was learnt since `base`; times span both."""
    merged = {}
    for name, values in mine.items():
        theirs = stored.get(name)
        if theirs is None or theirs.shape != values.shape:
            merged[name] = values
        elif name == "seconds":
            earliest = min([each[0] for each in (theirs, values) if each[0]], default=0.0)
            merged[name] = np.array([earliest, max(theirs[1], values[1])])
        elif base is not None and _only_grows(name):
            merged[name] = theirs + np.maximum(values - base[name], 0.0)
        else:
            merged[name] = theirs + (values - base[name] if base is not None else values)
    return merged


def _only_grows(name: str) -> bool:
    """Tell whether sums of this name are counts, which decay alone makes smaller."""
    return name.startswith("pool_") or name.endswith("weight") or name == "excursions"
