# SPDX-License-Identifier: Apache-2.0
"""A simulated fleet's reports in a scratch database, and back out of it as a table.

They go in through the product's own ingestion (validation, masking, normalisation, duplicates),
so that what is read back is what the models read.
"""

from dataclasses import asdict

import pandas as pd

from kernel.queries import load_queries
from notebooks.scratch import Scratch
from telemetry.devices import register_device
from telemetry.fleet_simulator import FleetSimulator
from telemetry.ingestion import Ingestion

QUERIES = load_queries(__file__, "telemetry_feed")
ACTOR = "system:simulator"
BATCH = 250  # reports


async def store_fleet(scratch: Scratch, fleet: FleetSimulator, n_steps: int) -> dict[str, int]:
    """Register a fleet's devices and ingest its reports as they arrive; return what became of them.

    The scratch clock must be past the last step, or reports are refused as being of the future.
    """
    ground = scratch.ground
    async with ground.pool.connection() as connection:
        for device in fleet.devices:
            await register_device(
                connection, audit=ground.audit, actor=ACTOR,
                correlation_id=ground.ids.new("cor"), device_id=device.device_id,
                hostname=device.device_id, os_family=device.cohort.os_family,
                os_version=device.cohort.os_version, model=device.model,
                enrolled_at=ground.clock.now(), simulated=True,
            )  # fmt: skip
    await ground.directory.require()
    ingestion = Ingestion(ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker)
    counts = {"accepted": 0, "duplicates": 0, "rejected": 0}
    for batch in fleet.batches(n_steps, BATCH):
        summary = await ingestion.ingest(
            batch, submitted_by=ACTOR, device_id=None, correlation_id=ground.ids.new("cor")
        )
        for name in counts:
            counts[name] += len(getattr(summary, name))
    return counts


async def read_reports(scratch: Scratch) -> pd.DataFrame:
    """Return the stored reports by device and time: one row a report, one column a metric."""
    async with scratch.ground.pool.connection() as connection:
        rows = await (await connection.execute(QUERIES["list_reports"])).fetchall()
    metrics = pd.DataFrame([row["metrics"] for row in rows])
    metrics.insert(0, "device_id", [row["device_id"] for row in rows])
    metrics.insert(1, "observed_at", pd.to_datetime([row["observed_at"] for row in rows], utc=True))
    return metrics


def list_devices(fleet: FleetSimulator) -> pd.DataFrame:
    """Return who is who: device, cohort, role, site, hardware model."""
    return pd.DataFrame(
        {
            "device_id": device.device_id,
            "cohort": device.cohort.name,
            "role": device.role,
            "site": device.site,
            "model": device.model,
        }
        for device in fleet.devices
    )


def list_faults(fleet: FleetSimulator) -> pd.DataFrame:
    """Return the truth: every planted fault with its device and the moments that matter."""
    start = pd.Timestamp(fleet.generator.parameters.start)
    faults = pd.DataFrame([asdict(fault) for fault in fleet.faults])
    faults["device_id"] = [fleet.devices[fault.row].device_id for fault in fleet.faults]
    faults["failure_class"] = [fault.failure_class.value for fault in fleet.faults]
    faults["leading_metric"] = [fault.signals[0] for fault in fleet.faults]
    faults["onset"] = [start + _minutes(fault.onset_minute) for fault in fleet.faults]
    faults["shows_at"] = [start + _minutes(fault.shown_minute) for fault in fleet.faults]
    return faults.sort_values("onset", ignore_index=True)


def _minutes(number: float) -> pd.Timedelta:
    return pd.Timedelta(seconds=round(60.0 * number))
