# SPDX-License-Identifier: Apache-2.0
"""A simulated fleet as reports of the wire format, from the values of `simulated_fleet`.

It fills the portal on request, teaches the first health model and serves tests; it never stands in
for a real device in a test of the real road. What is simulated is described in docs/simulator.md.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np

from contracts.failure import FailureClass
from contracts.telemetry import TelemetryReport
from telemetry.simulated_columns import SIGNAL_NAMES
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_fleet import (
    NEVER_AWAY,
    START,
    FleetGenerator,
    FleetParameters,
    FleetValues,
)
from telemetry.simulated_plan import FaultRates, PlannedFault, Shape
from telemetry.simulated_population import (
    COHORTS,
    PATCH_LEVELS,
    ROLE_NAMES,
    SITES,
    Cohort,
    Population,
)
from telemetry.simulated_reports import (
    BUSY_NAMES,
    ReportSource,
    build_report,
    turn_of_busiest,
)

RAMP_REPORTS = 8
OFFICE_HOURS = START + timedelta(hours=8)
FAULT_SHARE = 0.15  # of the devices have a fault at some time
_ONSET_REPORTS = (20, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """Which fault a device will have first, and from which report on."""

    failure_class: FailureClass
    first_report: int
    shown_report: int  # it shows clearly


@dataclass(slots=True, kw_only=True)
class SimulatedDevice:
    """One device of the fleet."""

    row: int
    device_id: str
    cohort: Cohort
    role: str
    site: str
    model: str
    patch_level: str
    onset: Onset | None = None

    def faulty_at(self, step: int) -> FailureClass | None:
        """Return the first fault once it shows clearly at a report; None before."""
        if self.onset is None or step < self.onset.shown_report:
            return None
        return self.onset.failure_class


def describe_plain_fleet(
    *,
    seed: int,
    n_devices: int,
    start: datetime = OFFICE_HOURS,
    interval_seconds: float = 60.0,
    fault_share: float = FAULT_SHARE,
) -> FleetParameters:
    """Return a fleet that is always on, with right clocks; a share has one plain fault for good."""
    minutes = interval_seconds / 60.0
    first, last = _ONSET_REPORTS
    rates = FaultRates(
        share=fault_share,
        subtle_share=0.0,
        intermittent_share=0.0,
        ending_share=0.0,
        from_minute=first * minutes,
        to_minute=last * minutes,
        ramp_minutes=(RAMP_REPORTS * minutes, RAMP_REPORTS * minutes),
    )
    return FleetParameters(
        n_devices=n_devices,
        seed=seed,
        start=start,
        interval_seconds=interval_seconds,
        fault_rates=rates,
        traits=NEVER_AWAY,
    )


class FleetSimulator:
    """Makes the reports of a fleet."""

    def __init__(self, parameters: FleetParameters) -> None:
        """Plan the fleet.

        Raises:
            SimulationError: the parameters describe none.

        """
        self.generator = FleetGenerator(parameters)
        self._random = np.random.default_rng([parameters.seed, 4])
        people = self.generator.population
        self.devices = tuple(
            _name_device(row, people, prefix=name_fleet(parameters.seed))
            for row in range(len(people))
        )
        for fault in reversed(self.faults):  # the first one stays
            self._note_onset(self.devices[fault.row], fault)

    @property
    def faults(self) -> tuple[PlannedFault, ...]:
        """The ground truth: all planned faults by onset."""
        return self.generator.faults

    def plan_fault(
        self, device: SimulatedDevice, failure_class: FailureClass, *, first_report: int
    ) -> None:
        """Give a device one plain fault from a report on, in place of what was planned for it."""
        minutes = self.generator.parameters.interval_seconds / 60.0
        gradual = FAULTS[failure_class].gradual
        planned = PlannedFault(
            row=device.row,
            failure_class=failure_class,
            onset_minute=first_report * minutes,
            shape=Shape.RAMP if gradual else Shape.SUDDEN,
            ramp_minutes=RAMP_REPORTS * minutes if gradual else 0.0,
            hardness=float(self._random.random()),
        )
        others = tuple(fault for fault in self.faults if fault.row != device.row)
        self.generator.plan((*others, planned))
        self._note_onset(device, planned)

    def reports(
        self, n_steps: int, first_step: int = 0
    ) -> Iterator[tuple[TelemetryReport, FailureClass | None]]:
        """Yield reports with their labels, step by step, of all devices that make one."""
        for values in self.generator.steps(n_steps, first_step):
            yield from self._build(values)

    def report(self, device: SimulatedDevice, step: int) -> TelemetryReport:
        """Return one device's report at a step, also when it would be asleep (then it is empty)."""
        return self.reports_of(device, [step])[0]

    def reports_of(self, device: SimulatedDevice, steps: Sequence[int]) -> list[TelemetryReport]:
        """Return one device's reports at some steps."""
        rows = np.full(len(steps), device.row)
        values = self.generator.measure(rows, np.array(steps, dtype=np.int64))
        return [self._build_one(values, n) for n in range(len(steps))]

    def deliveries(self, n_steps: int) -> Iterator[tuple[datetime, TelemetryReport]]:
        """Yield reports as they arrive, with the time of arrival: late, out of order, twice."""
        parameters = self.generator.parameters
        waiting: list[tuple[float, int, TelemetryReport]] = []
        n_made = 0
        for step, values in enumerate(self.generator.steps(n_steps)):
            measured = parameters.start.timestamp() + step * parameters.interval_seconds
            while waiting and waiting[0][0] <= measured:
                arrived, _, report = heapq.heappop(waiting)
                yield datetime.fromtimestamp(arrived, UTC), report
            for n in np.flatnonzero(values.is_present).tolist():
                report = self._build_one(values, n)
                for copy in range(1 + int(values.is_repeated[n])):
                    arrival = measured + float(values.delay_seconds[n]) + 7.0 * copy
                    heapq.heappush(waiting, (arrival, n_made, report))
                    n_made += 1
        while waiting:
            arrived, _, report = heapq.heappop(waiting)
            yield datetime.fromtimestamp(arrived, UTC), report

    def batches(self, n_steps: int, size: int) -> Iterator[list[TelemetryReport]]:
        """Yield reports as `deliveries` does, so many at a time."""
        arriving = self.deliveries(n_steps)
        while batch := [report for _, report in islice(arriving, size)]:
            yield batch

    def _build(self, values: FleetValues) -> Iterator[tuple[TelemetryReport, FailureClass | None]]:
        for n in np.flatnonzero(values.is_present).tolist():
            label = None
            if values.is_shown[n]:
                label = self.faults[values.acting_faults[n]].failure_class
            yield self._build_one(values, n), label

    def _build_one(self, values: FleetValues, n: int) -> TelemetryReport:
        device = self.devices[int(values.rows[n])]
        step = int(values.steps[n])
        fault = self.faults[values.acting_faults[n]] if values.is_shown[n] else None
        measured = values.values[n]
        return build_report(
            ReportSource(
                report_id=f"{device.device_id}-{step}",
                device_id=device.device_id,
                user_id=f"{name_fleet(self.generator.parameters.seed)}user-{device.row:05d}",
                os_family=device.cohort.os_family,
                os_version=device.cohort.os_version,
                model=device.model,
                patch_level=device.patch_level,
                observed_at=datetime.fromtimestamp(float(values.observed_at[n]), UTC),
                busiest=BUSY_NAMES[int(turn_of_busiest(device.row, step))],
                patches=self.generator.list_patches(device.row, step),
                fault=FAULTS[fault.failure_class] if fault else None,
            ),
            {
                name: value
                for name, value in zip(SIGNAL_NAMES, measured.tolist(), strict=True)
                if not math.isnan(value)
            },
        )

    def _note_onset(self, device: SimulatedDevice, fault: PlannedFault) -> None:
        minutes = self.generator.parameters.interval_seconds / 60.0
        device.onset = Onset(
            failure_class=fault.failure_class,
            first_report=int(np.ceil(fault.onset_minute / minutes)),
            shown_report=int(np.ceil(fault.shown_minute / minutes)),
        )


def name_fleet(seed: int) -> str:
    """Return what all names of a fleet begin with, and of no fleet with another seed."""
    return f"sim-{seed}-"


def _name_device(row: int, people: Population, *, prefix: str) -> SimulatedDevice:
    cohort = COHORTS[people.cohorts[row]]
    return SimulatedDevice(
        row=row,
        device_id=f"{prefix}{cohort.name}-{row:05d}",
        cohort=cohort,
        role=ROLE_NAMES[people.roles[row]],
        site=SITES[people.sites[row]][0],
        model=cohort.models[people.models[row]],
        patch_level=PATCH_LEVELS[people.patch_levels[row]],
    )
