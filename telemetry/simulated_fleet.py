# SPDX-License-Identifier: Apache-2.0
"""The fleet generator: values of all devices, minute by minute, with the truth about them.

Every value follows from the parameters, the device and the step alone: any order of asking gives
the same numbers, and nothing is kept between two steps. It knows nothing of who will judge it:
what detectors assume about telemetry is not what it is made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from telemetry.errors import SimulationError
from telemetry.simulated_activity import ActivityModel
from telemetry.simulated_columns import ALWAYS_PRESENT, COLUMNS, INDEX, SIGNAL_NAMES, fit_to_wire
from telemetry.simulated_delivery import Delivery, deliver, lose_sensors
from telemetry.simulated_disturbance import FaultTable, PatchTable
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_levels import LevelModel
from telemetry.simulated_plan import (
    FaultRates,
    Patch,
    PlannedFault,
    list_patch_faults,
    plan_faults,
    plan_patches,
)
from telemetry.simulated_population import (
    MINUTES_A_DAY,
    SITES,
    Population,
    draw_absent,
    draw_population,
)
from telemetry.simulated_randomness import BoolArray, FloatArray, IntArray

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
_A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_BLOCK_ROWS = 2048  # keeps the working set in the processor's cache


class Trait(StrEnum):
    """What may be switched off, to see what it does."""

    JOBS = "jobs"  # backups, scans, compilations, calls, downloads, updates
    BURSTS = "bursts"  # rare harmless spikes and single failures
    MISSING = "missing"  # sleep, lost connections, late and repeated reports, sensors that fail
    CLOCKS = "clocks"  # clocks that drift and jump
    CHURN = "churn"  # devices that join, leave and are replaced


ALL_TRAITS = frozenset(Trait)
NEVER_AWAY = ALL_TRAITS - {Trait.MISSING, Trait.CLOCKS, Trait.CHURN}


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetParameters:
    """What fleet is simulated. Equal parameters give equal values.

    `duration_minutes` bounds what is planned (faults, patches, churn), not what may be generated.
    """

    n_devices: int
    seed: int = 1
    start: datetime = START
    interval_seconds: float = 60.0
    duration_minutes: float = float(MINUTES_A_DAY)
    fault_rates: FaultRates | None = None  # None: one per cent of the devices, over the duration
    faults: tuple[PlannedFault, ...] = ()  # in addition to those by the rates
    n_fleet_changes: int = 0  # software changes that move levels of every device, harmlessly
    n_harmless_patches: int = 0
    n_harmful_patches: int = 0
    n_sites: int = len(SITES)
    traits: frozenset[Trait] = ALL_TRAITS


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetValues:
    """What n devices measure, each at its own step.

    `values` has shape (n, n_columns) in the units of the names, NaN where nothing was measured;
    rows of devices that make no report are all NaN.
    """

    rows: IntArray  # which device, shape (n,)
    steps: IntArray
    values: FloatArray
    is_present: BoolArray  # a report is made
    observed_at: FloatArray  # seconds since 1970 by the device's own clock
    delay_seconds: FloatArray  # from measurement to arrival at the server
    is_repeated: BoolArray  # the report arrives a second time
    acting_faults: IntArray  # position in `FleetGenerator.faults`, -1 for none
    is_shown: BoolArray  # the acting fault shows clearly


class FleetGenerator:
    """Generates a fleet's telemetry; use `steps` for whole fleets, `measure` for any choice."""

    signal_names = SIGNAL_NAMES

    def __init__(self, parameters: FleetParameters) -> None:
        """Plan the fleet.

        Raises:
            SimulationError: the parameters make no fleet.

        """
        _check(parameters)
        self.parameters = parameters
        traits, seed = parameters.traits, parameters.seed
        self.population = draw_population(
            parameters.n_devices,
            seed=seed,
            minutes=parameters.duration_minutes,
            churn=Trait.CHURN in traits,
            sites=parameters.n_sites,
        )
        start = parameters.start.astimezone(UTC)
        self._start_seconds = start.timestamp()
        self._interval_minutes = parameters.interval_seconds / 60.0
        self._activity = ActivityModel(
            self.population,
            seed=seed,
            start_minute_of_week=(start - _A_MONDAY).total_seconds() / 60.0,
            jobs=Trait.JOBS in traits,
        )
        self._levels = LevelModel(self.population, seed=seed, bursts=Trait.BURSTS in traits)
        self._absent = draw_absent(self.population, SIGNAL_NAMES, ALWAYS_PRESENT)
        self._sensors = np.array([INDEX[c.name] for c in COLUMNS if not c.always])
        self.patches = _plan_patches(self.population, parameters)
        self._patch_table = PatchTable(self.patches, parameters.n_devices)
        rates = parameters.fault_rates or FaultRates(to_minute=parameters.duration_minutes)
        self._table = FaultTable((), parameters.n_devices)
        own = plan_faults(self.population, rates, self._is_present, seed=seed)
        by_patch = list_patch_faults(self.patches, seed=seed)
        self.plan((*parameters.faults, *own, *by_patch))

    @property
    def faults(self) -> tuple[PlannedFault, ...]:
        """The truth: all planned faults by onset, those of devices alone and those of patches."""
        return self._table.faults

    def plan(self, faults: tuple[PlannedFault, ...]) -> None:
        """Replace the planned faults.

        A device measures the leading metric of its faults, whatever its cohort lacks: a fault
        that nobody can see would be a wrong label.

        Raises:
            SimulationError: a fault names a device that is not in the fleet, or no pattern.

        """
        for fault in faults:
            if not 0 <= fault.row < len(self.population):
                message = f"the fault names device {fault.row} of {len(self.population)}"
                raise SimulationError(message)
            if fault.failure_class not in FAULTS:
                message = f"{fault.failure_class} is no pattern that can be simulated"
                raise SimulationError(message)
            leading = FAULTS[fault.failure_class].effects[0].signal
            self._absent[fault.row, INDEX[leading]] = 0.0
        self._table = FaultTable(faults, len(self.population))

    def steps(self, n_steps: int, first_step: int = 0) -> Iterator[FleetValues]:
        """Yield all devices, one interval after the other."""
        rows = np.arange(len(self.population))
        for step in range(first_step, first_step + n_steps):
            yield self.measure(rows, np.full(len(rows), step))

    def measure(self, rows: IntArray, steps: IntArray) -> FleetValues:
        """Return what devices `rows` measure at `steps`, both of shape (n,)."""
        parts = [
            self._measure_block(
                rows[first : first + _BLOCK_ROWS], steps[first : first + _BLOCK_ROWS]
            )
            for first in range(0, len(rows), _BLOCK_ROWS)
        ]
        if len(parts) == 1:
            return parts[0]
        names = FleetValues.__dataclass_fields__
        return FleetValues(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        )

    def list_patches(self, row: int, step: int) -> tuple[str, ...]:
        """Return the names of the patches that a device has at a step."""
        return self._patch_table.list_installed(row, step * self._interval_minutes)

    def _measure_block(self, rows: IntArray, steps: IntArray) -> FleetValues:
        traits = self.parameters.traits
        minutes: FloatArray = steps * np.float64(self._interval_minutes)
        moment = self._activity.observe(rows, steps, minutes)
        delivery = deliver(
            moment,
            self.population,
            missing=Trait.MISSING in traits,
            clocks=Trait.CLOCKS in traits,
        )
        levels = self._levels.compute(moment)
        levels[:, INDEX["agent_queued_reports"]] += delivery.queued_reports
        self._patch_table.apply(levels, moment)
        acting = self._table.apply(levels, moment)
        values = fit_to_wire(levels) + self._absent[rows]
        if Trait.MISSING in traits:
            lose_sensors(values, moment, self._sensors)
        values[~delivery.is_present] = np.nan
        return self._assemble(rows, steps, minutes, values, delivery, acting)

    def _assemble(
        self,
        rows: IntArray,
        steps: IntArray,
        minutes: FloatArray,
        values: FloatArray,
        delivery: Delivery,
        acting: IntArray,
    ) -> FleetValues:
        return FleetValues(
            rows=rows,
            steps=steps,
            values=values,
            is_present=delivery.is_present,
            observed_at=self._start_seconds + 60.0 * minutes + delivery.clock_error_seconds,
            delay_seconds=delivery.delay_seconds,
            is_repeated=delivery.is_repeated,
            acting_faults=acting,
            is_shown=self._table.shown(acting, minutes),
        )

    def _is_present(self, rows: IntArray, minutes: FloatArray) -> FloatArray:
        steps = np.floor(minutes / self._interval_minutes).astype(np.int64)
        moment = self._activity.observe(rows, steps, minutes)
        traits = self.parameters.traits
        delivery = deliver(moment, self.population, missing=Trait.MISSING in traits, clocks=False)
        return delivery.is_present.astype(np.float64)


