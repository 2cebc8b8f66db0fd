# SPDX-License-Identifier: Apache-2.0
"""The queue, the incidents with their time lines, and the ticket form."""

import asyncio
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.class_labels import label_incident
from api.class_view import view_class
from api.errors import InvalidRequestError, NotFoundError
from api.fleet_view import count_over_time, view_fleet
from api.pages import pages_of
from api.plots import draw_metric
from api.portal_forms import read_case_text
from api.portal_queries import MAX_PLOTS, PLOTTED, require_incident
from api.portal_rows import fetch
from api.sessions import Form, correlation_of, field, require_form, require_person, services_of
from contracts.failure import FailureClass
from governance.proposals import ProposalStatus
from governance.roles import REVIEWING_ROLES
from models.diagnosis import NAMED_CLASSES
from reasoning.intake import MAX_DESCRIPTION_CHARACTERS, MAX_TITLE_CHARACTERS, Ticket
from telemetry.devices import find_device
from telemetry.incident_classes import ClassStatement
from telemetry.incidents import Incident, IncidentStatus
from telemetry.reports import latest_report

router = APIRouter()


@router.get("/")
async def show_start() -> Response:
    """Send people to the queue."""
    return RedirectResponse("/queue", status_code=303)


@router.get("/queue")
async def show_queue(request: Request) -> Response:
    """Show the proposals, those that wait first."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await fetch(connection, "list_queue")
        counts = await fetch(connection, "count_by_status")
        waiting = [row["incident_id"] for row in rows if row["status"] == ProposalStatus.PENDING]
        found = await fetch(connection, "list_part_proposals", whole_ids=waiting)
    parts: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        parts.setdefault(row["whole_id"], []).append(row)
    return pages_of(request).render(request, "queue.html", rows=rows, counts=counts, parts=parts)


@router.get("/incidents")
async def show_incidents(
    request: Request, status: str | None = None, parts: bool = False
) -> Response:
    """Show the newest incidents, of one status or all; parts of a fleet's only if asked for."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await fetch(connection, "list_incidents", status=status, with_parts=parts)
        (counted,) = await fetch(connection, "count_parts", status=status)
    return pages_of(request).render(
        request,
        "incidents.html",
        rows=rows,
        status=status,
        with_parts=parts,
        n_parts=counted["n_parts"],
        query=urlencode({"status": status} if status else {}),
    )


