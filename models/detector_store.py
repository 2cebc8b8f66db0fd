# SPDX-License-Identifier: Apache-2.0
"""The detector's memory in PostgreSQL: devices with each batch, cohorts once a minute.

A device's memory is read and written in the transaction of its batch. What is known of cohorts and
of the fleet is sums; each worker adds what it learnt since it last looked, so that several of them
know together. A transaction may be rolled back after all was said: so the next one asks what became
of it, and what was known before is known again. A kill loses a minute of learning at most.

A cohort that was forgotten in the database (`device_cohorts`) begins anew in every worker: what is
known is of one generation of its row.

In memory are the devices of the batch, and the cohorts that were in use last.

Callers take turns (`lock_scoring`).
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from models.alarms import AlarmMonitor
from models.anomaly import AnomalyDetector
from models.cohort_model import CohortModel
from models.detector_state import LAYOUT, decode_sums, encode_sums, is_layout
from models.errors import StateFormatError
from models.signals import METRIC_NAMES, FloatArray

QUERIES = load_queries(__file__, "scoring")
FLEET = ""  # the name of what all devices have in common
SYNC_SECONDS = 60.0
COUNT_SECONDS = 600.0  # between two counts of the devices that report
LIVING = timedelta(days=1)
MOST_COHORTS = 200  # in memory, beside those of a batch; some 0.3 MB each
COHORT_MEMORY = timedelta(days=90)  # of one that nobody belongs to
_MOST_NAMED = 10
Sums = dict[str, FloatArray]
_logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Synced:
    """What was common knowledge when a worker last looked."""

    sums: Sums
    at: float
    generation: int  # of the row; another one after it was forgotten


@dataclass(slots=True, kw_only=True)
class _Unsettled:
    """A transaction of which it is not known yet whether it was committed."""

    transaction: str
    before: dict[str, tuple[Sums, _Synced | None]] = field(default_factory=dict)
    leaving: list[str] = field(default_factory=list)  # cohorts that need not be in memory


@dataclass(slots=True, kw_only=True)
class DetectorStore:
    """Reads and writes a detector's memory in the caller's transactions."""

    clock: Clock
    most_cohorts: int = MOST_COHORTS
    _synced: dict[str, _Synced] = field(default_factory=dict)
    _unsettled: _Unsettled = field(default_factory=lambda: _Unsettled(transaction=""))
    _layouts: Mapping[str, Sequence[str]] | None = None
    _counted_at: float = -np.inf

    async def load(
        self,
        connection: Connection,
        detector: AnomalyDetector,
        device_ids: Sequence[str],
        cohorts: Iterable[str],
    ) -> None:
        """Make the detector remember devices as stored, and cohorts that it does not know yet."""
        await self._settle(connection, detector)
        layouts = await self._list_layouts(connection)
        detector.forget_all()  # other workers go on with those of earlier batches
        cursor = await connection.execute(QUERIES["find_states"], {"device_ids": list(device_ids)})
        states = {row["device_id"]: bytes(row["state"]) for row in await cursor.fetchall()}
        _tell_damaged(detector.import_states(states, layouts))
        names = {FLEET, *cohorts}
        for name in await self._list_forgotten(connection, names):
            _drop(detector, name)
            self._synced.pop(name)
        unknown = [name for name in names if name not in self._synced]
        for name, found in (await self._find(connection, unknown)).items():
            self._take(detector, name, found)
        for name in names:
            self._remember(detector, name)
        await self._count_living(connection, detector)

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
        names = {FLEET, *cohorts}
        leaving = self._list_leaving(detector, names)
        now = self.clock.now().timestamp()
        due = [
            name
            for name in names
            if name not in self._synced or now - self._synced[name].at >= SYNC_SECONDS
        ]
        forgotten = await self._list_forgotten(connection, leaving)
        due += [name for name in leaving if name not in forgotten]
        stored = await self._find(connection, due)
        for name in due:
            await self._sync(connection, detector, name, stored.get(name))
        self._unsettled.leaving += leaving

    async def _settle(self, connection: Connection, detector: AnomalyDetector) -> None:
        """Ask what became of the last batch; if it was rolled back, know what was known before."""
        last = self._unsettled
        values = {"earlier": last.transaction or None}
        row = await (await connection.execute(QUERIES["find_outcome"], values)).fetchone()
        transaction = str(row["transaction"]) if row else ""
        if transaction == last.transaction:
            return
        self._unsettled = _Unsettled(transaction=transaction)
        if row and row["is_committed"]:
            for name in last.leaving:
                _drop(detector, name)
                self._synced.pop(name, None)
            return
        for name, (sums, synced) in last.before.items():
            self._synced.pop(name, None)
            if synced is not None:
                self._synced[name] = synced
            _model_of(detector, name).restore(sums)
        self._layouts = None  # ours may not have been kept

    def _remember(self, detector: AnomalyDetector, name: str) -> None:
        """Note what is known of a cohort, in case that the transaction is rolled back."""
        if name not in self._unsettled.before:
            sums = _model_of(detector, name).export()
            self._unsettled.before[name] = sums, self._synced.get(name)

    async def _list_forgotten(self, connection: Connection, names: Iterable[str]) -> set[str]:
        """Return those that are known here, and in the database no more or only since later."""
        known = [name for name in names if name in self._synced and name != FLEET]
        if not known:
            return set()
        cursor = await connection.execute(QUERIES["find_generations"], {"cohorts": known})
        found = {row["cohort"]: row["generation"] for row in await cursor.fetchall()}
        return {name for name in known if found.get(name) != self._synced[name].generation}

    def _list_leaving(self, detector: AnomalyDetector, in_use: set[str]) -> list[str]:
        """Return cohorts beyond the bound, those first that were longest not looked at."""
        idle = [name for name in detector.fleet.cohorts if name not in in_use]
        idle.sort(key=lambda name: self._synced[name].at if name in self._synced else -np.inf)
        return idle[: max(len(idle) - self.most_cohorts, 0)]

    async def _sync(
        self,
        connection: Connection,
        detector: AnomalyDetector,
        name: str,
        stored: _Synced | None,
    ) -> None:
        """Add to what is stored what was learnt since the last look."""
        self._remember(detector, name)
        model, known = _model_of(detector, name), self._synced.get(name)
        if stored is not None and (known is None or not _are_equal(stored.sums, known.sums)):
            try:
                model.merge(stored.sums, known.sums if known else {})
            except StateFormatError:
                _logger.warning("detector memory of cohort %s is replaced", name)
        mine, now = model.export(), self.clock.now()
        values = {"cohort": name, "state": encode_sums(mine), "now": now}
        row = await (await connection.execute(QUERIES["store_cohort"], values)).fetchone()
        if row is None:
            return
        if row["is_new"]:
            await connection.execute(
                QUERIES["forget_idle_cohorts"], {"not_since": now - COHORT_MEMORY}
            )
        self._synced[name] = _Synced(
            sums=mine, at=now.timestamp(), generation=int(row["generation"])
        )

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
            found[row["cohort"]] = _Synced(
                sums=sums, at=self.clock.now().timestamp(), generation=int(row["generation"])
            )
        return found

    async def _count_living(self, connection: Connection, detector: AnomalyDetector) -> None:
        """Tell the alarms how large the fleet is, of which a worker sees a part."""
        now = self.clock.now()
        if now.timestamp() - self._counted_at < COUNT_SECONDS:
            return
        cursor = await connection.execute(QUERIES["count_living"], {"since": now - LIVING})
        row = await cursor.fetchone()
        detector.alarms.n_living = int(row["n_devices"]) if row else 0
        self._counted_at = now.timestamp()

    async def _list_layouts(self, connection: Connection) -> Mapping[str, Sequence[str]]:
        if self._layouts is None:
            values = {"layout": LAYOUT, "metrics": list(METRIC_NAMES), "now": self.clock.now()}
            await connection.execute(QUERIES["store_layout"], values)
            cursor = await connection.execute(QUERIES["list_layouts"])
            found = {row["layout"]: row["metrics"] for row in await cursor.fetchall()}
            self._layouts = {name: each for name, each in found.items() if is_layout(name, each)}
            damaged = sorted(found.keys() - self._layouts.keys())
            if damaged:
                _logger.warning("detector layouts are damaged and not read: %s", ", ".join(damaged))
        return self._layouts


def _tell_damaged(device_ids: Sequence[str]) -> None:
    if not device_ids:
        return
    named = ", ".join(device_ids[:_MOST_NAMED])
    if len(device_ids) > _MOST_NAMED:
        named += ", ..."
    _logger.warning(
        "detector memory of %d devices is unreadable, they begin anew: %s", len(device_ids), named
    )


def _model_of(detector: AnomalyDetector, name: str) -> AlarmMonitor | CohortModel:
    return detector.alarms if name == FLEET else detector.fleet.cohort(name)


def _drop(detector: AnomalyDetector, cohort: str) -> None:
    detector.fleet.cohorts.pop(cohort, None)


def _are_equal(some: Sums, others: Sums) -> bool:
    return some.keys() == others.keys() and all(
        np.array_equal(values, others[name]) for name, values in some.items()
    )
