# SPDX-License-Identifier: Apache-2.0
"""Drift of the world under the models: which series have changed their level for good.

A cohort's means per minute have days and weeks, and each resembles the last: raw, ADWIN cries
six to nine times a day. So they are deseasonalised and whitened first (`drift_series`). Rates come
irregularly and are watched as they are (`drift_rate`). How often all of them together may cry for
nothing is one figure (`alarm_budget`).
"""

import math
from datetime import UTC, datetime

from models.alarm_budget import AlarmBudget
from models.drift_alarm import DriftAlarm, DriftKind
from models.drift_rate import RateSeries
from models.drift_series import LevelChange, RegularSeries
from models.drift_state import (
    RateState,
    SeriesState,
    export_rate,
    export_regular,
    import_rate,
    import_regular,
)

Key = tuple[str, str]


class DriftMonitor:
    """Watches series by (cohort, metric).

    Args:
        budget: what false alarms are tolerated.
        n_series: how many series share the budget; by default those that this monitor knows.

    """

    def __init__(self, budget: AlarmBudget | None = None, n_series: int | None = None) -> None:
        self._budget = budget or AlarmBudget()
        self._n_series = n_series
        self._series: dict[Key, RegularSeries | RateSeries] = {}

    def observe(
        self, *, cohort: str, metric: str, observed_at: datetime, value: float
    ) -> DriftAlarm | None:
        """Feed the next sample of a regular series, one a minute say; tell when it has changed.

        Nothing is judged before two working days are learnt, nor on a weekday that may be a
        weekend before one like it is. What is not finite, or older than the last, is passed over.
        """
        return self._feed(RegularSeries, (cohort, metric), observed_at, value)

    def observe_rate(
        self, *, cohort: str, metric: str, observed_at: datetime, value: float
    ) -> DriftAlarm | None:
        """Feed one value in [0, 1] of a rate, whenever it comes; tell when the rate has changed."""
        return self._feed(RateSeries, (cohort, metric), observed_at, value)

    def __contains__(self, key: object) -> bool:
        """Tell whether a series, (cohort, metric), is known."""
        return key in self._series

    def is_judging(self, cohort: str, metric: str) -> bool:
        """Tell whether a regular series' last sample could have raised an alarm."""
        series = self._series.get((cohort, metric))
        return isinstance(series, RegularSeries) and series.is_judged

    def export_series(self, cohort: str, metric: str) -> SeriesState | RateState:
        """Return what a series must remember, as plain numbers."""
        series = self._series[(cohort, metric)]
        if isinstance(series, RateSeries):
            return export_rate(series)
        return export_regular(series)

    def import_series(self, cohort: str, metric: str, state: SeriesState | RateState) -> None:
        """Go on from a stored series, exactly as if it had never stopped."""
        imported = import_rate(state) if isinstance(state, RateState) else import_regular(state)
        self._series[(cohort, metric)] = imported

    def _feed(
        self,
        kind: type[RegularSeries] | type[RateSeries],
        key: Key,
        observed_at: datetime,
        value: float,
    ) -> DriftAlarm | None:
        if not math.isfinite(value):
            return None
        series = self._series.get(key)
        if not isinstance(series, kind):  # new, or of the other kind in an older release
            series = self._series[key] = kind()
        tolerated = self._budget.per_series(self._n_series or len(self._series))
        change = series.observe(observed_at.timestamp(), value, tolerated)
        if change is None:
            return None
        changed = DriftKind.RATE if kind is RateSeries else DriftKind.LEVEL
        return _describe(key, changed, observed_at, change)


def _describe(key: Key, kind: DriftKind, observed_at: datetime, change: LevelChange) -> DriftAlarm:
    return DriftAlarm(
        cohort=key[0],
        metric=key[1],
        kind=kind,
        observed_at=observed_at,
        since=datetime.fromtimestamp(change.since, UTC),
        since_earliest=datetime.fromtimestamp(change.earliest, UTC),
        since_latest=datetime.fromtimestamp(change.latest, UTC),
        level_before=change.level_before,
        level_after=change.level_after,
        effect=(change.level_after - change.level_before) / change.deviation,
        n_samples=change.n_samples,
    )
