# SPDX-License-Identifier: Apache-2.0
"""One monitored rate: overrides, confidences, losses, values in [0, 1] that come irregularly.

They have no season to learn and need no whitening, for each is another case; Bernoulli values
are as far from normal as can be. That is ADWIN's home ground (Bifet and Gavalda, 2007): its bound
uses their variance and holds for any distribution. Its memory is the values themselves, fed again;
after a change only those since it are kept.
"""

import math
from dataclasses import dataclass, field

from models.change_point import find_split
from models.drift_detectors import RateDetector
from models.drift_series import LevelChange

WINDOW = 512  # values that are kept at least
STEPS = 255  # of a value in [0, 1]
_LEAST_DEVIATION = 0.02


@dataclass(slots=True)
class RateSeries:
    """The memory of one rate: `steps` and `moments` (seconds since 1970) of its last values.

    The detector is always what comes of feeding it these steps and no others.
    """

    steps: list[int] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    _detector: RateDetector | None = None
    _detector_for: float = 0.0

    def observe(
        self, moment: float, value: float, false_alarms_per_day: float
    ) -> LevelChange | None:
        """Take in a value; return the change that it gives away.

        Values of the same moment all count; those that are older than the last are passed over.
        """
        if self.moments and moment < self.moments[-1]:
            return None
        if len(self.steps) >= 2 * WINDOW:
            self._keep(WINDOW)
        detector = self._find_detector(false_alarms_per_day)
        step = round(STEPS * min(1.0, max(0.0, value)))
        self.steps.append(step)
        self.moments.append(moment)
        changed = detector.feed(step / STEPS)
        if not changed:
            return None
        change = self._describe()
        self._keep(change.n_samples)
        return change

    def _find_detector(self, false_alarms_per_day: float) -> RateDetector:
        if self._detector is None or self._detector_for != false_alarms_per_day:
            self._detector = RateDetector(false_alarms_per_day)
            self._detector_for = false_alarms_per_day
            for step in self.steps:
                self._detector.feed(step / STEPS)
        return self._detector

    def _keep(self, n_newest: int) -> None:
        del self.steps[:-n_newest], self.moments[:-n_newest]
        self._detector = None

    def _describe(self) -> LevelChange:
        values = [step / STEPS for step in self.steps]
        found = find_split(values)
        before = values[: found.index]
        level = sum(before) / len(before)
        variance = sum((value - level) ** 2 for value in before) / len(before)
        return LevelChange(
            since=self.moments[found.index],
            earliest=self.moments[found.earliest],
            latest=self.moments[found.latest],
            level_before=level,
            level_after=found.mean,
            deviation=max(_LEAST_DEVIATION, math.sqrt(variance)),
            n_samples=len(values) - found.index,
        )
