# SPDX-License-Identifier: Apache-2.0
"""A fleet whose devices report each minute, for tests of alarms."""

from datetime import UTC, datetime

import numpy as np

from models.alarms import AlarmMonitor

MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
N_METRICS = 44
A_DAY = 1440


class Fleet:
    """Devices that report each minute; healthy ones' p-values are uniform."""

    def __init__(self, n_devices, seed=1, monitor=None):
        self.monitor = monitor or AlarmMonitor(N_METRICS)
        self.random = np.random.default_rng(seed)
        self.rows = np.arange(n_devices)
        self.minute = 0
        self.opened = np.zeros(n_devices, np.int64)

    def live(self, n_minutes, sick=None, p_value=1e-5, driver=None):
        """Let time pass; return what became of the last batch."""
        n = len(self.rows)
        for _ in range(n_minutes):
            self.minute += 1
            p_values = self.random.uniform(size=n)
            drivers = self.random.integers(0, N_METRICS, size=n)
            if sick is not None:
                p_values[sick] = p_value
                drivers[sick] = drivers[sick] if driver is None else driver
            seconds = np.full(n, MONDAY + 60.0 * self.minute)
            alarms = self.monitor.observe(self.rows, seconds, p_values, drivers)
            self.opened += alarms.has_opened
        return alarms


def settle(n_devices=50, seed=1):
    fleet = Fleet(n_devices, seed)
    fleet.live(A_DAY + 1)
    assert fleet.monitor.pool.has_learnt
    return fleet
