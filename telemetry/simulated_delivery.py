# SPDX-License-Identifier: Apache-2.0
"""What becomes of reports on their way: not made, made late, sent twice, with a wrong clock.

A device that is asleep measures nothing. One without a connection measures on, and hands in what
it has queued when it is back. Clocks drift by seconds and now and then jump for some hours.
"""

from dataclasses import dataclass

import numpy as np

from telemetry.simulated_activity import Moment
from telemetry.simulated_population import MINUTES_A_DAY, Population
from telemetry.simulated_randomness import BoolArray, FloatArray, IntArray, waiting

_DISCONNECTED_DAYS = 0.04
_LOST_SHARE = 0.004
_SENT_TWICE_SHARE = 0.004
_LATE_SHARE = 0.01
_JUMP_DAYS = 0.02
_SENSOR_DAYS = 0.5  # of a device's days on which one of its sensors fails for a while


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the reports of one moment travel; every array has shape (n,)."""

    is_present: BoolArray  # a report is made and arrives some time
    delay_seconds: FloatArray  # from measurement to arrival
    is_repeated: BoolArray  # it arrives a second time
    clock_error_seconds: FloatArray  # of the device's clock against the truth
    queued_reports: FloatArray  # what waits on the device for a connection


def deliver(moment: Moment, population: Population, *, missing: bool, clocks: bool) -> Delivery:
    """Return how reports travel; without `missing` and `clocks` all is as it should be."""
    n_reports = len(moment.rows)
    clock = _clock_error(moment) if clocks else np.zeros(n_reports)
    joined = moment.minutes >= population.joins_at[moment.rows]
    present = joined & (moment.minutes < population.leaves_at[moment.rows])
    if not missing:
        zeros = np.zeros(n_reports)
        return Delivery(
            is_present=present,
            delay_seconds=zeros,
            is_repeated=zeros > 0,
            clock_error_seconds=clock,
            queued_reports=zeros,
        )
    waits, queued = _wait_for_connection(moment)
    late = moment.uniform("late") < _LATE_SHARE
    delay = 0.4 + 1.5 * waiting(moment.uniform("delay")) + waits
    delay += np.where(late, 60.0 * waiting(moment.uniform("lateness")) * 4.0, 0.0)
    return Delivery(
        is_present=present & (moment.is_awake > 0) & (moment.uniform("lost") > _LOST_SHARE),
        delay_seconds=delay,
        is_repeated=(moment.uniform("twice") < _SENT_TWICE_SHARE) | (late & (queued > 0)),
        clock_error_seconds=clock,
        queued_reports=queued,
    )


def lose_sensors(levels: FloatArray, moment: Moment, optional: IntArray) -> None:
    """Write NaN where a sensor fails for a while, in place; `optional` are columns.

    On some days one of a device's sensors fails, for 20 minutes to three hours.
    """
    today = moment.local_minutes % MINUTES_A_DAY
    since = today - MINUTES_A_DAY * moment.daily("sensor fails at")
    lasts = 20.0 + 160.0 * moment.daily("sensor is back")
    fails = (moment.daily("sensor fails") < _SENSOR_DAYS) & (since >= 0) & (since < lasts)
    which = np.floor(moment.daily("which sensor") * len(optional)).astype(np.int64)
    rows = np.flatnonzero(fails)
    levels[rows, optional[which[rows]]] = np.nan


def _wait_for_connection(moment: Moment) -> tuple[FloatArray, FloatArray]:
    """Return seconds until the connection is back (0 if it stands), and reports in the queue."""
    today = moment.local_minutes % MINUTES_A_DAY
    begins = 1200.0 * moment.daily("connection lost")
    lasts = 20.0 + 180.0 * moment.daily("connection back") ** 2
    cut = moment.daily("disconnected") < _DISCONNECTED_DAYS
    since = today - begins
    apart = cut & (since >= 0) & (since < lasts)
    return np.where(apart, 60.0 * (lasts - since), 0.0), np.where(apart, np.floor(since), 0.0)


def _clock_error(moment: Moment) -> FloatArray:
    """Return how wrong device clocks are, in seconds: a little, or for hours by a lot."""
    usual = 4.0 * (moment.fixed("clock") - 0.5)
    today = moment.local_minutes % MINUTES_A_DAY
    begins = 1300.0 * moment.daily("clock jump at")
    jumped = (moment.daily("clock jump") < _JUMP_DAYS) & (today >= begins) & (today < begins + 120)
    size = np.where(moment.daily("clock jump way") < 0.5, -1.0, 1.0)
    size *= 120.0 + 7200.0 * moment.daily("clock jump size") ** 2
    return usual + np.where(jumped, size, 0.0)
