# SPDX-License-Identifier: Apache-2.0
"""Scores stored reports and turns detections into incidents.

The detector's memory is read and written in the transaction that marks the batch done, so each
report is scored once whatever is killed, and it moves freely between workers. Batches take turns.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.anomaly import AnomalyDetector
from models.champions import Champions
from models.classification import Classification
from models.detection import Detection, DeviceReport
from models.detector_store import DetectorStore
from models.device_cohorts import find_cohorts
from models.diagnosis import Diagnosis, diagnose_report
from models.drift_watch import CohortReport, DriftWatch
from models.fleet_endings import EndedEpisode
from models.fleet_incidents import FleetIncidents, OpenedEpisode
from models.health import WINDOW_REPORTS, WINDOW_SPAN, classify_health
from models.inference import record_inference
from models.registry import LoadedModel
from telemetry.incidents import Incidents, IncidentSignal, IncidentSource
from telemetry.reports import StoredReport, find_reports, list_windows

QUERIES = load_queries(__file__, "scoring")
SCORING_LOCK = 0x45554352
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A detection with the report that gave it away and what it means."""

    detection: Detection
    report: StoredReport
    classification: Classification
    diagnosis: Diagnosis


class Scoring:
    """Scores batches of stored reports."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        incidents: Incidents,
        fleets: FleetIncidents,
        champions: Champions,
        detector_model: LoadedModel,
        drift: DriftWatch,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._incidents = incidents
        self._fleets = fleets
        self._champions = champions
        self._detector_model = detector_model
        self._drift = drift
        self._detector = AnomalyDetector()
        self._store = DetectorStore(clock=clock)

    async def score_batch(
        self, connection: Connection, keys: Sequence[Sequence[str]], *, correlation_id: str
    ) -> int:
        """Score the reports of a `telemetry.stored` message; return how many detections.

        Args:
            connection: carries the transaction that marks the message done.
            keys: (observed_at, report_id, device_id) of each report.
            correlation_id: of the request that brought the reports.

        """
        await connection.execute(QUERIES["lock_scoring"], {"lock_key": SCORING_LOCK})
        health = self._champions.current("health")  # one for the whole batch
        stored = await find_reports(connection, keys)
        cohorts = await find_cohorts(connection, sorted({each.device_id for each in stored}))
        reports = [each for each in stored if each.device_id in cohorts]
        device_ids = sorted(cohorts)
        await self._store.load(connection, self._detector, device_ids, cohorts.values())
        found = self._detector.score_batch(
            [
                DeviceReport(
                    device_id=report.device_id,
                    observed_at=_effective_time(report),
                    metrics=report.metrics,
                    cohort=cohorts[report.device_id],
                    received_at=report.received_at,
                )
                for report in reports
            ]
        )
        diagnosed = await self._diagnose(connection, reports, found, health)
        await self._open_incidents(connection, diagnosed, correlation_id, health)
        await self._end_episodes(connection, reports, correlation_id)
        await self._store.store(connection, self._detector, device_ids, cohorts.values())
        await self._drift.observe_reports(
            connection,
            [
                CohortReport(
                    cohort=cohorts[report.device_id],
                    observed_at=report.observed_at,
                    metrics=report.metrics,
                )
                for report in reports
            ],
            correlation_id=correlation_id,
        )
        return len(diagnosed)

    async def _diagnose(
        self,
        connection: Connection,
        reports: Sequence[StoredReport],
        found: Sequence[Sequence[Detection]],
        health: LoadedModel,
    ) -> list[_Found]:
        """Say what detections mean, by their devices' reports of the last hours."""
        told = [
            (report, detections)
            for report, detections in zip(reports, found, strict=True)
            if detections
        ]
        windows = await list_windows(
            connection,
            [(report.device_id, report.observed_at) for report, _ in told],
            span=WINDOW_SPAN,
            limit=WINDOW_REPORTS,
        )
        diagnosed = []
        for (report, detections), window in zip(told, windows, strict=True):
            classification = classify_health(health.model, window)
            diagnosed += [self._explain(each, report, classification) for each in detections]
        return diagnosed

    def _explain(
        self, detection: Detection, report: StoredReport, classification: Classification
    ) -> _Found:
        diagnosis = diagnose_report(
            detection=detection,
            classification=classification,
            metrics=report.metrics,
            facts=report.facts,
        )
        self._detector.note_episode(report.device_id, detection.episode_key, diagnosis.episode_key)
        return _Found(
            detection=detection,
            report=report,
            classification=classification,
            diagnosis=diagnosis,
        )

    async def _open_incidents(
        self,
        connection: Connection,
        found: Sequence[_Found],
        correlation_id: str,
        health: LoadedModel,
    ) -> None:
        """Open or go on with incidents, but for what belongs to a fleet's."""
        placements = await self._fleets.observe(
            connection, [_episode_of(each) for each in found], correlation_id=correlation_id
        )
        for each, placement in zip(found, placements, strict=True):
            for fleet_id in placement.opened:
                await self._record(
                    connection, fleet_id, each.detection, each.classification, health=health
                )
            if placement.fleet_incident_id is not None:
                continue
            incident, created = await self._incidents.open_or_merge(
                connection, _signal_of(each, correlation_id)
            )
            if created:
                await self._record(
                    connection,
                    incident.incident_id,
                    each.detection,
                    each.classification,
                    health=health,
                )

    async def _end_episodes(
        self, connection: Connection, reports: Sequence[StoredReport], correlation_id: str
    ) -> None:
        latest = {report.device_id: report.observed_at for report in reports}
        ended = [
            EndedEpisode(
                device_id=each.device_id, episode_key=each.incident_key, ended_at=each.ended_at
            )
            for device_id, at in latest.items()
            for each in self._detector.take_ended(device_id, at)
        ]
        await self._fleets.leave(connection, ended, correlation_id=correlation_id)

    async def _record(
        self,
        connection: Connection,
        incident_id: str,
        detection: Detection,
        classification: Classification,
        *,
        health: LoadedModel,
    ) -> None:
        await record_inference(
            connection,
            self._ids,
            self._clock,
            model=self._detector_model,
            subject_kind="incident",
            subject_id=incident_id,
            output={"score": detection.score, "p_value": detection.p_value},
            confidence=1.0 - detection.p_value,
        )
        await record_inference(
            connection,
            self._ids,
            self._clock,
            model=health,
            subject_kind="incident",
            subject_id=incident_id,
            output=classification.as_json(),
            confidence=classification.confidence,
        )


