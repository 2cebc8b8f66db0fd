# SPDX-License-Identifier: Apache-2.0
"""Tickets and other tools' alerts over HTTP, for services whose token has the scope `incidents`.

A notification of many alerts is one transaction. As with telemetry, an alert that cannot be taken
is answered with a reason and does not stop its neighbours; Alertmanager would not send them again.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.errors import InvalidRequestError
from api.json_route import service_of, service_route
from api.openapi import BEARER, PROBLEMS
from api.scopes import Scope
from api.sessions import correlation_of, services_of
from contracts.failure import Severity
from guardrails.sanitise import plain_text
from reasoning.intake import MAX_DESCRIPTION_CHARACTERS, MAX_TITLE_CHARACTERS, Ticket
from telemetry.errors import UnknownDeviceError
from telemetry.incidents import Incident, IncidentSource

SEVERITIES = {"critical": Severity.S1, "warning": Severity.S2, "info": Severity.S3}
MAX_ALERTS = 200
router = APIRouter(route_class=service_route(Scope.INCIDENTS))


class TicketBody(BaseModel):
    """A ticket or an alert in free text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=MAX_TITLE_CHARACTERS)
    description: str = Field(min_length=1, max_length=MAX_DESCRIPTION_CHARACTERS)
    device_id: str | None = Field(default=None, max_length=128)
    user_id: str | None = Field(default=None, max_length=256)
    severity: Severity | None = None

    @field_validator("title", "description")
    @classmethod
    def _legible(cls, value: str) -> str:
        if not plain_text(value).strip():
            raise ValueError("must hold something that a person can read")
        return value

    @field_validator("device_id", "user_id")
    @classmethod
    def _plain(cls, value: str | None) -> str | None:
        if value is not None and "\x00" in value:
            raise ValueError("must not hold a zero byte")
        return value


class Alert(BaseModel):
    """The part of an Alertmanager alert that is read."""

    status: str = Field(default="firing", max_length=20)
    labels: dict[str, str] = Field(default_factory=dict, max_length=60)
    annotations: dict[str, str] = Field(default_factory=dict, max_length=60)
    fingerprint: str = Field(default="", max_length=64, pattern="^[0-9a-f]*$")

    @field_validator("labels", "annotations")
    @classmethod
    def _encodable(cls, values: dict[str, str]) -> dict[str, str]:
        """Replace lone surrogates, which JSON can spell and UTF-8 cannot."""
        return {name: _encodable(value) for name, value in values.items()}

    def read(self, service: str) -> Ticket:
        """Return what the alert says as a ticket."""
        given = self.labels.get("alertname", "")  # as it is: its invisible characters are a sign
        title = given if plain_text(given).strip() else "Alert"
        notes = [self.annotations.get(name, "") for name in ("summary", "description")]
        text = "\n".join(note for note in notes if plain_text(note).strip())
        return Ticket(
            title=title[:MAX_TITLE_CHARACTERS],
            description=(text or title)[:MAX_DESCRIPTION_CHARACTERS],
            device_id=self.labels.get("device_id", "").replace("\x00", "") or None,
            user_id=None,
            reported_by=service,
            severity=SEVERITIES.get(self.labels.get("severity", "")),
            source=IncidentSource.ALERT,
            repeat_key=self.fingerprint or None,
        )


class Notification(BaseModel):
    """The part of Alertmanager's webhook payload (version 4) that is read."""

    alerts: list[Alert] = Field(max_length=MAX_ALERTS)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _describe(incident: Incident, *, created: bool) -> dict[str, Any]:
    return {
        "incident_id": incident.incident_id,
        "created": created,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "failure_class": incident.failure_class.value,
    }


async def _open(request: Request, response: Response, ticket: Ticket) -> dict[str, Any]:
    services = services_of(request)
    understood = await services.intake.understand(ticket)
    async with services.ground.pool.connection() as connection:
        incident, created = await services.intake.store(
            connection, understood, correlation_id=correlation_of(request)
        )
    response.status_code = 201 if created else 200
    return _describe(incident, created=created)


MERGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Merged into the open incident that says the same"}
}


@router.post(
    "/v1/incidents", status_code=201, responses={**PROBLEMS, **MERGED}, openapi_extra=BEARER
)
async def take_ticket(request: Request, response: Response, body: TicketBody) -> dict[str, Any]:
    """Open an incident from a ticket in free text."""
    ticket = Ticket(reported_by=service_of(request), **body.model_dump())
    return await _open(request, response, ticket)


@router.post(
    "/v1/webhooks/generic", status_code=201, responses={**PROBLEMS, **MERGED}, openapi_extra=BEARER
)
async def take_webhook(request: Request, response: Response, body: TicketBody) -> dict[str, Any]:
    """Open an incident from another tool's alert."""
    ticket = Ticket(
        reported_by=service_of(request), source=IncidentSource.ALERT, **body.model_dump()
    )
    return await _open(request, response, ticket)


@router.post("/v1/webhooks/alertmanager", responses=PROBLEMS, openapi_extra=BEARER)
async def take_alerts(request: Request, body: Notification) -> dict[str, Any]:
    """Open an incident for each firing alert of an Alertmanager notification."""
    services = services_of(request)
    firing = [alert.read(service_of(request)) for alert in body.alerts if alert.status == "firing"]
    understood = [await services.intake.understand(ticket) for ticket in firing]
    # In one order, so that notifications that come at the same time cannot deadlock.
    understood.sort(key=lambda each: (each.ticket.device_id or "", each.episode_key))
    incidents: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    async with services.ground.pool.connection() as connection:
        for each in understood:
            try:
                incident, created = await services.intake.store(
                    connection, each, correlation_id=correlation_of(request)
                )
            except UnknownDeviceError as error:
                rejected.append({"device_id": error.device_id, "detail": plain_text(str(error))})
            else:
                incidents.append(_describe(incident, created=created))
    if rejected and not incidents:
        details = sorted({item["detail"] for item in rejected})
        raise InvalidRequestError("no alert could be taken: " + "; ".join(details[:5]))
    return {
        "incidents": incidents,
        "rejected": rejected,
        "ignored": len(body.alerts) - len(firing),
    }
