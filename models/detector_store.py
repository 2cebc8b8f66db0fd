# SPDX-License-Identifier: Apache-2.0
"""The detector's memory in PostgreSQL: devices with each batch, cohorts once a minute.

A device's memory is read and written in the transaction of its batch: what is rolled back has left
nothing. What is known of cohorts and of the fleet is sums; each worker adds what it learnt since
it last looked, so that several of them know together. The last minute of that may be lost by a
kill, or learnt twice by a batch that is rolled back, which changes no score that counts.

Callers take turns (`lock_scoring`).
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from models.alarms import AlarmMonitor
from models.anomaly import AnomalyDetector
from models.cohort_model import CohortModel
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
        detector.forget(*device_ids)  # a batch that was rolled back must leave nothing
        cursor = await connection.execute(QUERIES["find_states"], {"device_ids": list(device_ids)})
        states = {row["device_id"]: bytes(row["state"]) for row in await cursor.fetchall()}
        for device_id in detector.import_states(states, layouts):  # damaged: it starts anew
            _logger.warning("detector memory of device %s is unreadable", device_id)
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
        model, known = _model_of(detector, name), self._synced.get(name)
        if stored is not None and (known is None or not _are_equal(stored.sums, known.sums)):
            try:
                model.merge(stored.sums, known.sums if known else {})
            except StateFormatError:
                _logger.warning("detector memory of cohort %s is replaced", name)
        mine = model.export()
        await connection.execute(
            QUERIES["store_cohort"],
            {"cohort": name, "state": encode_sums(mine), "now": self.clock.now()},
        )
        self._synced[name] = _Synced(sums=mine, at=self.clock.now().timestamp())

    def _take(self, detector: AnomalyDetector, name: str, found: _Synced) -> None:
        try:
            _model_of(detector, name).restore(found.sums)
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
            found[row["cohort"]] = _Synced(sums=sums, at=self.clock.now().timestamp())
        return found

    async def _list_layouts(self, connection: Connection) -> Mapping[str, Sequence[str]]:
        if self._layouts is None:
            values = {"layout": LAYOUT, "metrics": list(METRIC_NAMES), "now": self.clock.now()}
            await connection.execute(QUERIES["store_layout"], values)
            cursor = await connection.execute(QUERIES["list_layouts"])
            self._layouts = {row["layout"]: row["metrics"] for row in await cursor.fetchall()}
        return self._layouts


def _model_of(detector: AnomalyDetector, name: str) -> AlarmMonitor | CohortModel:
    return detector.alarms if name == FLEET else detector.fleet.cohort(name)


def _are_equal(some: Sums, others: Sums) -> bool:
    return some.keys() == others.keys() and all(
        np.array_equal(values, others[name]) for name, values in some.items()
    )
