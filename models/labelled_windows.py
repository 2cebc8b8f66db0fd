# SPDX-License-Identifier: Apache-2.0
"""Real windows of telemetry with the class that people gave: labels for the health classifier.

A window is kept when a person first labels the incident that it opened: the reports that the
classifier saw, as numbers. Names of processes become numbers as well; of texts nothing is kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from contracts.failure import FailureClass
from kernel.database import Connection
from kernel.queries import load_queries
from models.features import HELD_LIMITS, extract_features
from models.health import WINDOW_REPORTS, WINDOW_SPAN
from models.signals import METRIC_NAMES, FloatArray
from telemetry.incidents import Incident, IncidentScope, IncidentSource
from telemetry.reports import StoredReport, list_window
from telemetry.simulated_faults import shown_class

QUERIES = load_queries(__file__, "labelled_windows")
MAX_WINDOWS = 20_000
_PLAIN = frozenset(METRIC_NAMES)
_NAMED = tuple(prefix for prefix, _, _ in HELD_LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWindow:
    """The window of one incident, shape (n_features,), and what a person says it shows.

    It is proved where a fix for that class was approved, and telemetry verified it.
    """

    incident_id: str
    device_id: str
    features: FloatArray
    label: str  # one of the health classifier's classes
    person: str
    is_proved: bool = False


async def keep_window(connection: Connection, incident: Incident, now: datetime) -> None:
    """Keep the window that a device's detection was judged by, if there is one.

    Nothing is kept of tickets and of fleets, nor where the telemetry is gone. What was kept once
    stays as it is.
    """
    is_detected = incident.source is IncidentSource.DETECTION
    observed_at = _read_moment(incident.detection)
    if not is_detected or incident.scope is not IncidentScope.DEVICE or observed_at is None:
        return
    if incident.device_id is None:
        return
    stored = await list_window(
        connection,
        incident.device_id,
        observed_at - WINDOW_SPAN,
        observed_at + timedelta(microseconds=1),
    )
    told = incident.detection.get("report_id")
    seen = [  # what came late was not seen
        each for each in stored if each.received_at <= incident.opened_at or each.report_id == told
    ][-WINDOW_REPORTS:]
    if not seen:
        return
    await connection.execute(
        QUERIES["keep_window"],
        {
            "incident_id": incident.incident_id,
            "device_id": incident.device_id,
            "reports": Jsonb(list_numbers(seen)),
            "now": now,
        },
    )


async def list_labelled_windows(connection: Connection) -> list[LabelledWindow]:
    """Return the newest labelled windows, the one labelled last at the end."""
    cursor = await connection.execute(QUERIES["list_labelled_windows"], {"limit": MAX_WINDOWS})
    return [
        LabelledWindow(
            incident_id=row["incident_id"],
            device_id=row["device_id"],
            features=extract_features(row["reports"]),
            label=name_class(row["failure_class"]),
            person=row["actor"],
            is_proved=row["is_proved"],
        )
        for row in reversed(await cursor.fetchall())
    ]


def name_class(failure_class: str) -> str:
    """Return the class of the health classifier that a label means: faults of programs are one."""
    failure = FailureClass(failure_class)
    return str(failure if failure is FailureClass.UNKNOWN else shown_class(failure))


def list_numbers(reports: Iterable[StoredReport]) -> list[dict[str, float]]:
    """Return of each report the metrics that features are made of, processes by number."""
    numbers: dict[str, int] = {}
    return [
        {
            _hide(name, numbers): value
            for name, value in report.metrics.items()
            if name in _PLAIN or name.startswith(_NAMED)
        }
        for report in reports
    ]


def _hide(name: str, numbers: dict[str, int]) -> str:
    if name in _PLAIN:
        return name
    metric, _, process = name.partition(":")
    return f"{metric}:{numbers.setdefault(process, len(numbers))}"


def _read_moment(detection: Mapping[str, object]) -> datetime | None:
    told = detection.get("observed_at")
    return datetime.fromisoformat(told) if isinstance(told, str) else None
