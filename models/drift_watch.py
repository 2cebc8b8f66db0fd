# SPDX-License-Identifier: Apache-2.0
"""Feeds the drift monitors and hands their alarms on; never retrains anything.

Fed are means of cohorts per minute, confidences of models, whether people overrode or rejected
what was proposed, and how far off the recommender's promises were. All memory is in PostgreSQL,
read and written in the caller's transaction: a sample counts once whatever is killed, and any
worker may go on.
"""

import logging
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.alarm_budget import AlarmBudget
from models.drift import DriftMonitor
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_episodes import DriftEpisodes, list_alarms
from models.drift_state import decode_series, encode_series
from models.errors import StateFormatError
from models.retraining_proposals import MODEL_PREFIX, PEOPLE
from models.signals import read_value

__all__ = ["CohortReport", "DriftWatch", "list_alarms"]
QUERIES = load_queries(__file__, "drift")
ANSWERS_LOCK = 0x45554346
BATCH = 500
MOST_COHORTS = 20  # whose minutes are judged in a transaction: others wait for it
LIVING = timedelta(days=30)  # a series that was not fed for longer takes no share of the budget
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
PROMISING_MODEL = "recommender"  # it tells how probably an approved script works
AGAINST = frozenset({"override", "reject"})
_WORST_PROBABILITY = 0.01  # a promise that failed costs no more log-loss than this one's
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one series."""

    cohort: str
    metric: str
    observed_at: datetime
    value: float
    kind: DriftKind = DriftKind.LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReport:
    """What a monitor needs of a scored report."""

    cohort: str
    observed_at: datetime
    metrics: Mapping[str, float]


class DriftWatch:
    """Watches for drift in the caller's transactions.

    Args:
        clock: tells the time.
        ids: makes ids.
        audit: takes in what is told.
        budget: the false alarms that are tolerated over all series.

    """

    def __init__(
        self, clock: Clock, ids: IdSource, audit: AuditIntake, budget: AlarmBudget | None = None
    ) -> None:
        self._clock = clock
        self._budget = budget or AlarmBudget()
        self._episodes = DriftEpisodes(clock, ids, audit)

    async def observe_reports(
        self, connection: Connection, reports: Sequence[CohortReport], *, correlation_id: str
    ) -> list[DriftAlarm]:
        """Add scored reports; a cohort's minute is judged when the next but one has begun.

        The caller lets batches take turns. A batch judges so many cohorts, those that have waited
        longest; the others' minutes wait for the next batch with reports of theirs.
        """
        sums = _sum_minutes(reports)
        if not sums:
            return []
        await connection.execute(
            QUERIES["add_to_minutes"],
            {
                "cohorts": [key[0] for key in sums],
                "minutes": [key[1] for key in sums],
                "metrics": [key[2] for key in sums],
                "totals": [total for total, _ in sums.values()],
                "counts": [count for _, count in sums.values()],
            },
        )
        cursor = await connection.execute(
            QUERIES["take_past_minutes"],
            {
                "cohorts": sorted({key[0] for key in sums}),
                "most_cohorts": MOST_COHORTS,
                "now": self._clock.now(),
            },
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
        labels = await (await connection.execute(QUERIES["take_labels"], values)).fetchall()
        samples = [*_list_confidences(answers), *_list_decisions(labels), *_list_losses(labels)]
        return await self._feed(connection, samples, correlation_id)

    async def _feed(
        self, connection: Connection, samples: Iterable[Sample], correlation_id: str
    ) -> list[DriftAlarm]:
        ordered = sorted(samples, key=lambda sample: sample.observed_at)
        if not ordered:
            return []
        keys = sorted({(sample.cohort, sample.metric) for sample in ordered})
        monitor = await self._load(connection, keys)
        found = [_observe(monitor, sample) for sample in ordered]
        alarms = [alarm for alarm in found if alarm is not None]
        known = [key for key in keys if key in monitor]
        await connection.execute(
            QUERIES["store_series"],
            {
                "cohorts": [cohort for cohort, _ in known],
                "metrics": [metric for _, metric in known],
                "states": [encode_series(monitor.export_series(*key)) for key in known],
                "now": self._clock.now(),
            },
        )
        await self._episodes.take_up(connection, alarms, correlation_id=correlation_id)
        return alarms

    async def _load(self, connection: Connection, keys: Sequence[tuple[str, str]]) -> DriftMonitor:
        since = self._clock.now() - LIVING
        row = await (await connection.execute(QUERIES["count_series"], {"since": since})).fetchone()
        n_series = max(len(keys), int(row["n_series"]) if row else 0)
        monitor = DriftMonitor(self._budget, n_series)
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


def _observe(monitor: DriftMonitor, sample: Sample) -> DriftAlarm | None:
    observe = monitor.observe_rate if sample.kind is DriftKind.RATE else monitor.observe
    return observe(
        cohort=sample.cohort,
        metric=sample.metric,
        observed_at=sample.observed_at,
        value=sample.value,
    )


def _sum_minutes(
    reports: Iterable[CohortReport],
) -> Mapping[tuple[str, datetime, str], tuple[float, int]]:
    """Return the sum and the number of values of each cohort, minute and watched metric."""
    values: dict[tuple[str, datetime, str], list[float]] = defaultdict(list)
    for report in reports:
        minute = report.observed_at.replace(second=0, microsecond=0)
        for metric in WATCHED_METRICS:
            value = read_value(metric, report.metrics.get(metric))
            if not math.isnan(value):
                values[report.cohort, minute, metric].append(value)
    return {key: (sum(each), len(each)) for key, each in values.items()}


def _list_confidences(answers: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Return a model's mean confidence of each minute: a bad patch is one case, not 900."""
    by_minute: dict[tuple[str, datetime], list[float]] = defaultdict(list)
    for answer in answers:
        if answer["model_name"] in WATCHED_MODELS:
            minute = answer["created_at"].replace(second=0, microsecond=0)
            by_minute[(answer["model_name"], minute)].append(answer["confidence"])
    return [
        Sample(
            cohort=f"{MODEL_PREFIX}{name}",
            metric="confidence",
            observed_at=minute,
            value=sum(confidences) / len(confidences),
            kind=DriftKind.RATE,
        )
        for (name, minute), confidences in by_minute.items()
    ]


def _list_decisions(labels: Iterable[Mapping[str, Any]]) -> list[Sample]:
    return [
        Sample(
            cohort=PEOPLE,
            metric="override_rate",
            observed_at=label["created_at"],
            value=float(label["label"] in AGAINST),
            kind=DriftKind.RATE,
        )
        for label in labels
        if label["kind"] == "decision"
    ]


def _list_losses(labels: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Return the log-loss of promises that telemetry has answered, scaled to [0, 1].

    Promised is that a script works if it is approved: there are outcomes of no others. What a
    proposal promised before the recommender told that apart is passed over.
    """
    worst = -math.log(_WORST_PROBABILITY)
    return [
        Sample(
            cohort=f"{MODEL_PREFIX}{PROMISING_MODEL}",
            metric="log_loss",
            observed_at=label["created_at"],
            value=_log_loss(label["promised"], held=label["label"] == "succeeded") / worst,
            kind=DriftKind.RATE,
        )
        for label in labels
        if label["kind"] == "outcome"
        and label["label"] in {"succeeded", "failed"}
        and label["promised"] is not None
    ]


def _log_loss(promised: float, *, held: bool) -> float:
    probability = promised if held else 1.0 - promised
    return -math.log(min(1.0, max(_WORST_PROBABILITY, probability)))
