# SPDX-License-Identifier: Apache-2.0
"""A process that scores a fleet's reports, with the detector's memory in the real database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from models.anomaly import AnomalyDetector
from models.detection import DeviceReport
from models.detector_settings import DetectorSettings
from models.detector_state import (
    decode_sums,
)
from models.detector_store import DetectorStore

START = datetime(2026, 3, 2, tzinfo=UTC)
INTERVAL = timedelta(minutes=45)
QUICK = DetectorSettings(warm_up_reports=10)
DEVICES = [f"d{n:02}" for n in range(24)]
SICK = "d03"


class Interrupted(Exception):  # noqa: N818 - stands for a kill
    pass


@dataclass
class Worker:
    """A process that scores: its detector and its store."""

    clock: object
    detector: AnomalyDetector = field(default_factory=lambda: AnomalyDetector(QUICK))
    store: DetectorStore = field(init=False)

    def __post_init__(self):
        self.store = DetectorStore(clock=self.clock)

    async def score(self, connection, batch):
        ids = sorted({report.device_id for report in batch})
        cohorts = {report.cohort for report in batch}
        await self.store.load(connection, self.detector, ids, cohorts)
        found = self.detector.score_batch(batch)
        await self.store.store(connection, self.detector, ids, cohorts)
        return found


async def enrol(pool):
    """Add the devices that report."""
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
            " SELECT id, 'h', 'linux', now() FROM unnest(%s::text[]) AS id",
            (DEVICES,),
        )


def make_batch(step, random, devices=DEVICES):
    batch = []
    for number, device in enumerate(devices):
        load = float(random.normal())
        batch.append(
            DeviceReport(
                device_id=device,
                observed_at=START + INTERVAL * step,
                cohort="linux" if number % 2 else "windows",
                metrics={
                    "cpu_percent": 40.0 + 10 * load,
                    "load_per_core": 1.0 + 0.4 * load + 0.1 * float(random.normal()),
                    "memory_percent": 50.0 + 3 * float(random.normal()),
                    "dns_latency_ms": float(random.gamma(9, 2.5)),
                    "app_errors": 400.0 if device == SICK and step >= 66 else 2.0,
                },
            )
        )
    return batch


async def play(pool, clock, workers, steps, random):
    """Score steps, workers taking turns; return each report's detections."""
    found = []
    for step in steps:
        clock.advance(INTERVAL.total_seconds())
        async with pool.connection() as connection:
            worker = workers[step % len(workers)]
            found.append(await worker.score(connection, make_batch(step, random)))
    return found


def told(found):
    return [
        (step, each.device_id, each.episode_key, each.successive_reports)
        for step, batch in enumerate(found)
        for detections in batch
        for each in detections
    ]


def read_arrays(worker, devices=DEVICES):
    rows = np.array([worker.detector._rows[device] for device in devices])
    return worker.detector._read(rows)


async def forget_all(tamper):
    """Lose all memory, as who owns the database can."""
    await tamper("DELETE FROM detector_states", "DELETE FROM detector_cohorts")


async def read_sums(pool, cohort):
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT state FROM detector_cohorts WHERE cohort = %s", (cohort,)
        )
        return decode_sums(bytes((await cursor.fetchone())["state"]))
