# SPDX-License-Identifier: Apache-2.0
"""Online anomaly detection for a whole fleet: hard rules, and what is unusual for a device.

Rules need no past. Statistics are `fleet_detector`'s scores of a batch, and `alarms` decides which
of them a person hears of. Device state is struct-of-arrays; what is remembered of a device can be
taken out and put into another process.

Not thread-safe. The caller orders reports by device time; older ones than the last are ignored. A
silence of more than an hour ends every streak, and means begin anew from the device's level.

What others learn from a device is bounded by our clock, not by the device's: learning begins when
we first hear of a cohort, and reports that came more than a day late teach nobody else.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from models.alarms import AlarmMonitor, Alarms
from models.detection import (
    Detection,
    DeviceReport,
    EndedDetection,
    MetricContribution,
    detection_of,
)
from models.detector_settings import DetectorSettings
from models.detector_state import DeviceMemory, OpenEpisode, decode_devices, encode_devices
from models.errors import StateFormatError
from models.features import read_values
from models.fleet_detector import FleetDetector, Scores
from models.guards import apply_rules
from models.signals import (
    HARM_DIRECTION,
    METRIC_NAMES,
    N_SIGNALS,
    SCALE_FLOORS,
    SIGNALS,
    transform,
)

GAP_SECONDS = 3600.0  # a longer silence ends every streak
TEACHING_SECONDS = 20.0  # spans of which one report of a device teaches others: a flood has no say
LATE_SECONDS = 86_400.0  # a report that came later teaches no others: a queue of months has no say
QUIET_REPORTS = 10  # without a detection that end an episode
N_CONTRIBUTIONS = 5
_LEAST_CONTRIBUTION = 0.01


class AnomalyDetector:
    """Judges reports of a fleet, in batches."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self._rows: dict[str, int] = {}
        self._free_rows: list[int] = []
        self._memories: dict[str, DeviceMemory] = {}
        self.fleet = FleetDetector(
            N_SIGNALS, floors=SCALE_FLOORS, sides=HARM_DIRECTION, settings=settings
        )
        self.alarms = AlarmMonitor(N_SIGNALS)

    @property
    def bytes_per_device(self) -> int:
        """Return how much memory the arrays take for a device."""
        return self.fleet.baselines.bytes_per_device + self.alarms.bytes_per_device

    def score(
        self, device_id: str, observed_at: datetime, metrics: Mapping[str, float], cohort: str = ""
    ) -> Detection | None:
        """Score one report and return the newest fault, if any (see `score_batch`)."""
        detections = self.score_all(device_id, observed_at, metrics, cohort)
        return detections[0] if detections else None

    def score_all(
        self, device_id: str, observed_at: datetime, metrics: Mapping[str, float], cohort: str = ""
    ) -> tuple[Detection, ...]:
        """Score one report; return one detection per episode, the youngest episode first."""
        report = DeviceReport(
            device_id=device_id, observed_at=observed_at, metrics=metrics, cohort=cohort
        )
        return self.score_batch([report])[0]

    def score_batch(self, reports: Sequence[DeviceReport]) -> list[tuple[Detection, ...]]:
        """Score reports, each device's in the order given; return each one's detections.

        There is one detection per episode, the youngest episode first.
        """
        found: list[tuple[Detection, ...]] = [()] * len(reports)
        for wave in _split_into_waves(reports):
            before = {number: self._begin(reports[number]) for number in wave}
            chosen = [number for number, last in before.items() if last is not None]
            if chosen:
                wanted = [reports[number] for number in chosen]
                last = np.array([before[number] for number in chosen], np.float64)
                for number, detections in zip(chosen, self._score_wave(wanted, last), strict=True):
                    found[number] = detections
        return found

    def note_episode(self, device_id: str, episode_key: str, incident_key: str) -> None:
        """Remember under which key an episode was told of, for `take_ended`."""
        episode = self._memories[device_id].episodes.get(episode_key)
        if episode is not None:
            episode.incident_key = incident_key

    def take_ended(self, device_id: str, at: datetime) -> list[EndedDetection]:
        """Return the device's episodes that are over, once."""
        episodes = self._memories[device_id].episodes
        ended = {key: each for key, each in episodes.items() if each.quiet_reports >= QUIET_REPORTS}
        for key in ended:
            del episodes[key]
        return [
            EndedDetection(device_id=device_id, ended_at=at, incident_key=each.incident_key)
            for each in ended.values()
            if each.incident_key
        ]

    def export_state(self, device_id: str) -> bytes:
        """Return what is remembered of a device, for `import_state` (empty if nothing)."""
        if device_id not in self._rows or device_id not in self._memories:
            return b""
        return self.export_states([device_id])[0]

    def export_states(self, device_ids: Sequence[str]) -> list[bytes]:
        """Return what is remembered of devices that are known."""
        rows = np.array([self._rows[device_id] for device_id in device_ids], np.int64)
        memories = [self._memories[device_id] for device_id in device_ids]
        for memory, moments in zip(memories, self.alarms.read_moments(rows).tolist(), strict=True):
            memory.counted_at, memory.told_at = moments
        return encode_devices(self._read(rows), memories)

    def import_state(
        self,
        device_id: str,
        content: bytes,
        layouts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Restore a device from `export_state`; metrics unknown today are dropped.

        Args:
            device_id: the device.
            content: the state, empty for none.
            layouts: metrics of older layouts by name.

        Raises:
            StateFormatError: the bytes are not such a state. Nothing is changed then.

        """
        if not content:
            return
        if self.import_states({device_id: content}, layouts or {}):
            raise StateFormatError

    def import_states(
        self, states: Mapping[str, bytes], layouts: Mapping[str, Sequence[str]]
    ) -> list[str]:
        """Restore devices as `import_state` does; return those whose state is no such state."""
        no_rows = np.zeros(0, np.int64)
        readable, arrays, memories = decode_devices(
            list(states.values()), self._read(no_rows), layouts
        )
        names = list(states)
        rows = np.array([self._row_of(names[position]) for position in readable], np.int64)
        self.fleet.baselines.write(rows, arrays)
        self.alarms.write(rows, arrays)
        moments = [(each.counted_at, each.told_at) for each in memories]
        self.alarms.write_moments(rows, np.array(moments).reshape(-1, 2))
        for position, memory in zip(readable, memories, strict=True):
            self._memories[names[position]] = memory
        damaged = set(range(len(names))) - set(readable)
        return [names[position] for position in sorted(damaged)]

    def forget(self, *device_ids: str) -> None:
        """Drop what is remembered of devices; the fleet's knowledge stays."""
        for device_id in device_ids:
            self._memories.pop(device_id, None)
        known = [self._rows.pop(device_id) for device_id in device_ids if device_id in self._rows]
        rows = np.array(known, np.int64)
        self.fleet.baselines.clear(rows)
        self.alarms.clear(rows)
        self._free_rows += known

    def forget_all(self) -> None:
        """Drop what is remembered of all devices; their rows serve the next ones."""
        self.forget(*self._rows.keys() | self._memories.keys())

    def knows(self, device_id: str) -> bool:
        """Tell whether state of a device is in memory."""
        return device_id in self._memories

    def _read(self, rows: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[Any]]:
        return {**self.fleet.baselines.read(rows), **self.alarms.read(rows)}

    def _row_of(self, device_id: str) -> int:
        row = self._rows.get(device_id)
        if row is None:  # rows that are neither used nor free lie behind all others
            row = self._free_rows.pop() if self._free_rows else len(self._rows)
            self._rows[device_id] = row
        self.fleet.baselines.grow(row + 1)
        self.alarms.grow(row + 1)
        return row

    def _begin(self, report: DeviceReport) -> float | None:
        """Return when its device was last heard, None if that was later than the report.

        A long silence ends streaks.
        """
        memory = self._memories.setdefault(report.device_id, DeviceMemory())
        seconds = report.observed_at.timestamp()
        row = self._row_of(report.device_id)
        last_seen = memory.last_seen
        if seconds <= last_seen:
            return None
        if seconds - last_seen > GAP_SECONDS:
            memory.streaks.running.clear()
            self.fleet.baselines.resume(np.array([row]))
        memory.last_seen = seconds
        return last_seen

    def _begin_learning(
        self, reports: Sequence[DeviceReport], received: npt.NDArray[np.float64]
    ) -> None:
        """Let the clocks of cohorts that were never heard, and of the fleet, begin now.

        Reports are never of later than that by much: so no clock runs faster than ours.
        """
        self.alarms.pool.begin(float(received.max()))
        latest: dict[str, float] = {}
        for report, moment in zip(reports, received.tolist(), strict=True):
            latest[report.cohort] = max(latest.get(report.cohort, 0.0), moment)
        for name, moment in latest.items():
            cohort = self.fleet.cohort(name)
            if not cohort.seconds:
                cohort.decay_to(moment)

    def _score_wave(
        self, reports: Sequence[DeviceReport], last_seen: npt.NDArray[np.float64]
    ) -> list[tuple[Detection, ...]]:
        rows = np.array([self._rows[report.device_id] for report in reports])
        seconds = np.array([report.observed_at.timestamp() for report in reports])
        values = np.array([read_values(report.metrics) for report in reports])
        received = np.array(
            [(report.received_at or report.observed_at).timestamp() for report in reports]
        )
        self._begin_learning(reports, received)
        is_timely = received - seconds <= LATE_SECONDS
        span, last_span = (np.floor(each / TEACHING_SECONDS) for each in (seconds, last_seen))
        teaches = is_timely & (span > last_span)
        scores = self.fleet.observe(
            rows,
            [report.cohort for report in reports],
            seconds,
            transform(values).astype(np.float32),
            teaches,
        )
        alarms = self.alarms.observe(
            rows, seconds, scores.p_value, scores.contributions.argmax(axis=1), is_timely
        )
        return [
            self._judge(report, position, values[position], scores, alarms)
            for position, report in enumerate(reports)
        ]

    def _judge(
        self,
        report: DeviceReport,
        position: int,
        values: npt.NDArray[np.float64],
        scores: Scores,
        alarms: Alarms,
    ) -> tuple[Detection, ...]:
        memory = self._memories[report.device_id]
        detections: dict[str, Detection] = {}
        at = report.observed_at.timestamp()
        for finding in apply_rules(report.metrics, memory.streaks, at):
            detection = detection_of(finding, report.device_id, report.observed_at)
            known = detections.get(detection.episode_key)
            if known is None or known.successive_reports < detection.successive_reports:
                detections[detection.episode_key] = detection
        unusual = _describe(report, position, values, scores, alarms, memory)
        if unusual and not detections:
            detections[unusual.episode_key] = unusual
        for key in detections:
            memory.episodes.setdefault(key, OpenEpisode(incident_key="")).quiet_reports = -1
        for episode in memory.episodes.values():
            episode.quiet_reports += 1
        return tuple(
            sorted(detections.values(), key=lambda d: (d.successive_reports, d.episode_key))
        )


def _describe(
    report: DeviceReport,
    position: int,
    values: npt.NDArray[np.float64],
    scores: Scores,
    alarms: Alarms,
    memory: DeviceMemory,
) -> Detection | None:
    """Return the detection of an episode that goes on; its key is that of its first report."""
    if not alarms.is_open[position]:
        memory.statistical_key, memory.successive_reports = "", 0
        return None
    metrics = _list_contributions(values, scores, position)
    memory.successive_reports += 1
    if not memory.statistical_key:
        memory.statistical_key = f"anomaly:{metrics[0].name}" if metrics else "anomaly"
    return Detection(
        device_id=report.device_id,
        observed_at=report.observed_at,
        score=float(scores.score[position]),
        p_value=float(scores.p_value[position]),
        metrics=metrics,
        episode_key=memory.statistical_key,
        successive_reports=memory.successive_reports,
        novelty=float(scores.novelty[position]),
        false_a_day=float(alarms.false_a_day[position]),
    )


def _list_contributions(
    values: npt.NDArray[np.float64], scores: Scores, position: int
) -> tuple[MetricContribution, ...]:
    shares, expected = scores.contributions[position], scores.expected[position]
    top = np.argsort(shares)[::-1][:N_CONTRIBUTIONS]
    return tuple(
        MetricContribution(
            name=METRIC_NAMES[index],
            value=float(values[index]),
            expected=float(
                np.expm1(expected[index]) if SIGNALS[index].logarithmic else expected[index]
            ),
            contribution=float(shares[index]),
        )
        for index in top
        if shares[index] >= _LEAST_CONTRIBUTION and np.isfinite(expected[index])
    )


def _split_into_waves(reports: Sequence[DeviceReport]) -> list[list[int]]:
    """Return positions in groups that name each device once, in order."""
    waves: list[list[int]] = []
    turn: dict[str, int] = {}
    for position, report in enumerate(reports):
        number = turn.get(report.device_id, 0)
        turn[report.device_id] = number + 1
        if number == len(waves):
            waves.append([])
        waves[number].append(position)
    return waves
