# SPDX-License-Identifier: Apache-2.0
"""What will go wrong in a simulated fleet, and when: faults and patches, the ground truth.

Planned before anything is generated, from the population and the seed alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from contracts.failure import FailureClass as F
from telemetry.simulated_faults import FAULTS
from telemetry.simulated_population import SITES, Population
from telemetry.simulated_randomness import FloatArray, IntArray

NEVER = float("inf")
Presence = Callable[[IntArray, FloatArray], FloatArray]  # 1 where a device reports at a minute
_TRIES = 12  # moments looked at for an onset while a device reports
_NOT_BY_PATCH = frozenset({F.BATTERY, F.CERTIFICATE, F.DISK_HEALTH, F.CREDENTIALS, F.DHCP})


class Shape(StrEnum):
    """How a fault comes."""

    SUDDEN = "sudden"
    RAMP = "ramp"
    INTERMITTENT = "intermittent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """One fault of one device: the ground truth that a detector is judged by.

    Times are minutes from the fleet's start. A `subtle` fault stays inside absolute limits and is
    unusual for its device alone.
    """

    row: int  # which device
    failure_class: F
    onset_minute: float
    end_minute: float = NEVER
    shape: Shape = Shape.SUDDEN
    ramp_minutes: float = 0.0
    hardness: float = 0.5  # 0 mild, 1 hard
    subtle: bool = False
    patch: str = ""  # the bad patch that brought it; empty for a fault of this device alone

    @property
    def signals(self) -> tuple[str, ...]:
        """The metrics that it moves, the leading one first."""
        effects = FAULTS[self.failure_class].effects
        return tuple(e.signal for e in effects if not self.subtle or e.subtle is not None)

    @property
    def shown_minute(self) -> float:
        """When it shows clearly: at its onset, or half up its ramp."""
        return self.onset_minute + self.ramp_minutes / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelShift:
    """A metric that a patch moves: `level * factor + offset`."""

    signal: str
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Software that reaches a share of some cohorts over hours; it moves levels, or breaks things.

    A harmless patch's shifts are no fault; a harmful one also brings faults, which name it.
    """

    name: str
    rows: tuple[int, ...]
    installed_minutes: tuple[float, ...]  # one per row
    shifts: tuple[LevelShift, ...] = ()
    breaks: F | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How many faults of single devices, of which kind, and when they set in."""

    share: float = 0.01  # of the devices that have a fault of their own within the time
    patterns: tuple[F, ...] = ()  # evenly among these; all patterns when empty
    subtle_share: float = 0.1  # of the faults whose pattern allows it
    intermittent_share: float = 0.3  # likewise
    from_minute: float = 0.0
    to_minute: float = 1440.0  # onsets fall between the two
    ramp_minutes: tuple[float, float] = (10.0, 180.0)
    ending_share: float = 0.5  # are repaired after two to eight hours


def plan_faults(
    population: Population, rates: FaultRates, present: Presence, *, seed: int
) -> tuple[PlannedFault, ...]:
    """Plan the faults of single devices; onsets fall where the device reports."""
    random = np.random.default_rng([seed, 1])
    chosen = np.flatnonzero(random.random(len(population)) < rates.share)
    classes = list(rates.patterns or FAULTS)
    order = random.permutation(len(classes))  # every pattern before any comes again
    onsets = _find_onsets(chosen, rates, present, random)
    kept = np.flatnonzero(np.isfinite(onsets))
    return tuple(
        draw_fault(
            row, classes[int(order[number % len(classes)])], onset, rates=rates, random=random
        )
        for number, (row, onset) in enumerate(
            zip(chosen[kept].tolist(), onsets[kept].tolist(), strict=True)
        )
    )


def draw_fault(
    row: int, failure: F, onset: float, *, rates: FaultRates, random: np.random.Generator
) -> PlannedFault:
    """Draw shape, strength and end of a fault that sets in at `onset`."""
    pattern = FAULTS[failure]
    subtle = pattern.may_be_subtle and random.random() < rates.subtle_share
    shape, ramp = Shape.SUDDEN, 0.0
    if pattern.gradual:
        shape = Shape.RAMP
        low, high = rates.ramp_minutes
        ramp = float(low * (high / low) ** random.random())
    elif pattern.may_come_and_go and random.random() < rates.intermittent_share:
        shape = Shape.INTERMITTENT
    ends = random.random() < rates.ending_share
    return PlannedFault(
        row=row,
        failure_class=failure,
        onset_minute=onset,
        end_minute=onset + ramp + float(random.uniform(120, 480)) if ends else NEVER,
        shape=shape,
        ramp_minutes=ramp,
        hardness=float(random.beta(1.2, 1.2)),
        subtle=subtle,
    )


def _find_onsets(
    rows: IntArray, rates: FaultRates, present: Presence, random: np.random.Generator
) -> FloatArray:
    """Return minutes at which devices report, and still do ten minutes later; NaN if none is."""
    span = max(rates.to_minute - rates.from_minute, 0.0)
    onsets = rates.from_minute + np.floor(span * random.random((len(rows), _TRIES)))
    many = np.repeat(rows, _TRIES)
    reports = present(many, onsets.ravel()) * present(many, onsets.ravel() + 10.0)
    found = reports.reshape(onsets.shape) > 0
    first = onsets[np.arange(len(rows)), found.argmax(axis=1)]
    return np.where(found.any(axis=1), first, np.nan)


def plan_patches(
    population: Population,
    *,
    minutes: float,
    n_fleet_wide: int,
    n_harmless: int,
    n_harmful: int,
    seed: int,
) -> tuple[Patch, ...]:
    """Plan roll-outs of one to four hours.

    A fleet-wide one reaches every device and does no harm; the others reach most of one cohort at
    some sites, and the harmful ones break something there.
    """
    random = np.random.default_rng([seed, 2])
    breakable = [failure for failure in FAULTS if failure not in _NOT_BY_PATCH]
    patches = []
    for number in range(n_fleet_wide + n_harmless + n_harmful):
        begins = float(random.uniform(0.15, 0.7)) * minutes
        lasts = float(random.uniform(60, 240))
        is_local, harmful = number >= n_fleet_wide, number >= n_fleet_wide + n_harmless
        rows = _draw_reached(population, random) if is_local else np.arange(len(population))
        patches.append(
            Patch(
                name=f"KB50{random.integers(10_000, 99_999)}",
                rows=tuple(rows.tolist()),
                installed_minutes=tuple((begins + lasts * random.beta(2, 3, len(rows))).tolist()),
                shifts=() if harmful else _draw_shifts(random),
                breaks=breakable[int(random.integers(len(breakable)))] if harmful else None,
            )
        )
    return tuple(patches)


def list_patch_faults(patches: Sequence[Patch], *, seed: int) -> tuple[PlannedFault, ...]:
    """Return the faults that harmful patches bring to the devices that they reach."""
    random = np.random.default_rng([seed, 3])
    faults = []
    for patch in patches:
        if patch.breaks is None:
            continue
        gradual = FAULTS[patch.breaks].gradual
        hardness = float(random.beta(2, 2))
        for row, installed in zip(patch.rows, patch.installed_minutes, strict=True):
            faults.append(
                PlannedFault(
                    row=row,
                    failure_class=patch.breaks,
                    onset_minute=installed,
                    shape=Shape.RAMP if gradual else Shape.SUDDEN,
                    ramp_minutes=45.0 if gradual else 0.0,
                    hardness=float(np.clip(hardness + random.uniform(-0.2, 0.2), 0, 1)),
                    patch=patch.name,
                )
            )
    return tuple(faults)


def _draw_reached(population: Population, random: np.random.Generator) -> IntArray:
    """Return most of one cohort at some sites; at all sites where those have few of it."""
    of_cohort = population.cohorts == random.choice(population.cohorts)
    sites = random.choice(len(SITES), size=int(random.integers(1, len(SITES))), replace=False)
    at_sites = of_cohort & np.isin(population.sites, sites)
    aimed = at_sites if 3 * at_sites.sum() >= of_cohort.sum() else of_cohort
    reached = aimed & (random.random(len(population)) < random.uniform(0.5, 1.0))
    return np.flatnonzero(reached if reached.any() else aimed)


def _draw_shifts(random: np.random.Generator) -> tuple[LevelShift, ...]:
    """Return what a harmless patch may move, well inside of what hurts nobody."""
    choices = (
        LevelShift(signal="memory_percent", offset=float(random.uniform(3, 9))),
        LevelShift(signal="agent_memory_bytes", factor=float(random.uniform(1.15, 1.6))),
        LevelShift(signal="app_launch_ms_max", factor=float(random.uniform(0.6, 1.3))),
        LevelShift(signal="logon_seconds", factor=float(random.uniform(0.7, 1.3))),
        LevelShift(signal="cpu_percent", offset=float(random.uniform(2, 7))),
        LevelShift(signal="log_errors", offset=float(random.uniform(1, 2))),
        LevelShift(signal="dns_latency_ms", factor=float(random.uniform(0.7, 1.7))),
    )
    picked = random.choice(len(choices), size=int(random.integers(2, 5)), replace=False)
    return tuple(choices[int(position)] for position in picked)
