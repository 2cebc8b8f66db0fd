# SPDX-License-Identifier: Apache-2.0
"""`eucora simulate`: registers simulated devices and sends their reports down the real road."""

from datetime import timedelta

from rich.console import Console
from rich.progress import track

from api.ground import Ground
from kernel.database import Connection
from telemetry.devices import find_device, register_device
from telemetry.fleet_simulator import FleetSimulator, SimulatedDevice, describe_plain_fleet
from telemetry.ingestion import Ingestion

INTERVAL_SECONDS = 300.0
BATCH = 250
FAULT_SHARE = 0.3  # more than a healthy fleet has: there is to be something to see
ACTOR = "system:simulator"


async def simulate_fleet(
    ground: Ground, *, n_devices: int, n_hours: int, seed: int, console: Console
) -> None:
    """Store some hours of a simulated fleet's reports, up to now."""
    n_steps = int(n_hours * 3600 / INTERVAL_SECONDS)
    start = ground.clock.now() - timedelta(hours=n_hours)
    fleet = FleetSimulator(
        describe_plain_fleet(
            seed=seed,
            n_devices=n_devices,
            start=start,
            interval_seconds=INTERVAL_SECONDS,
            fault_share=FAULT_SHARE,
        )
    )
    async with ground.pool.connection() as connection:
        for device in fleet.devices:
            await _register(ground, connection, device)
    ingestion = Ingestion(ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker)
    reports = [report for report, _ in fleet.reports(n_steps)]
    for first in track(range(0, len(reports), BATCH), description="reports", console=console):
        await ingestion.ingest(
            reports[first : first + BATCH],
            submitted_by=ACTOR,
            device_id=None,
            correlation_id=ground.ids.new("cor"),
        )
    faulty = sum(
        device.onset is not None and device.onset.first_report < n_steps for device in fleet.devices
    )
    console.print(f"{n_devices} simulated devices, {len(reports)} reports, {faulty} with a fault")


async def _register(ground: Ground, connection: Connection, device: SimulatedDevice) -> None:
    if await find_device(connection, device.device_id) is not None:
        return
    await register_device(
        connection,
        audit=ground.audit,
        actor=ACTOR,
        correlation_id=ground.ids.new("cor"),
        device_id=device.device_id,
        hostname=device.device_id,
        os_family=device.cohort.os_family,
        os_version=device.cohort.os_version,
        enrolled_at=ground.clock.now(),
        simulated=True,
    )