@router.get("/incidents/{incident_id}")
async def show_incident(request: Request, incident_id: str) -> Response:
    """Show an incident with its time line, plots, proposals and inferences."""
    person = await require_person(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        incident = await require_incident(request, connection, incident_id)
        timeline = await ground.incidents.timeline(connection, incident_id)
        proposals = await fetch(connection, "list_incident_proposals", incident_id=incident_id)
        class_view = await view_class(connection, incident)
        device_id = incident.device_id
        device = await find_device(connection, device_id) if device_id else None
        report = await latest_report(connection, device_id) if device_id else None
        fleet = await view_fleet(connection, incident_id)
        whole = await fetch(connection, "find_waiting_whole", incident_id=incident_id)
    drivers = [item["name"] for item in incident.detection.get("metrics", [])][:2]
    available = [name for name in PLOTTED if report and name in report.metrics]
    plots = list(dict.fromkeys((*drivers, *available)))[:MAX_PLOTS]
    return pages_of(request).render(
        request,
        "incident.html",
        incident=incident,
        hostname=device.hostname if device else "",
        can_go_on=incident.status is IncidentStatus.ESCALATED and _may_handle(person),
        may_label=_may_handle(person),
        may_reveal=bool(person.roles & REVIEWING_ROLES),
        class_view=class_view,
        timeline=timeline,
        proposals=proposals,
        plots=plots,
        plot_until="",
        fleet=fleet,
        whole=whole[0] if whole else None,
        named_by=_find_name(incident) if not class_view.stated else "",
    )


def _find_name(incident: Incident) -> str:
    """Return the application whose name made a kind of application's class of its crashes."""
    metrics = incident.detection.get("metrics", [])
    crashes = any(item["name"] == "app_crashes" for item in metrics)
    return incident.entity if crashes and incident.failure_class in NAMED_CLASSES else ""


def _may_handle(person: Person) -> bool:
    """Tell whether the forms are worth showing; the routes ask again."""
    return bool(person.roles & {Role.HELPDESK, Role.APPROVER, Role.ADMIN})


@router.post("/incidents/{incident_id}/class")
async def label_class(request: Request, incident_id: str) -> Response:
    """Say what an incident is: the models' class, another one, or none of the known."""
    person, form = await require_form(request)
    person.require(Role.HELPDESK, Role.APPROVER)
    ground = services_of(request).ground
    stated = ClassStatement(
        incident_id=incident_id,
        failure_class=_read_class(form, "failure_class"),
        seen_class=_read_class(form, "seen_class"),
        actor=person.actor,
        reason=await read_case_text(
            request, form, "reason", incident_id=incident_id, actor=person.actor
        ),
    )
    async with ground.pool.connection() as connection:
        await label_incident(ground, connection, stated)
    return RedirectResponse(f"/incidents/{incident_id}#class", status_code=303)


def _read_class(form: Form, name: str) -> FailureClass:
    try:
        return FailureClass(field(form, name))
    except ValueError as error:
        raise InvalidRequestError(f"{name} is one of {', '.join(sorted(FailureClass))}") from error


@router.get("/incidents/{incident_id}/members.svg")
async def show_members_plot(request: Request, incident_id: str) -> Response:
    """Draw how many devices of a fleet incident were affected over time."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        points = await count_over_time(connection, incident_id)
    if not points:
        raise NotFoundError(f"no fleet incident {incident_id}")
    svg = await asyncio.to_thread(draw_metric, "affected devices", points)
    return Response(svg, media_type="image/svg+xml")


@router.get("/incidents/{incident_id}/timeline")
async def show_timeline(request: Request, incident_id: str) -> Response:
    """Return the time line alone, for live refresh."""
    await require_person(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        incident = await require_incident(request, connection, incident_id)
        timeline = await ground.incidents.timeline(connection, incident_id)
    return pages_of(request).render(request, "timeline.html", incident=incident, timeline=timeline)


@router.get("/incidents/{incident_id}/proposals")
async def show_proposals(request: Request, incident_id: str) -> Response:
    """Return the incident's proposals alone, for live refresh."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        incident = await require_incident(request, connection, incident_id)
        proposals = await fetch(connection, "list_incident_proposals", incident_id=incident_id)
    return pages_of(request).render(
        request, "incident_proposals.html", incident=incident, proposals=proposals
    )


@router.post("/incidents/{incident_id}/close")
async def close_incident(request: Request, incident_id: str) -> Response:
    """End an escalated incident, with the reason; nothing of it is pending or runs then."""
    person, form = await require_form(request)
    person.require(Role.HELPDESK, Role.APPROVER)
    ground = services_of(request).ground
    reason = await read_case_text(
        request, form, "reason", incident_id=incident_id, actor=person.actor
    )
    if not reason:
        raise InvalidRequestError("say why the incident is closed")
    async with ground.pool.connection() as connection:
        await ground.incidents.transition(
            connection,
            incident_id,
            IncidentStatus.CLOSED,
            actor=person.actor,
            reason=reason,
            only_from=IncidentStatus.ESCALATED,
        )
    return RedirectResponse(f"/incidents/{incident_id}", status_code=303)


@router.post("/incidents/{incident_id}/reopen")
async def reopen_incident(request: Request, incident_id: str) -> Response:
    """Have the reasoner propose anew, on today's telemetry, what a person was to go on with."""
    person, form = await require_form(request)
    person.require(Role.HELPDESK, Role.APPROVER)
    ground = services_of(request).ground
    reason = await read_case_text(
        request, form, "reason", incident_id=incident_id, actor=person.actor
    )
    async with ground.pool.connection() as connection:
        await ground.incidents.reopen(
            connection,
            incident_id,
            actor=person.actor,
            reason=reason or "a new proposal is asked for",
        )
    return RedirectResponse(f"/incidents/{incident_id}", status_code=303)


@router.get("/tickets/new")
async def show_ticket_form(request: Request) -> Response:
    """Show the form for a ticket."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await fetch(connection, "list_device_rows")
    return pages_of(request).render(request, "ticket.html", rows=rows)


@router.post("/tickets")
async def open_ticket(request: Request) -> Response:
    """Open an incident from the form."""
    person, form = await require_form(request)
    person.require(Role.HELPDESK, Role.APPROVER)
    title, description = field(form, "title"), field(form, "description")
    if not title or not description:
        raise InvalidRequestError("a ticket needs a title and a description")
    if len(title) > MAX_TITLE_CHARACTERS or len(description) > MAX_DESCRIPTION_CHARACTERS:
        raise InvalidRequestError(
            f"a title has at most {MAX_TITLE_CHARACTERS} characters,"
            f" a description {MAX_DESCRIPTION_CHARACTERS}"
        )
    services = services_of(request)
    understood = await services.intake.understand(
        Ticket(
            title=title,
            description=description,
            device_id=field(form, "device_id") or None,
            user_id=None,
            reported_by=person.actor,
        )
    )
    async with services.ground.pool.connection() as connection:
        incident, _ = await services.intake.store(
            connection, understood, correlation_id=correlation_of(request)
        )
    return RedirectResponse(f"/incidents/{incident.incident_id}", status_code=303)
