# SPDX-License-Identifier: Apache-2.0
"""Feeds the drift monitors and keeps their alarms; never retrains anything.

Fed are means of cohorts per minute, confidences of models, and whether people overrode or
rejected what was proposed. All memory is in PostgreSQL, read and written in the caller's
transaction: a sample counts once whatever is killed, and any worker may go on.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.drift import DriftAlarm, DriftMonitor
from models.drift_state import decode_series, encode_series
from models.errors import StateFormatError

QUERIES = load_queries(__file__, "drift")
ACTOR = "system:drift"
ANSWERS_LOCK = 0x45554346
BATCH = 500
WATCHED_METRICS = (
    "cpu_percent",
    "memory_percent",
    "disk_used_percent_max",
    "cpu_temperature_celsius",
    "app_crashes",
    "dns_latency_ms",
    "experience_score",
)
WATCHED_MODELS = frozenset({"health", "tickets"})
AGAINST = frozenset({"override", "reject"})
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one series."""

    cohort: str
    metric: str
    observed_at: datetime
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReport:
    """What a monitor needs of a scored report."""

    cohort: str
    observed_at: datetime
    metrics: Mapping[str, float]


class DriftWatch:
    """Watches for drift in the caller's transactions."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit

    async def observe_reports(
        self, connection: Connection, reports: Sequence[CohortReport], *, correlation_id: str
    ) -> list[DriftAlarm]:
        """Add scored reports; a cohort's minute is judged when the next but one has begun.

        The caller lets batches take turns.
        """
        sums: dict[tuple[str, datetime, str], list[float]] = defaultdict(lambda: [0.0, 0])
        for report in reports:
            minute = report.observed_at.replace(second=0, microsecond=0)
            for metric in WATCHED_METRICS:
                if metric in report.metrics:
                    entry = sums[(report.cohort, minute, metric)]
                    entry[0] += report.metrics[metric]
                    entry[1] += 1
        if not sums:
            return []
        await connection.execute(
            QUERIES["add_to_minutes"],
            {
                "cohorts": [key[0] for key in sums],
                "minutes": [key[1] for key in sums],
                "metrics": [key[2] for key in sums],
                "totals": [entry[0] for entry in sums.values()],
                "counts": [int(entry[1]) for entry in sums.values()],
            },
        )
        cursor = await connection.execute(
            QUERIES["take_past_minutes"],
            {"cohorts": sorted({key[0] for key in sums}), "now": self._clock.now()},
        )
        samples = [
            Sample(
                cohort=row["cohort"],
                metric=row["metric"],
                observed_at=row["minute"],
                value=row["mean"],
            )
            for row in await cursor.fetchall()
        ]
        return await self._feed(connection, samples, correlation_id)

    async def observe_answers(
        self, connection: Connection, *, correlation_id: str
    ) -> list[DriftAlarm]:
        """Take in models' confidences and people's decisions that nobody has looked at yet."""
        cursor = await connection.execute(QUERIES["lock_answers"], {"lock_key": ANSWERS_LOCK})
        row = await cursor.fetchone()
        if row is None or not row["locked"]:
            return []
        values = {"now": self._clock.now(), "limit": BATCH}
        answers = await (await connection.execute(QUERIES["take_answers"], values)).fetchall()
        decisions = await (await connection.execute(QUERIES["take_decisions"], values)).fetchall()
        samples = [
            Sample(
                cohort=f"model:{row['model_name']}",
                metric="confidence",
                observed_at=row["created_at"],
                value=row["confidence"],
            )
            for row in answers
            if row["model_name"] in WATCHED_MODELS
        ]
        samples += [
            Sample(
                cohort="people",
                metric="override_rate",
                observed_at=row["created_at"],
                value=float(row["label"] in AGAINST),
            )
            for row in decisions
            if row["kind"] == "decision"
        ]
        return await self._feed(connection, samples, correlation_id)

    async def _feed(
        self, connection: Connection, samples: Iterable[Sample], correlation_id: str
    ) -> list[DriftAlarm]:
        ordered = sorted(samples, key=lambda sample: sample.observed_at)
        if not ordered:
            return []
        keys = sorted({(sample.cohort, sample.metric) for sample in ordered})
        monitor = await self._load(connection, keys)
        found = [monitor.observe(**asdict(sample)) for sample in ordered]
        alarms = [alarm for alarm in found if alarm is not None]
        for cohort, metric in keys:
            await connection.execute(
                QUERIES["store_series"],
                {
                    "cohort": cohort,
                    "metric": metric,
                    "state": encode_series(monitor.export_series(cohort, metric)),
                    "now": self._clock.now(),
                },
            )
        for alarm in alarms:
            await self._raise_alarm(connection, alarm, correlation_id)
        return alarms

    async def _load(self, connection: Connection, keys: Sequence[tuple[str, str]]) -> DriftMonitor:
        monitor = DriftMonitor()
        cursor = await connection.execute(
            QUERIES["find_series"],
            {"cohorts": [key[0] for key in keys], "metrics": [key[1] for key in keys]},
        )
        for row in await cursor.fetchall():
            try:
                state = decode_series(bytes(row["state"]))
            except StateFormatError:  # of another version, or damaged: the series starts anew
                _logger.warning("drift memory of %s %s is unreadable", row["cohort"], row["metric"])
                continue
            monitor.import_series(row["cohort"], row["metric"], state)
        return monitor

    async def _raise_alarm(
        self, connection: Connection, alarm: DriftAlarm, correlation_id: str
    ) -> None:
        alarm_id = self._ids.new("drf")
        await connection.execute(
            QUERIES["insert_alarm"],
            {"alarm_id": alarm_id, **asdict(alarm), "created_at": self._clock.now()},
        )
        await self._audit.record(
            connection,
            actor=ACTOR,
            action="drift.alarm",
            subject_kind="drift_alarm",
            subject_id=alarm_id,
            correlation_id=correlation_id,
            after={**asdict(alarm), "observed_at": alarm.observed_at.isoformat()},
        )


async def list_alarms(connection: Connection, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest drift alarms."""
    return await (await connection.execute(QUERIES["list_alarms"], {"limit": limit})).fetchall()
