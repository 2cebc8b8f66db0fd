# SPDX-License-Identifier: Apache-2.0
"""The detectors under the drift monitors: river's, with memories that are plain numbers.

Page and Hinkley's test watches white innovations, in three arms for big, middling and small shifts
that share one budget. ADWIN watches rates (of overrides, say): it assumes nothing but bounded,
independent values. KSWIN tests anew with each sample and keeps no false alarm rate: not used.
"""

from river.drift import ADWIN, PageHinkley
from river.stats import Mean

from models.alarm_budget import MINUTES_PER_DAY

REFERENCES = (0.5, 0.25, 0.1)  # in standard deviations of innovations
_RATE_CLOCK = 8
_SETTLING_SAMPLES = 30


class PageHinkleyArm(PageHinkley):
    """River's Page-Hinkley test with a memory of six numbers.

    River's default forgetting (alpha .9999) is turned off: with it the sums settle where they
    no longer fall, and after a week or so noise alone crosses any threshold.
    """

    def __init__(self, reference: float) -> None:
        super().__init__(
            min_instances=_SETTLING_SAMPLES, delta=reference, threshold=float("inf"), alpha=1.0
        )

    def feed(self, innovation: float) -> bool:
        """Take in an innovation; tell whether the level has changed."""
        self.update(innovation)  # type: ignore[no-untyped-call]
        return bool(self.drift_detected)

    def export_memory(self) -> list[float]:
        """Return what the test remembers."""
        return [
            float(self._x_mean.n),
            float(self._x_mean.get()),
            float(self._sum_increase),
            float(self._min_increase),
            float(self._sum_decrease),
            float(self._max_decrease),
        ]

    def import_memory(self, memory: list[float]) -> None:
        """Go on from `export_memory`'s numbers."""
        self._x_mean = Mean()
        self._x_mean.update(memory[1], memory[0])
        self._sum_increase, self._min_increase = memory[2:4]
        self._sum_decrease = memory[4]
        self._max_decrease = memory[5]  # type: ignore[assignment]


class RateDetector:
    """River's ADWIN for values in [0, 1], at most one a minute.

    Its confidence is spent at every check, so that each gets its share of the day's budget. What
    ADWIN promises is an upper bound: measured, it errs far more rarely.
    """

    def __init__(self, false_alarms_per_day: float) -> None:
        delta = false_alarms_per_day * _RATE_CLOCK / MINUTES_PER_DAY
        self._adwin = ADWIN(delta=delta, clock=_RATE_CLOCK)  # type: ignore[no-untyped-call]

    def feed(self, value: float) -> bool:
        """Take in a value; tell whether the rate has changed."""
        self._adwin.update(value)  # type: ignore[no-untyped-call]
        return bool(self._adwin.drift_detected)
