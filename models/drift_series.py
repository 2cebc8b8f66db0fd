# SPDX-License-Identifier: Apache-2.0
"""One monitored series of level, season and noise; tells when its level has changed for good.

A sample loses its level and its season, is whitened and standardised, and is shown to three
Page-Hinkley tests. After an alarm the series takes up its new level and is not judged until that
is settled: one change is one alarm. All memory is plain numbers, so that a stored series goes on
exactly as one that never stopped.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import accumulate

from models.alarm_budget import cusum_threshold
from models.change_point import find_change
from models.drift_detectors import REFERENCES, PageHinkleyArm
from models.drift_season import WeeklySeason
from models.drift_whitening import Innovation, Whitener

HOLD_OFF_SAMPLES = 240
RECENT_SAMPLES = 1440
LEAST_SAMPLES = 300  # before anything is judged, however long they took
_LEVEL_MEMORY = 10_080  # samples: a week
_SPACING_MEMORY = 100.0
_RECENT_MEMORY = 60.0
_CLIP = 4.0
_GAP = 5.0  # times the usual spacing
_STEPS_PER_UNIT = 25  # in which recent innovations are remembered
_LONGEST_GAP = 255  # minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """A lasting shift: levels in the series' own unit, moments in seconds since 1970."""

    since: float
    earliest: float
    latest: float
    level_before: float
    level_after: float
    deviation: float  # of the series around its season
    n_samples: int  # since the change


@dataclass(slots=True)
class RegularSeries:
    """The memory of one series; `steps` and `gaps` are its last judged innovations."""

    season: WeeklySeason = field(default_factory=WeeklySeason)
    whitener: Whitener = field(default_factory=Whitener)
    arms: list[PageHinkleyArm] = field(
        default_factory=lambda: [PageHinkleyArm(reference) for reference in REFERENCES]
    )
    level: float = 0.0
    offset: float = 0.0  # what changes have added to the level since the first sample
    n_level: int = 0
    recent: float = 0.0  # mean of the last residuals, with exponential memory
    n_samples: int = 0
    hold_off: int = 0
    last_moment: float = 0.0
    spacing: float = 0.0  # usual seconds between samples
    steps: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_SAMPLES))
    gaps: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_SAMPLES))
    is_judged: bool = False  # whether the last sample was; not worth remembering
    _thresholds_for: float = 0.0  # the budget that the arms' thresholds stand for

    @property
    def _is_settled(self) -> bool:
        return self.whitener.n_samples >= LEAST_SAMPLES

    def observe(
        self, moment: float, value: float, false_alarms_per_day: float
    ) -> LevelChange | None:
        """Take in a sample; return the change that it gives away.

        Samples that are no newer than the last one are passed over.
        """
        if self.n_samples and moment <= self.last_moment:
            return None
        self._note_gap(moment)
        self.n_samples += 1
        self.is_judged = False
        # Asked before the sample itself is learnt.
        familiar, learnt = self.season.is_familiar(moment), self.season.is_learnt
        quarter_over = self.season.add(moment, value - self.offset)
        if quarter_over or false_alarms_per_day != self._thresholds_for:
            self._set_thresholds(false_alarms_per_day)
        if not familiar:
            self.whitener.forget_lags()
            return None
        if not self.n_level:
            self.level, self.n_level = self.season.mean, self.n_samples
        residual = value - self.offset - self.season.expect(moment) - self.level
        self._learn_level(residual)
        innovation = self.whitener.whiten(residual)
        if self.hold_off:
            self.hold_off -= 1
        elif innovation is not None and learnt and self._is_settled:
            self.is_judged = True
            return self._judge(innovation, moment)
        return None

    def _note_gap(self, moment: float) -> None:
        gap = moment - self.last_moment if self.n_samples else 0.0
        self.last_moment = moment
        if self.spacing and gap > _GAP * self.spacing:
            self.whitener.forget_lags()
        rate = 1.0 / min(max(1, self.n_samples), _SPACING_MEMORY)
        limited = min(gap, _GAP * self.spacing) if self.spacing else gap
        self.spacing += rate * (limited - self.spacing)
        if self.gaps:
            self.gaps[-1] = min(_LONGEST_GAP, self.gaps[-1] + round(gap / 60.0))

    def _learn_level(self, residual: float) -> None:
        if self._is_settled:
            limit = _CLIP * self.whitener.deviation
            residual = min(limit, max(-limit, residual))
        self.n_level += 1
        self.level += residual / min(self.n_level, _LEVEL_MEMORY)
        self.recent += (residual - self.recent) / _RECENT_MEMORY

    def _set_thresholds(self, false_alarms_per_day: float) -> None:
        self._thresholds_for = false_alarms_per_day
        for arm in self.arms:
            arm.threshold = cusum_threshold(
                arm.delta,
                false_alarms_per_day=false_alarms_per_day / len(self.arms),
                skewness=self.whitener.skewness,
                excess_kurtosis=self.whitener.kurtosis - 3.0,
            )

    def _judge(self, innovation: Innovation, moment: float) -> LevelChange | None:
        self.steps.append(round(innovation.slow * _STEPS_PER_UNIT))
        self.gaps.append(0)
        *fast, slow = self.arms
        alarms = [arm.feed(innovation.fast) for arm in fast] + [slow.feed(innovation.slow)]
        if not any(alarms):
            return None
        return self._take_up_new_level(moment)

    def _take_up_new_level(self, moment: float) -> LevelChange:
        found = find_change([step / _STEPS_PER_UNIT for step in self.steps])
        ages = list(accumulate(reversed(self.gaps)))[::-1]  # minutes, of each recent sample
        n_after = len(self.steps) - found.index
        shift = self._size_of(found.mean, n_after)
        before = self.level + self.offset
        change = LevelChange(
            since=moment - 60.0 * ages[found.index],
            earliest=moment - 60.0 * ages[found.earliest],
            latest=moment - 60.0 * ages[found.latest],
            level_before=before,
            level_after=before + shift,
            deviation=self.whitener.deviation,
            n_samples=n_after,
        )
        self.offset += shift
        self.season.move(shift)
        self.whitener.move(shift)
        self.n_level, self.recent, self.hold_off = n_after, 0.0, HOLD_OFF_SAMPLES
        self.arms = [PageHinkleyArm(reference) for reference in REFERENCES]
        self._thresholds_for = 0.0
        self.steps.clear()
        self.gaps.clear()
        return change

    def _size_of(self, mean: float, n_after: int) -> float:
        """Return the shift that shows as such a mean innovation, in the series' unit.

        Where nearly all of a shift is foretold from the last samples that ratio is unsure: it
        may not leave what the samples since the change have shown, of the last hour.
        """
        shift = mean * self.whitener.slow_scale / self.whitener.gain
        seen = self.recent / (1.0 - (1.0 - 1.0 / _RECENT_MEMORY) ** n_after)
        if shift * seen <= 0:
            return shift if abs(shift) < self.whitener.deviation else seen
        limit = 2.0 * abs(seen) + self.whitener.deviation
        return min(limit, max(-limit, shift))
