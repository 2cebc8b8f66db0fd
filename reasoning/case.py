# SPDX-License-Identifier: Apache-2.0
"""Gathers what is known of an incident: the `mask` step of the road.

Incident text and telemetry facts were masked when they were stored; this step masks once more, so
that what reasoning reads never depends on the diligence of an earlier writer.
"""

from dataclasses import asdict
from typing import Any, Protocol

from contracts.failure import FailureClass
from kernel.database import Connection
from reasoning.errors import IncidentNotFoundError
from reasoning.state import CaseData
from telemetry.devices import find_device
from telemetry.incidents import Incident, Incidents
from telemetry.reports import latest_report

MAX_QUERY_CHARACTERS = 4_000


class ValueMasker(Protocol):
    """Masks every string inside a JSON value."""

    def mask_value(self, value: Any) -> Any:
        """Return the value with its strings masked."""
        ...


async def gather_case(
    connection: Connection, *, incidents: Incidents, masker: ValueMasker, incident_id: str
) -> CaseData:
    """Return the masked case of an incident.

    Raises:
        IncidentNotFoundError: there is no such incident.
    """
    incident = await incidents.find(connection, incident_id)
    if incident is None:
        raise IncidentNotFoundError(f"no incident {incident_id}")
    device = await find_device(connection, incident.device_id) if incident.device_id else None
    report = await latest_report(connection, incident.device_id) if incident.device_id else None
    return CaseData(
        incident=_describe(incident, masker),
        device=None
        if device is None
        else {
            "device_id": device.device_id,
            "os_family": device.os_family,
            "os_version": device.os_version,
            "model": device.model,
            "department": device.department,
            "role": device.role,
            "business_critical": device.business_critical,
        },
        metrics=dict(report.metrics) if report else {},
        facts=masker.mask_value(dict(report.facts)) if report else {},
        observed_at=report.observed_at.isoformat() if report else None,
        query=_compose_query(incident),
    )


def _describe(incident: Incident, masker: ValueMasker) -> dict[str, Any]:
    described = asdict(incident)
    for name in ("title", "description", "detection"):
        described[name] = masker.mask_value(described[name])
    kept = (
        "incident_id", "device_id", "source", "failure_class", "confidence", "severity",
        "title", "description", "detection", "occurrences",
    )  # fmt: skip
    return {name: described[name] for name in kept}


def _compose_query(incident: Incident) -> str:
    words = "" if incident.failure_class == FailureClass.UNKNOWN else incident.failure_class
    text = f"{incident.title}\n{incident.description}\n{words.replace('_', ' ')}"
    return text[:MAX_QUERY_CHARACTERS]
