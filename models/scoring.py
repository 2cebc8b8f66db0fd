# SPDX-License-Identifier: Apache-2.0
"""Scores stored reports and turns detections into incidents.

The detector's memory is read and written in the transaction that marks the batch done, so each
report is scored once whatever is killed, and it moves freely between workers. Batches take turns.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from contracts.failure import FailureClass
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries
from models.anomaly import AnomalyDetector, Detection
from models.champions import Champions
from models.classification import Classification
from models.diagnosis import Diagnosis, diagnose_report
from models.drift_watch import CohortReport, DriftWatch
from models.health import WINDOW_REPORTS, classify_health
from models.inference import record_inference
from models.registry import LoadedModel
from telemetry.devices import find_device
from telemetry.incidents import Incidents, IncidentSignal, IncidentSource
from telemetry.reports import StoredReport, find_reports, list_window

QUERIES = load_queries(__file__, "scoring")
SCORING_LOCK = 0x45554352
WINDOW = timedelta(hours=6)


class Scoring:
    """Scores batches of stored reports."""

    def __init__(
        self,
        *,
        clock: Clock,
        ids: IdSource,
        incidents: Incidents,
        champions: Champions,
        detector_model: LoadedModel,
        drift: DriftWatch,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._incidents = incidents
        self._champions = champions
        self._detector_model = detector_model
        self._drift = drift
        # Device memory is read anew in each transaction; kept here is only what calibrates:
        # the fleet's ordinary scores and the cohorts' baselines, which a restart may lose.
        self._detector = AnomalyDetector()

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
        by_device: dict[str, list[StoredReport]] = defaultdict(list)
        for report in await find_reports(connection, keys):
            by_device[report.device_id].append(report)
        detector = self._detector
        await self._load_states(connection, detector, list(by_device))
        n_detections = 0
        scored: list[CohortReport] = []
        for device_id, reports in by_device.items():
            device = await find_device(connection, device_id)
            cohort = f"{device.os_family}:{device.model}" if device else ""
            for report in reports:
                found = detector.score_all(device_id, report.observed_at, report.metrics, cohort)
                for detection in found:
                    await self._open_incident(
                        connection, detection, report, correlation_id, health=health
                    )
                n_detections += len(found)
                scored.append(
                    CohortReport(
                        cohort=cohort, observed_at=report.observed_at, metrics=report.metrics
                    )
                )
            await connection.execute(
                QUERIES["store_state"],
                {
                    "device_id": device_id,
                    "state": detector.export_state(device_id),
                    "now": self._clock.now(),
                },
            )
        await self._drift.observe_reports(connection, scored, correlation_id=correlation_id)
        return n_detections

    async def _load_states(
        self, connection: Connection, detector: AnomalyDetector, device_ids: list[str]
    ) -> None:
        for device_id in device_ids:
            detector.forget(device_id)  # a batch that was rolled back must leave nothing
        cursor = await connection.execute(QUERIES["find_states"], {"device_ids": device_ids})
        for row in await cursor.fetchall():
            detector.import_state(row["device_id"], bytes(row["state"]))

    async def _open_incident(
        self,
        connection: Connection,
        detection: Detection,
        report: StoredReport,
        correlation_id: str,
        *,
        health: LoadedModel,
    ) -> None:
        window = await list_window(
            connection,
            report.device_id,
            report.observed_at - WINDOW,
            report.observed_at + timedelta(microseconds=1),
        )
        classification = classify_health(
            health.model, [item.metrics for item in window[-WINDOW_REPORTS:]]
        )
        diagnosis = diagnose_report(
            detection=detection,
            classification=classification,
            metrics=report.metrics,
            facts=report.facts,
        )
        incident, created = await self._incidents.open_or_merge(
            connection,
            IncidentSignal(
                device_id=report.device_id,
                user_id=None,
                source=IncidentSource.DETECTION,
                failure_class=diagnosis.failure_class,
                confidence=diagnosis.confidence,
                severity=diagnosis.severity,
                title=diagnosis.title,
                description=diagnosis.description,
                episode_key=diagnosis.episode_key,
                entity=diagnosis.entity,
                detection=_describe(detection, diagnosis, report),
                reported_by="system:detector",
                correlation_id=correlation_id,
                observed_at=report.observed_at,
            ),
        )
        if created:
            await self._record(
                connection, incident.incident_id, detection, classification, health=health
            )

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
            output={
                "failure_class": FailureClass(classification.failure_class).value,
                "abstained": classification.abstained,
            },
            confidence=classification.confidence,
        )


def _describe(detection: Detection, diagnosis: Diagnosis, report: StoredReport) -> dict[str, Any]:
    return {
        "report_id": report.report_id,
        "observed_at": report.observed_at.isoformat(),
        "score": round(detection.score, 4),
        "p_value": round(detection.p_value, 6),
        "metrics": [asdict(item) for item in detection.metrics],
        "recovery": [asdict(item) for item in diagnosis.recovery],
    }
