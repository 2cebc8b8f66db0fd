# SPDX-License-Identifier: Apache-2.0
"""Drift of features: how a metric is spread over a cohort's devices, day by day.

A device counts once, by its mean over a few minutes spread over the day: its reports of a day
resemble each other and are no independent samples. Each day is compared with the first day of its
kind (Monday to Thursday, Friday, Saturday, Sunday) that the champion health model has seen; a
new champion, or an alarm, makes the next day the reference.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.alarm_budget import AlarmBudget
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_episodes import DriftEpisodes
from models.drift_watch import WATCHED_METRICS
from models.population_stability import BinnedSample, Stability, bin_sample, compare_samples

QUERIES = load_queries(__file__, "feature_drift")
LEAST_DEVICES = 20
MOST_DEVICES = 2000
LEAST_INDEX = 0.1  # below it a shift that is no accident is still no matter
_SAMPLED_HOURS = range(1, 24, 3)
_LATE = timedelta(hours=1)  # in which a day's last reports may still come
_FIRST_REST_DAY = 4
_MINUTE = timedelta(minutes=1)


class FeatureDrift:
    """Compares days in the caller's transaction.

    Args:
        clock: tells the time.
        ids: makes ids.
        audit: takes in what is told.
        budget: the false alarms that are tolerated a day over all features.
        sample_for: what is read each time; at least the time between two reports of a device.

    """

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        *,
        budget: AlarmBudget | None = None,
        sample_for: timedelta = _MINUTE,
    ) -> None:
        self._clock = clock
        self._budget = budget or AlarmBudget()
        self._sample_for = max(sample_for, _MINUTE)
        self._episodes = DriftEpisodes(clock, ids, audit)

    async def compare_yesterday(
        self, connection: Connection, *, model_version: str, correlation_id: str
    ) -> list[DriftAlarm]:
        """Compare the last whole day (UTC) once; return what differs from its reference.

        Args:
            connection: carries the transaction.
            model_version: of the champion health model; references of another one are replaced.
            correlation_id: of this run.

        """
        day = (self._clock.now().astimezone(UTC) - _LATE).date() - timedelta(days=1)
        values = {"day": day, "now": self._clock.now()}
        if await (await connection.execute(QUERIES["begin_day"], values)).fetchone() is None:
            return []
        samples = await self._sample(connection, day)
        references = await self._find_references(connection, day, model_version)
        tolerated = self._budget.per_series(max(1, len(samples)))
        alarms = []
        for (cohort, metric), sample in samples.items():
            reference = references.get((cohort, metric))
            alarm = None
            if reference is not None:
                alarm = judge(reference, sample, tolerated, cohort=cohort, metric=metric, day=day)
            if alarm is not None:
                alarms.append(alarm)
            if reference is None or alarm is not None:
                await self._store(connection, cohort, metric, day, model_version, sample)
        await self._episodes.take_up(connection, alarms, correlation_id=correlation_id)
        await connection.execute(
            QUERIES["end_day"], {"day": day, "n_compared": len(samples.keys() & references.keys())}
        )
        return alarms

    async def _sample(
        self, connection: Connection, day: date
    ) -> dict[tuple[str, str], np.ndarray[Any, np.dtype[np.float64]]]:
        starts = [datetime.combine(day, time(hour), UTC) for hour in _SAMPLED_HOURS]
        cursor = await connection.execute(
            QUERIES["sample_day"],
            {
                "starts": starts,
                "ends": [start + self._sample_for for start in starts],
                "metrics": list(WATCHED_METRICS),
                "most_devices": MOST_DEVICES,
            },
        )
        return {
            (row["cohort"], row["metric"]): np.array(row["values"], dtype=float)
            for row in await cursor.fetchall()
            if len(row["values"]) >= LEAST_DEVICES
        }

    async def _find_references(
        self, connection: Connection, day: date, model_version: str
    ) -> dict[tuple[str, str], BinnedSample]:
        cursor = await connection.execute(QUERIES["find_references"], {"day_class": _class_of(day)})
        return {
            (row["cohort"], row["metric"]): BinnedSample(
                edges=tuple(row["edges"]), counts=tuple(row["counts"]), median=row["median"]
            )
            for row in await cursor.fetchall()
            if row["model_version"] == model_version
        }

    async def _store(
        self,
        connection: Connection,
        cohort: str,
        metric: str,
        day: date,
        model_version: str,
        sample: np.ndarray[Any, np.dtype[np.float64]],
    ) -> None:
        binned = bin_sample(sample)
        await connection.execute(
            QUERIES["store_reference"],
            {
                "cohort": cohort,
                "metric": metric,
                "day_class": _class_of(day),
                "model_version": model_version,
                "day": day,
                "edges": list(binned.edges),
                "counts": list(binned.counts),
                "median": binned.median,
            },
        )


def judge(
    reference: BinnedSample,
    sample: np.ndarray[Any, np.dtype[np.float64]],
    tolerated: float,
    *,
    cohort: str,
    metric: str,
    day: date,
) -> DriftAlarm | None:
    """Return an alarm where a day differs by more than chance, and by enough to matter.

    Args:
        reference: of the days of this kind.
        sample: one value a device, shape (n_devices,).
        tolerated: false alarms a day of this feature.
        cohort: whose devices.
        metric: which feature.
        day: which day (UTC).

    """
    stability: Stability = compare_samples(reference, sample)
    if stability.p_value > tolerated or stability.index < LEAST_INDEX:
        return None
    begins = datetime.combine(day, time(), UTC)
    ends = begins + timedelta(days=1)
    median = float(np.median(sample))
    direction = -1.0 if median < reference.median else 1.0
    return DriftAlarm(
        cohort=cohort,
        metric=metric,
        kind=DriftKind.DISTRIBUTION,
        observed_at=ends,
        since=begins,
        since_earliest=begins,
        since_latest=ends,
        level_before=reference.median,
        level_after=median,
        effect=direction * float(np.sqrt(stability.index)),
        n_samples=len(sample),
    )


def _class_of(day: date) -> int:
    return day.weekday() if day.weekday() >= _FIRST_REST_DAY else 0
