# SPDX-License-Identifier: Apache-2.0
"""Gathers what is known of an incident: the `mask` step of the road.

Incident text and telemetry were masked when they were stored; this step masks once more, metric
names and the search query included, so that what reasoning reads never depends on the diligence
of an earlier writer. A name keeps one pseudonym in all that concerns the incident.

Where a person has said what the incident is, the case names that label.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.failure import FailureClass
from guardrails.case_masking import CaseMasker
from kernel.database import Connection
from reasoning.errors import IncidentNotFoundError
from reasoning.state import CaseData
from telemetry.devices import Device, find_device
from telemetry.facts import names_alike
from telemetry.incident_classes import ClassLabel, list_class_labels
from telemetry.incidents import Incident, Incidents
from telemetry.reports import latest_report

ACTOR = "service:reasoning"
MAX_QUERY_CHARACTERS = 4_000
CLOSED = (
    "incident_id", "device_id", "source", "failure_class", "confidence", "severity", "occurrences"
)  # fmt: skip
SAID_BY_DEVICE = ("os_version", "model", "department", "role")
UNTRUSTED = ("title", "description", "entity", "detection")


async def gather_case(
    connection: Connection, *, incidents: Incidents, cases: CaseMasker, incident_id: str
) -> CaseData:
    """Return the masked case of an incident; what is new in it goes to the vault.

    Raises:
        IncidentNotFoundError: there is no such incident.
    """
    incident = await incidents.find(connection, incident_id)
    if incident is None:
        raise IncidentNotFoundError(f"no incident {incident_id}")
    device = await find_device(connection, incident.device_id) if incident.device_id else None
    report = await latest_report(connection, incident.device_id) if incident.device_id else None
    masked = await cases.mask_on(
        connection,
        incident_id,
        {
            "incident": {name: getattr(incident, name) for name in UNTRUSTED},
            "metrics": dict(report.metrics) if report else {},
            "facts": dict(report.facts) if report else {},
            "device": {name: getattr(device, name) for name in SAID_BY_DEVICE} if device else {},
        },
        actor=ACTOR,
        correlation_id=incident.correlation_id,
    )
    described = {name: _plain(getattr(incident, name)) for name in CLOSED} | masked["incident"]
    described |= _describe_label(await list_class_labels(connection, incident_id))
    return CaseData(
        incident=described,
        device=None if device is None else _describe_device(device) | masked["device"],
        metrics=masked["metrics"],
        facts=masked["facts"],
        observed_at=report.observed_at.isoformat() if report else None,
        query=compose_query(described),
    )


def _describe_label(labels: Sequence[ClassLabel]) -> dict[str, Any]:
    """Return what people's labels, oldest first, add to an incident or change of it."""
    if not labels:
        return {}
    stated, first = labels[-1], labels[0]
    described: dict[str, Any] = {
        "class_label": {
            "label_id": stated.label_id,
            "models_class": str(first.from_class),
            "models_confidence": first.from_confidence,
        }
    }
    if stated.failure_class is not first.from_class and not names_alike(
        stated.failure_class, first.from_class
    ):
        described["entity"] = ""  # it was what the models' class is about
    return described


def is_outdated(case: CaseData, incident: Incident, labels: Sequence[ClassLabel]) -> bool:
    """Tell whether a case names another class or label than its incident has. Pure."""
    described = case["incident"]
    label_id = described.get("class_label", {}).get("label_id")
    newest_id = labels[-1].label_id if labels else None
    return (described["failure_class"], label_id) != (incident.failure_class.value, newest_id)


def _describe_device(device: Device) -> dict[str, Any]:
    return {
        "device_id": device.device_id,
        "os_family": device.os_family,
        "business_critical": device.business_critical,
        "status": device.status,
    }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value  # enums do not belong in checkpoints


def compose_query(described: Mapping[str, Any]) -> str:
    """Return what is searched for, from a masked incident as it is sealed."""
    failure_class = described["failure_class"]
    words = "" if failure_class == FailureClass.UNKNOWN else failure_class
    text = f"{described['title']}\n{described['description']}\n{words.replace('_', ' ')}"
    return text[:MAX_QUERY_CHARACTERS]
