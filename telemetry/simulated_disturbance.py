# SPDX-License-Identifier: Apache-2.0
"""Puts planned faults and patches into healthy levels. Pure.

A fault pulls its metrics from the healthy level to a faulty one by its progress: all at once,
along a ramp, or in spells. A subtle one stops short of what would be bad in itself.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contracts.failure import FailureClass as F
from telemetry.simulated_activity import Moment
from telemetry.simulated_columns import INDEX
from telemetry.simulated_faults import FAULTS, Effect
from telemetry.simulated_plan import NEVER, Patch, PlannedFault, Shape
from telemetry.simulated_randomness import (
    FloatArray,
    IntArray,
    heavy_factor,
    name_stream,
    uniform,
)

_SPELL_MINUTES = 9.0
_SPELL_SHARE = 0.65
_WOBBLE_SHAPE = 60.0
_CLASSES: tuple[F, ...] = tuple(FAULTS)


class FaultTable:
    """Planned faults as arrays: for each device a few slots, in order of onset."""

    def __init__(self, faults: Sequence[PlannedFault], n_devices: int) -> None:
        self.faults = tuple(sorted(faults, key=lambda f: (f.onset_minute, f.row)))
        used = np.zeros(n_devices, dtype=np.int64)
        for fault in self.faults:
            used[fault.row] += 1
        self._slots = np.full((n_devices, max(1, int(used.max(initial=0)))), -1, dtype=np.int64)
        used[:] = 0
        for number, fault in enumerate(self.faults):
            self._slots[fault.row, used[fault.row]] = number
            used[fault.row] += 1
        self._onset = np.array([f.onset_minute for f in self.faults])
        self._end = np.array([f.end_minute for f in self.faults])
        self._ramp = np.array([f.ramp_minutes for f in self.faults])
        self._hardness = np.array([f.hardness for f in self.faults])
        self._spells = np.array([f.shape is Shape.INTERMITTENT for f in self.faults], dtype=bool)
        self._subtle = np.array([f.subtle for f in self.faults], dtype=bool)
        self._class = np.array(
            [_CLASSES.index(f.failure_class) for f in self.faults], dtype=np.int64
        )

    def apply(self, levels: FloatArray, moment: Moment) -> IntArray:
        """Change `levels` in place; return which fault acts on each row (-1 none), shape (n,)."""
        acting = np.full(len(moment.rows), -1, dtype=np.int64)
        if not self.faults:
            return acting
        for slot in range(self._slots.shape[1]):
            numbers = self._slots[moment.rows, slot]
            progress = np.where(numbers >= 0, self._progress(numbers, moment), 0.0)
            active = np.flatnonzero(progress > 0)
            acting[active] = numbers[active]
            for position in np.unique(self._class[numbers[active]]):
                rows = active[self._class[numbers[active]] == position]
                self._pull(levels, moment, rows, numbers[rows], progress[rows], int(position))
        return acting

    def shown(self, acting: IntArray, minutes: FloatArray) -> npt.NDArray[np.bool_]:
        """Tell where an acting fault shows clearly: half up its ramp, or from onset on."""
        if not self.faults:
            return np.zeros(len(acting), dtype=bool)
        clear = minutes >= self._onset[acting] + self._ramp[acting] / 2
        return (acting >= 0) & clear

    def _progress(self, numbers: IntArray, moment: Moment) -> FloatArray:
        """Return how far each fault has come, in [0, 1]; spells pause an intermittent one."""
        since = moment.minutes - self._onset[numbers]
        ramp = self._ramp[numbers]
        share = np.where(ramp > 0, np.minimum(since / np.where(ramp > 0, ramp, 1.0), 1.0), 1.0)
        runs = (since >= 0) & (moment.minutes < self._end[numbers])
        spell = np.floor(since.clip(-1e9) / _SPELL_MINUTES).astype(np.int64)
        on = (uniform(moment.keys, name_stream("spell"), spell) < _SPELL_SHARE) | (spell == 0)
        progress: FloatArray = np.where(runs & (on | ~self._spells[numbers]), share, 0.0)
        return progress

    def _pull(
        self,
        levels: FloatArray,
        moment: Moment,
        rows: IntArray,
        numbers: IntArray,
        progress: FloatArray,
        position: int,
    ) -> None:
        for effect in FAULTS[_CLASSES[position]].effects:
            column = INDEX[effect.signal]
            current = levels[rows, column]
            reached = self._reach(effect, moment, rows, numbers, current)
            levels[rows, column] = current + (reached - current) * progress

    def _reach(
        self,
        effect: Effect,
        moment: Moment,
        rows: IntArray,
        numbers: IntArray,
        current: FloatArray,
    ) -> FloatArray:
        keys, steps = moment.keys[rows], moment.steps[rows]
        full = effect.mild + (effect.hard - effect.mild) * self._hardness[numbers]
        reached = np.where(self._subtle[numbers], _stay_inside(effect, current), full)
        if effect.exact:
            return reached
        chance = uniform(keys, name_stream("wobble " + effect.signal), steps)
        wobble = heavy_factor(chance, _WOBBLE_SHAPE)
        # Around a subtle level only away from the limit, which lies beyond it.
        return reached * np.where(self._subtle[numbers], np.minimum(wobble, 1.0), wobble)


def _stay_inside(effect: Effect, current: FloatArray) -> FloatArray:
    """Return the subtle level of an effect; what has none, or is past it already, stays."""
    if effect.subtle is None:
        return current
    towards = np.maximum if effect.hard > effect.subtle else np.minimum
    reached: FloatArray = towards(current, effect.subtle)
    return reached


class PatchTable:
    """When which patch reaches which device, and what it moves there."""

    def __init__(self, patches: Sequence[Patch], n_devices: int) -> None:
        self.patches = tuple(patches)
        self._installed = np.full((len(self.patches), n_devices), NEVER)
        for number, patch in enumerate(self.patches):
            self._installed[number, list(patch.rows)] = patch.installed_minutes

    def apply(self, levels: FloatArray, moment: Moment) -> None:
        """Move the levels of devices that have the patches, in place."""
        for patch, installed in zip(self.patches, self._installed, strict=True):
            reached = np.flatnonzero(moment.minutes >= installed[moment.rows])
            for shift in patch.shifts if len(reached) else ():
                column = INDEX[shift.signal]
                levels[reached, column] = levels[reached, column] * shift.factor + shift.offset

    def list_installed(self, row: int, minute: float) -> tuple[str, ...]:
        """Return the names of the patches that a device has at a minute."""
        has = self._installed[:, row] <= minute
        return tuple(patch.name for patch, there in zip(self.patches, has, strict=True) if there)