def _plan_patches(population: Population, parameters: FleetParameters) -> tuple[Patch, ...]:
    return plan_patches(
        population,
        minutes=parameters.duration_minutes,
        n_fleet_wide=parameters.n_fleet_changes,
        n_harmless=parameters.n_harmless_patches,
        n_harmful=parameters.n_harmful_patches,
        seed=parameters.seed,
    )


def _check(parameters: FleetParameters) -> None:
    if parameters.n_devices < 1 or not parameters.interval_seconds > 0:
        message = "a fleet has at least one device and reports at an interval above 0 seconds"
        raise SimulationError(message)
    if parameters.seed < 0:
        message = "the seed must not be negative"
        raise SimulationError(message)
    if parameters.start.tzinfo is None:
        message = "the fleet's start needs a time zone"
        raise SimulationError(message)
    if parameters.duration_minutes <= 0 or not 1 <= parameters.n_sites <= len(SITES):
        message = f"the duration must be above 0 minutes and there are 1 to {len(SITES)} sites"
        raise SimulationError(message)
    if parameters.fault_rates is not None:
        _check_rates(parameters.fault_rates)


def _check_rates(rates: FaultRates) -> None:
    shares = (rates.share, rates.subtle_share, rates.intermittent_share, rates.ending_share)
    if not all(0.0 <= share <= 1.0 for share in shares):
        message = "shares of faults lie between 0 and 1"
        raise SimulationError(message)
    low, high = rates.ramp_minutes
    if not 0.0 < low <= high or not rates.from_minute <= rates.to_minute:
        message = "ramps last above 0 minutes, and onsets end after they begin"
        raise SimulationError(message)
    unknown = [pattern for pattern in rates.patterns if pattern not in FAULTS]
    if unknown:
        message = f"{unknown[0]} is no pattern that can be simulated"
        raise SimulationError(message)