def _effective_time(report: StoredReport) -> datetime:
    """Return when a report counts as made; a clock that runs ahead must not outrun ours.

    Else all that a device says after its clock was set right would be older than its last word.
    """
    return min(report.observed_at, report.received_at + CLOCK_TOLERANCE)


def _episode_of(found: _Found) -> OpenedEpisode:
    return OpenedEpisode(
        device_id=found.report.device_id,
        episode_key=found.diagnosis.episode_key,
        observed_at=found.report.observed_at,
        failure_class=found.diagnosis.failure_class,
        severity=found.diagnosis.severity,
        drivers=tuple(metric.name for metric in found.detection.metrics),
        title=found.diagnosis.title,
        confidence=found.diagnosis.confidence,
        entity=found.diagnosis.entity,
        detection=_describe(found),
    )


def _signal_of(found: _Found, correlation_id: str) -> IncidentSignal:
    return IncidentSignal(
        device_id=found.report.device_id,
        user_id=None,
        source=IncidentSource.DETECTION,
        failure_class=found.diagnosis.failure_class,
        confidence=found.diagnosis.confidence,
        severity=found.diagnosis.severity,
        title=found.diagnosis.title,
        description=found.diagnosis.description,
        episode_key=found.diagnosis.episode_key,
        entity=found.diagnosis.entity,
        detection=_describe(found),
        reported_by="system:detector",
        correlation_id=correlation_id,
        observed_at=found.report.observed_at,
    )


def _describe(found: _Found) -> dict[str, Any]:
    detection, report = found.detection, found.report
    return {
        "report_id": report.report_id,
        "observed_at": report.observed_at.isoformat(),
        "score": round(detection.score, 4),
        "p_value": round(detection.p_value, 6),
        "novelty": round(detection.novelty, 3),
        "false_a_day": round(detection.false_a_day, 6),
        "metrics": [asdict(item) for item in detection.metrics],
        "recovery": [asdict(item) for item in found.diagnosis.recovery],
    }
