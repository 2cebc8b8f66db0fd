# SPDX-License-Identifier: Apache-2.0
"""Training data of the health classifier: windows of simulated devices, with their labels.

Half of the fleets report every minute and half every five. Windows are long, short or broken, as
in life. What is well, and what is odd but no known pattern, is labelled `unknown`.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contracts.failure import FailureClass
from models.features import PERSISTENCE_REPORTS, compute_features
from models.health import WINDOW_REPORTS
from models.signals import METRIC_NAMES, SIGNALS, FloatArray
from telemetry.simulated_columns import INDEX, N_COLUMNS
from telemetry.simulated_faults import FAULTS, shown_class
from telemetry.simulated_fleet import (
    ALL_TRAITS,
    FleetGenerator,
    FleetParameters,
    FleetValues,
    Trait,
)
from telemetry.simulated_plan import FaultRates
from telemetry.simulated_reports import turn_of_busiest

IntArray = npt.NDArray[np.int64]
INTERVALS_SECONDS = (60.0, 300.0)
HEALTHY_FACTOR = 8  # healthy devices per device of a pattern: most devices are well
ODD_FACTOR = 3  # and devices with something odd that is no known pattern
HEALTHY, ODD = "healthy", "odd"  # in place of a pattern
SUBTLE_SHARE = 0.1
_LONGEST_AFTER = 60.0  # windows end at most so many reports after the fault shows clearly
_HORIZON_MINUTES = 3 * 1440.0
_TRAITS = ALL_TRAITS - {Trait.CLOCKS, Trait.CHURN}
_COLUMNS = [INDEX[name] for name in METRIC_NAMES]
_POINTLESS = [n for n, signal in enumerate(SIGNALS) if signal.points_to is FailureClass.UNKNOWN]
_PROCESS_CPU = METRIC_NAMES.index("process_cpu_percent_max")
_PROCESS_MEMORY = METRIC_NAMES.index("process_memory_percent_max")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWindows:
    """Windows as features, with the truth; arrays have one entry a window."""

    features: FloatArray  # shape (n_windows, n_features)
    labels: list[str]  # FailureClass values
    devices: list[str]  # which device; windows of one device are kin
    patterns: list[str]  # the failure pattern, `healthy` or `odd`
    is_subtle: npt.NDArray[np.bool_]


def simulate_windows(
    purpose: str,
    *,
    seed: int,
    n_devices_per_pattern: int,
    n_windows: int = 1,
    subtle_share: float = SUBTLE_SHARE,
) -> SimulatedWindows:
    """Simulate devices of every pattern, healthy ones and odd ones; equal arguments, equal windows.

    Args:
        purpose: such as `fit` or `judge`; two purposes never share a device, whatever the seeds.
        seed: makes the windows repeatable.
        n_devices_per_pattern: half of them report every minute and half every five.
        n_windows: of each device; those in which its fault does not show are left out.
        subtle_share: of the faults whose pattern may be subtle.

    """
    fleets = [
        _Fleet(
            seed=2 * zlib.crc32(f"{purpose} {seed} {interval}".encode()),
            interval_seconds=interval,
            n_each=n_devices_per_pattern // len(INTERVALS_SECONDS),
            n_windows=n_windows,
            subtle_share=subtle_share,
        )
        for interval in INTERVALS_SECONDS
    ]
    parts = [part for fleet in fleets for part in (_cut_faulty(fleet), *_cut_well(fleet))]
    return SimulatedWindows(
        features=np.concatenate([part.features for part in parts]),
        labels=[label for part in parts for label in part.labels],
        devices=[device for part in parts for device in part.devices],
        patterns=[pattern for part in parts for pattern in part.patterns],
        is_subtle=np.concatenate([part.is_subtle for part in parts]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fleet:
    seed: int
    interval_seconds: float
    n_each: int
    n_windows: int
    subtle_share: float

    def describe(self, n_devices: int, *, faulty: bool) -> FleetParameters:
        return FleetParameters(
            n_devices=n_devices,
            seed=self.seed + faulty,
            interval_seconds=self.interval_seconds,
            duration_minutes=_HORIZON_MINUTES,
            fault_rates=FaultRates(
                share=1.0 if faulty else 0.0,
                subtle_share=self.subtle_share,
                ending_share=0.0,
                from_minute=WINDOW_REPORTS * self.interval_seconds / 60.0,
                to_minute=_HORIZON_MINUTES,
            ),
            n_harmless_patches=4,
            traits=_TRAITS,
        )


def _cut_faulty(plan: _Fleet) -> SimulatedWindows:
    """Cut windows that end some reports after each fault shows."""
    fleet = FleetGenerator(plan.describe(plan.n_each * len(FAULTS), faulty=True))
    random = np.random.default_rng([plan.seed, 11])
    faults = [fault for fault in fleet.faults for _ in range(plan.n_windows)]
    minutes = plan.interval_seconds / 60.0
    shown = np.ceil(np.array([fault.shown_minute for fault in faults]) / minutes)
    after = np.floor(_LONGEST_AFTER ** random.random(len(faults)))
    rows = np.array([fault.row for fault in faults])
    windows = _cut(fleet, rows, (shown + after).astype(np.int64), random)
    visible = np.flatnonzero(windows.is_shown[:, -PERSISTENCE_REPORTS:].any(axis=1))
    acting = [faults[n] for n in visible.tolist()]
    return SimulatedWindows(
        features=windows.compute(visible),
        labels=[str(shown_class(fault.failure_class)) for fault in acting],
        devices=[f"{fleet.parameters.seed}:{fault.row}" for fault in acting],
        patterns=[str(fault.failure_class) for fault in acting],
        is_subtle=np.array([fault.subtle for fault in acting]),
    )


def _cut_well(plan: _Fleet) -> tuple[SimulatedWindows, SimulatedWindows]:
    """Cut windows at any time of day and week, of healthy devices and of odd ones."""
    n_healthy, n_odd = plan.n_each * HEALTHY_FACTOR, plan.n_each * ODD_FACTOR
    fleet = FleetGenerator(plan.describe(n_healthy + n_odd, faulty=False))
    random = np.random.default_rng([plan.seed, 12])
    n_steps = int(_HORIZON_MINUTES * 60.0 / plan.interval_seconds)
    found = []
    for first, n_devices in ((0, n_healthy), (n_healthy, n_odd)):
        rows = np.repeat(np.arange(first, first + n_devices), plan.n_windows)
        windows = _cut(fleet, rows, random.integers(WINDOW_REPORTS, n_steps, len(rows)), random)
        if first:
            windows.make_odd(random)
        kept = np.flatnonzero(windows.n_reports > 0)
        found.append(
            SimulatedWindows(
                features=windows.compute(kept),
                labels=[str(FailureClass.UNKNOWN)] * len(kept),
                devices=[f"{fleet.parameters.seed}:{row}" for row in rows[kept].tolist()],
                patterns=[ODD if first else HEALTHY] * len(kept),
                is_subtle=np.zeros(len(kept), dtype=bool),
            )
        )
    return found[0], found[1]


@dataclass(slots=True, kw_only=True)
class _Windows:
    """Raw windows, shapes (n_windows, n_reports, ...), the latest report last."""

    values: FloatArray
    is_shown: npt.NDArray[np.bool_]
    process_names: IntArray
    n_reports: FloatArray

    def compute(self, chosen: IntArray) -> FloatArray:
        values, names = self.values[chosen], self.process_names[chosen, -PERSISTENCE_REPORTS:]
        held = [
            _hold(values[:, -PERSISTENCE_REPORTS:, column], names, share)
            for column, share in ((_PROCESS_CPU, 4.0), (_PROCESS_MEMORY, 2.0))
        ]
        return compute_features(values, np.stack(held, axis=1), self.n_reports[chosen])

    def make_odd(self, random: np.random.Generator) -> None:
        """Push one or two metrics that point to no pattern of their own, for the last reports."""
        for _ in range(2):
            columns = random.choice(_POINTLESS, len(self.values))
            for n, column in enumerate(columns.tolist()):
                signal, lasts = SIGNALS[column], int(random.integers(1, 9))
                harm = random.uniform(0.4, 1.2)
                level = signal.healthy + harm * (signal.severe - signal.healthy)
                known = np.isfinite(self.values[n, -lasts:, column])
                self.values[n, -lasts:, column][known] = max(level, 0.0)


def _cut(
    fleet: FleetGenerator, rows: IntArray, ends: IntArray, random: np.random.Generator
) -> _Windows:
    """Cut one window per row that ends at a step; reports that were not made are closed up."""
    steps = ends[:, None] - np.arange(WINDOW_REPORTS - 1, -1, -1)
    shape = steps.shape
    found = fleet.measure(np.repeat(rows, WINDOW_REPORTS), steps.ravel())
    lengths = _draw_lengths(len(rows), random)
    present = found.is_present.reshape(shape)
    present &= np.arange(WINDOW_REPORTS - 1, -1, -1) < lengths[:, None]
    order = np.argsort(present, axis=1, kind="stable")
    values = found.values.reshape(*shape, N_COLUMNS)[:, :, _COLUMNS]
    values[~present] = np.nan
    clock = METRIC_NAMES.index("clock_offset_seconds")
    values[..., clock] = np.abs(values[..., clock])
    names = _name_processes(fleet, found).reshape(shape)
    shown = found.is_shown.reshape(shape) & present
    return _Windows(
        values=np.take_along_axis(values, order[:, :, None], axis=1),
        is_shown=np.take_along_axis(shown, order, axis=1),
        process_names=np.take_along_axis(names, order, axis=1),
        n_reports=present.sum(axis=1).astype(np.float64),
    )


def _draw_lengths(n_windows: int, random: np.random.Generator) -> IntArray:
    """Most devices have a past; some have just begun to report."""
    short = random.integers(1, WINDOW_REPORTS, n_windows)
    return np.where(random.random(n_windows) < 0.65, WINDOW_REPORTS, short)


def _name_processes(fleet: FleetGenerator, found: FleetValues) -> IntArray:
    """Return numbers that stand for the name of the busiest process, as reports would show it."""
    names = np.asarray(turn_of_busiest(found.rows, found.steps))
    named = np.array([bool(FAULTS[fault.failure_class].process_name) for fault in fleet.faults])
    if len(named):
        names = np.where(found.is_shown & named[found.acting_faults], -1, names)
    return names


def _hold(levels: FloatArray, names: IntArray, second_share: float) -> FloatArray:
    """Return the level that one name held through the last reports: the top or the second one."""
    known = np.nan_to_num(levels)
    top = np.where(names == names[:, -1:], known, 0.0).min(axis=1)
    held: FloatArray = np.maximum(top, known.min(axis=1) / second_share)
    return held
