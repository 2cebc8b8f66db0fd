# SPDX-License-Identifier: Apache-2.0
"""Online anomaly detection: hard rules first, then what is unusual for this device.

Statistics: per device and metric an exponentially weighted mean and variance, warm-started from
the device's cohort. A report's score is the Euclidean norm of its three largest deviations, in
standard deviations, counting only harmful directions and only values past the ordinary range.
Scores of unflagged reports of the whole fleet calibrate it into a conformal p-value (Vovk et
al., Algorithmic Learning in a Random World, 2005); the Benjamini-Hochberg bound over the latest
p-value of every device limits false discoveries in the fleet. State is struct-of-arrays.

Not thread-safe. The caller orders reports by device time; older ones than the last are ignored.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from contracts.failure import FailureClass
from models.calibration import ConformalPool, passes_false_discovery_bound
from models.detector_state import DeviceState, decode_state, encode_state
from models.features import read_values
from models.guards import Comparison, Finding, Streaks, apply_rules
from models.signals import (
    HARM_DIRECTION,
    METRIC_NAMES,
    N_SIGNALS,
    SCALE_FLOORS,
    SIGNALS,
    FloatArray,
    severity_scores,
    transform,
)

RULE_SCORE = 10.0
SCORE_THRESHOLD = 6.0
PERSISTENCE_REPORTS = 3
WARM_UP_REPORTS = 60
WARM_START_REPORTS = 30
MEMORY_REPORTS = 500  # time constant of the baseline
P_VALUE_THRESHOLD = 0.01
FALSE_DISCOVERY_RATE = 0.1
GAP_SECONDS = 3600.0  # a longer silence ends every streak
_CLIP = 12.0
_WINSOR = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricContribution:
    """How much one metric drove a detection; contributions add up to 1."""

    name: str
    value: float
    expected: float
    contribution: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Something is wrong with a device now. `rule` is empty for a statistical detection."""

    device_id: str
    observed_at: datetime
    score: float
    p_value: float  # 0 for a rule: no chance is involved
    metrics: tuple[MetricContribution, ...]
    episode_key: str
    rule: str = ""
    recovery: tuple[Comparison, ...] = ()  # what ends the rule's violation
    failure_class: FailureClass = FailureClass.UNKNOWN
    entity: str = ""
    successive_reports: int = 1


