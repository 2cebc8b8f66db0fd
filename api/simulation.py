# SPDX-License-Identifier: Apache-2.0
"""`eucora simulate`: registers simulated devices and sends their reports down the real road."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console
from rich.progress import Progress

from api.cli_ground import print_table
from api.ground import Ground
from contracts.failure import FailureClass
from kernel.database import Connection
from telemetry.devices import count_simulated, register_device
from telemetry.errors import SimulationError
from telemetry.fleet_simulator import FleetSimulator, SimulatedDevice, name_fleet
from telemetry.ingestion import Ingestion
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_fleet import ALL_TRAITS, NEVER_AWAY, FleetParameters
from telemetry.simulated_plan import FaultRates, PlannedFault

INTERVAL_SECONDS = 300.0
BATCH = 250
ACTOR = "system:simulator"
_SHOWN_FAULTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What `eucora simulate` was asked for."""

    n_devices: int
    n_hours: int
    seed: int = 1
    fault_share: float = 0.3  # more than a healthy fleet has: there is to be something to see
    patterns: tuple[FailureClass, ...] = ()  # all when empty
    bad_patch: bool = False
    lifelike: bool = False


def read_patterns(names: Sequence[str]) -> tuple[FailureClass, ...]:
    """Return the failure patterns of these names.

    Raises:
        SimulationError: one is not simulated; the message lists those that are.

    """
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        message = f"no pattern is called {unknown[0]!r}; there are {', '.join(sorted(FAULTS))}"
        raise SimulationError(message)
    return tuple(FailureClass(name) for name in names)


async def simulate_fleet(ground: Ground, simulation: Simulation, console: Console) -> None:
    """Store some hours of a simulated fleet's reports, up to now, and say what was planted.

    Raises:
        SimulationError: a fleet of this seed is there already; nothing is stored.

    """
    n_steps = int(simulation.n_hours * 3600 / INTERVAL_SECONDS)
    start = ground.clock.now() - timedelta(hours=simulation.n_hours)
    fleet = FleetSimulator(_describe_fleet(simulation, start))
    async with ground.pool.connection() as connection:
        await _check_new(connection, simulation.seed)
        for device in fleet.devices:
            await _register(ground, connection, device)
    await ground.directory.require()
    ingestion = Ingestion(ground.pool, ground.clock, ground.audit, ground.outbox, ground.masker)
    counts = {"accepted": 0, "duplicates": 0, "rejected": 0}
    with Progress(console=console) as progress:
        task = progress.add_task("reports", total=n_steps * simulation.n_devices)
        for batch in fleet.batches(n_steps, BATCH):
            summary = await ingestion.ingest(
                batch,
                submitted_by=ACTOR,
                device_id=None,
                correlation_id=ground.ids.new("cor"),
            )
            for name in counts:
                counts[name] += len(getattr(summary, name))
            progress.advance(task, len(batch))
        progress.update(task, completed=n_steps * simulation.n_devices)
    _tell(fleet, counts, console)


def _describe_fleet(simulation: Simulation, start: datetime) -> FleetParameters:
    minutes = simulation.n_hours * 60.0
    return FleetParameters(
        n_devices=simulation.n_devices,
        seed=simulation.seed,
        start=start,
        interval_seconds=INTERVAL_SECONDS,
        duration_minutes=minutes,
        fault_rates=FaultRates(
            share=simulation.fault_share,
            patterns=simulation.patterns,
            from_minute=0.1 * minutes,
            to_minute=0.9 * minutes,
            ending_share=0.2,
        ),
        n_harmful_patches=int(simulation.bad_patch),
        traits=ALL_TRAITS if simulation.lifelike else NEVER_AWAY,
    )


def _tell(fleet: FleetSimulator, counts: dict[str, int], console: Console) -> None:
    """Print what was sent and which faults were planted."""
    for patch in fleet.generator.patches:
        console.print(f"Patch {patch.name} reaches {len(patch.rows)} devices: {patch.breaks}")
    faults = sorted(fleet.faults, key=lambda fault: fault.onset_minute)
    print_table(
        ("pattern", "device", "from", "to", "comes as", "strength", "by patch"),
        [_describe_fault(fleet, fault) for fault in faults[:_SHOWN_FAULTS]],
        whole=("device",),
    )
    if len(faults) > _SHOWN_FAULTS:
        console.print(f"and {len(faults) - _SHOWN_FAULTS} more faults")
    sick = len({fault.row for fault in faults})
    odd = "".join(f", {n} {name}" for name, n in counts.items() if name != "accepted" and n)
    console.print(
        f"{len(fleet.devices)} simulated devices, {counts['accepted']} reports{odd},"
        f" {sick} devices with a fault"
    )


def _describe_fault(fleet: FleetSimulator, fault: PlannedFault) -> tuple[str, ...]:
    parameters = fleet.generator.parameters
    begins = parameters.start + timedelta(minutes=fault.onset_minute)
    ends = "stays"
    if fault.end_minute < parameters.duration_minutes:
        ends = _show(parameters.start + timedelta(minutes=fault.end_minute))
    strength = "subtle" if fault.subtle else ("hard" if fault.hardness > 0.5 else "mild")
    return (
        fault.failure_class.value,
        fleet.devices[fault.row].device_id,
        _show(begins),
        ends,
        fault.shape.value,
        strength,
        fault.patch,
    )


def _show(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


async def _check_new(connection: Connection, seed: int) -> None:
    """Refuse a second fleet of one seed: the same devices would report two stories at once."""
    if n_devices := await count_simulated(connection, prefix := name_fleet(seed)):
        raise SimulationError(
            f"the fleet of seed {seed} is here already ({n_devices} devices, {prefix}...): add"
            f" another one with --seed {seed + 1}"
        )


async def _register(ground: Ground, connection: Connection, device: SimulatedDevice) -> None:
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
        model=device.model,
        simulated=True,
    )