class AnomalyDetector:
    """Scores one report at a time for a whole fleet."""

    def __init__(self, *, capacity: int = 256) -> None:
        self._rows: dict[str, int] = {}
        self._streaks: dict[str, Streaks] = {}
        self._fresh: set[str] = set()  # forgotten, to be warm-started like new ones
        self._count = np.zeros((capacity, N_SIGNALS))
        self._mean = np.zeros((capacity, N_SIGNALS))
        self._variance = np.zeros((capacity, N_SIGNALS))
        self._last_seen = np.full(capacity, -math.inf)
        self._unusual = np.zeros(capacity, dtype=np.int64)
        self._p_value = np.ones(capacity)
        self._pool = ConformalPool()

    def score(
        self, device_id: str, observed_at: datetime, metrics: Mapping[str, float], cohort: str = ""
    ) -> Detection | None:
        """Score one report and return the newest fault, if any (see `score_all`)."""
        detections = self.score_all(device_id, observed_at, metrics, cohort)
        return detections[0] if detections else None

    def score_all(
        self, device_id: str, observed_at: datetime, metrics: Mapping[str, float], cohort: str = ""
    ) -> tuple[Detection, ...]:
        """Score one report; return one detection per episode, the youngest episode first.

        Args:
            device_id: the device.
            observed_at: the device's logical time, aware.
            metrics: flat metrics of the report, raw units.
            cohort: like devices (operating system and model, say); warm-starts new devices.

        """
        row = self._row_of(device_id, cohort)
        seconds = observed_at.timestamp()
        if seconds <= self._last_seen[row]:
            return ()
        streaks = self._streaks.setdefault(device_id, Streaks())
        if seconds - self._last_seen[row] > GAP_SECONDS:
            streaks.running.clear()
            self._unusual[row] = 0
        self._last_seen[row] = seconds
        detections = self._apply_rules(device_id, observed_at, metrics, streaks)
        values = read_values(metrics)
        unusual = self._score_statistics(row, device_id, observed_at, values)
        if unusual and not detections:
            detections.append(unusual)
        self._learn(row, cohort, transform(values))
        return tuple(sorted(detections, key=lambda d: (d.successive_reports, d.episode_key)))

    def export_state(self, device_id: str) -> bytes:
        """Return what is remembered of a device, for `import_state` (empty if nothing)."""
        row = self._rows.get(device_id)
        if row is None:
            return b""
        return encode_state(
            DeviceState(
                count=self._count[row],
                mean=self._mean[row],
                variance=self._variance[row],
                last_seen=float(self._last_seen[row]),
                unusual_reports=int(self._unusual[row]),
                streaks=self._streaks.get(device_id, Streaks()),
            )
        )

    def import_state(self, device_id: str, content: bytes) -> None:
        """Restore a device from `export_state`; metrics unknown today are dropped.

        Raises:
            StateFormatError: the bytes are not such a state. Nothing is changed then.

        """
        if not content:
            return
        state = decode_state(content)
        row = self._row_of(device_id, "")
        self._count[row] = state.count
        self._mean[row] = state.mean
        self._variance[row] = state.variance
        self._last_seen[row] = state.last_seen
        self._unusual[row] = state.unusual_reports
        self._streaks[device_id] = state.streaks

    def forget(self, device_id: str) -> None:
        """Drop what is remembered of a device; the fleet's calibration stays."""
        row = self._rows.get(device_id)
        self._streaks.pop(device_id, None)
        if row is None:
            return
        for baseline in (self._count, self._mean, self._variance):
            baseline[row] = 0.0
        self._last_seen[row] = -math.inf
        self._unusual[row] = 0
        self._fresh.add(device_id)

    def knows(self, device_id: str) -> bool:
        """Tell whether state of a device is in memory."""
        return device_id in self._rows

    def _apply_rules(
        self,
        device_id: str,
        observed_at: datetime,
        metrics: Mapping[str, float],
        streaks: Streaks,
    ) -> list[Detection]:
        detections: dict[str, Detection] = {}
        for finding in apply_rules(metrics, streaks, observed_at.timestamp()):
            detection = _detection_of(finding, device_id, observed_at)
            known = detections.get(detection.episode_key)
            if known is None or known.successive_reports < detection.successive_reports:
                detections[detection.episode_key] = detection
        return list(detections.values())

    def _score_statistics(
        self, row: int, device_id: str, observed_at: datetime, values: FloatArray
    ) -> Detection | None:
        deviations = self._deviations(row, values)
        score = float(np.sqrt(np.sum(np.sort(deviations)[-3:] ** 2)))
        p_value = self._pool.p_value(score)
        self._p_value[row] = p_value
        is_unusual = score >= SCORE_THRESHOLD and p_value <= P_VALUE_THRESHOLD
        self._unusual[row] = self._unusual[row] + 1 if is_unusual else 0
        if self._unusual[row] < PERSISTENCE_REPORTS:
            self._pool.add(score)
            return None
        if not passes_false_discovery_bound(
            p_value, self._p_value[: len(self._rows)], FALSE_DISCOVERY_RATE
        ):
            return None
        top = np.argsort(deviations)[::-1][:5]
        return Detection(
            device_id=device_id,
            observed_at=observed_at,
            score=score,
            p_value=p_value,
            metrics=self._contributions(row, values, deviations, top),
            episode_key=f"anomaly:{METRIC_NAMES[top[0]]}",
            successive_reports=int(self._unusual[row]),
        )

    def _deviations(self, row: int, values: FloatArray) -> FloatArray:
        """Return harmful deviations in standard deviations, shape (n_signals,), in [0, 12]."""
        scale = np.sqrt(self._variance[row] + SCALE_FLOORS**2)
        deviations = (transform(values) - self._mean[row]) * HARM_DIRECTION / scale
        learnt = (self._count[row] >= WARM_UP_REPORTS) & np.isfinite(values)
        harmful = severity_scores(values) > 0
        clipped: FloatArray = np.clip(np.nan_to_num(deviations, nan=0.0), 0.0, _CLIP)
        return np.where(learnt & harmful, clipped, 0.0)

    def _contributions(
        self, row: int, values: FloatArray, deviations: FloatArray, top: np.typing.NDArray[np.int64]
    ) -> tuple[MetricContribution, ...]:
        total = float(np.sum(deviations[top])) or 1.0
        return tuple(
            MetricContribution(
                name=METRIC_NAMES[index],
                value=float(values[index]),
                expected=float(
                    np.expm1(self._mean[row, index])
                    if SIGNALS[index].logarithmic
                    else self._mean[row, index]
                ),
                contribution=float(deviations[index]) / total,
            )
            for index in top
            if deviations[index] > 0
        )

    def _learn(self, row: int, cohort: str, transformed: FloatArray) -> None:
        self._update(row, transformed)
        if cohort:
            self._update(self._rows[_cohort_key(cohort)], transformed)

    def _update(self, row: int, transformed: FloatArray) -> None:
        """Move a baseline towards a report; deviations are winsorised so faults do not teach."""
        known = np.isfinite(transformed)
        count = self._count[row]
        scale = np.sqrt(self._variance[row] + SCALE_FLOORS**2)
        step = np.where(known, transformed - self._mean[row], 0.0)
        limit = np.where(count >= PERSISTENCE_REPORTS, _WINSOR * scale, np.inf)
        step = np.clip(step, -limit, limit)
        rate = np.where(known, 1.0 / np.minimum(count + 1.0, MEMORY_REPORTS), 0.0)
        self._mean[row] += rate * step
        self._variance[row] = (1.0 - rate) * (self._variance[row] + rate * step**2)
        self._count[row] += known

    def _row_of(self, device_id: str, cohort: str) -> int:
        if cohort:
            self._add_row(_cohort_key(cohort))
        is_new = device_id not in self._rows or device_id in self._fresh
        self._fresh.discard(device_id)
        row = self._add_row(device_id)
        if is_new and cohort:
            like = self._rows[_cohort_key(cohort)]
            self._count[row] = np.minimum(self._count[like], WARM_START_REPORTS)
            self._mean[row] = self._mean[like]
            self._variance[row] = self._variance[like]
        return row

    def _add_row(self, key: str) -> int:
        if key in self._rows:
            return self._rows[key]
        row = len(self._rows)
        if row == len(self._last_seen):
            self._grow()
        self._rows[key] = row
        return row

    def _grow(self) -> None:
        added = len(self._last_seen)
        block = np.zeros((added, N_SIGNALS))
        self._count = np.concatenate([self._count, block])
        self._mean = np.concatenate([self._mean, block])
        self._variance = np.concatenate([self._variance, block])
        self._last_seen = np.concatenate([self._last_seen, np.full(added, -math.inf)])
        self._unusual = np.concatenate([self._unusual, np.zeros(added, dtype=np.int64)])
        self._p_value = np.concatenate([self._p_value, np.ones(added)])


def _cohort_key(cohort: str) -> str:
    return f"cohort\0{cohort}"  # no device id holds a NUL


def _detection_of(finding: Finding, device_id: str, observed_at: datetime) -> Detection:
    violation = finding.violation
    failure = violation.rule.failure_class
    return Detection(
        device_id=device_id,
        observed_at=observed_at,
        score=RULE_SCORE,
        p_value=0.0,
        metrics=(
            MetricContribution(
                name=violation.metric,
                value=violation.value,
                expected=violation.rule.threshold,
                contribution=1.0,
            ),
        ),
        episode_key=f"{failure}:{violation.entity}" if violation.entity else str(failure),
        rule=violation.rule.name,
        recovery=violation.rule.list_recovery(violation.metric),
        failure_class=failure,
        entity=violation.entity,
        successive_reports=finding.reports,
    )
