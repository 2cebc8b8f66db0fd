# SPDX-License-Identifier: Apache-2.0
"""The portal's pages and forms, server-rendered. Decisions themselves are governance's."""

import asyncio
import secrets
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.errors import CsrfError, InvalidRequestError, NotFoundError
from api.pages import Pages
from api.plots import draw_metric
from api.sessions import (
    COOKIE,
    correlation_of,
    field,
    read_form,
    require_form,
    require_person,
    services_of,
)
from evidence.audit import list_events
from governance.approval_terms import Replacement
from governance.conditions import Conditions
from governance.decision_checks import ApprovalRequest
from governance.proposals import Proposal, ProposalStatus, find_proposal
from kernel.database import Connection
from kernel.queries import load_queries
from reasoning.intake import Ticket
from retrieval.catalogue import find_script, list_scripts, load_files
from retrieval.corpus import QUERIES as CORPUS_QUERIES
from retrieval.manifest import Manifest
from telemetry.devices import find_device
from telemetry.incidents import Incident
from telemetry.reports import latest_report, list_window

QUERIES = load_queries(__file__, "portal")
LOGIN_COOKIE = "eucora_login"
PLOT_WINDOW = timedelta(hours=6)
PLOTTED = ("cpu_percent", "memory_percent", "disk_used_percent_max", "process_cpu_percent_max")
router = APIRouter()


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


@router.get("/")
async def show_start() -> Response:
    """Send people to the queue."""
    return RedirectResponse("/queue", status_code=303)


@router.get("/login")
async def show_login(request: Request) -> Response:
    """Show the login form, bound to this browser by a cookie."""
    return _login_page(request, error=None, status_code=200)


def _login_page(request: Request, *, error: str | None, status_code: int) -> Response:
    token = secrets.token_urlsafe(24)
    page = _pages(request).render(
        request, "login.html", status_code=status_code, error=error, form_token=token
    )
    page.set_cookie(LOGIN_COOKIE, token, httponly=True, samesite="strict", max_age=3600)
    return page


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Open a session."""
    form = await read_form(request)
    expected = request.cookies.get(LOGIN_COOKIE, "")
    given = field(form, "form_token")
    if not expected or not secrets.compare_digest(expected.encode(), given.encode()):
        raise CsrfError
    ground = services_of(request).ground
    address = request.client.host if request.client else "unknown"
    async with ground.pool.connection() as connection:
        token = await ground.accounts.log_in(
            connection,
            username=field(form, "username")[:64],
            password=form.get("password", [""])[0][:512],
            address=address,
            correlation_id=correlation_of(request),
        )
    if token is None:
        return _login_page(request, error="User name or password is wrong.", status_code=401)
    answer = RedirectResponse("/queue", status_code=303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    answer.delete_cookie(LOGIN_COOKIE)
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session."""
    person, _ = await require_form(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await ground.accounts.log_out(
            connection,
            token=request.cookies[COOKIE],
            person=person,
            correlation_id=correlation_of(request),
        )
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


async def _fetch(connection: Connection, query: str, **values: Any) -> list[dict[str, Any]]:
    return await (await connection.execute(QUERIES[query], values)).fetchall()


@router.get("/queue")
async def show_queue(request: Request) -> Response:
    """Show the proposals, those that wait first."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await _fetch(connection, "list_queue")
        counts = await _fetch(connection, "count_by_status")
    return _pages(request).render(request, "queue.html", rows=rows, counts=counts)


@router.get("/incidents")
async def show_incidents(request: Request, status: str | None = None) -> Response:
    """Show the newest incidents, of one status or all."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await _fetch(connection, "list_incidents", status=status)
    return _pages(request).render(request, "incidents.html", rows=rows, status=status)


async def _incident(request: Request, connection: Connection, incident_id: str) -> Incident:
    incident = await services_of(request).ground.incidents.find(connection, incident_id)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}")
    return incident


@router.get("/incidents/{incident_id}")
async def show_incident(request: Request, incident_id: str) -> Response:
    """Show an incident with its time line, plots, proposals and inferences."""
    await require_person(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        incident = await _incident(request, connection, incident_id)
        timeline = await ground.incidents.timeline(connection, incident_id)
        proposals = await _fetch(connection, "list_incident_proposals", incident_id=incident_id)
        inferences = await _fetch(
            connection, "list_inferences", subject_kind="incident", subject_id=incident_id
        )
        report = await latest_report(connection, incident.device_id) if incident.device_id else None
    drivers = [item["name"] for item in incident.detection.get("metrics", [])][:2]
    available = [name for name in PLOTTED[:2] if report and name in report.metrics]
    plots = list(dict.fromkeys((*drivers, *available)))
    return _pages(request).render(
        request,
        "incident.html",
        incident=incident,
        timeline=timeline,
        proposals=proposals,
        inferences=inferences,
        plots=plots,
        plot_until="",
    )


@router.get("/incidents/{incident_id}/timeline")
async def show_timeline(request: Request, incident_id: str) -> Response:
    """Return the time line alone, for live refresh."""
    await require_person(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        incident = await _incident(request, connection, incident_id)
        timeline = await ground.incidents.timeline(connection, incident_id)
    return _pages(request).render(request, "timeline.html", incident=incident, timeline=timeline)


async def _proposal(connection: Connection, proposal_id: str) -> Proposal:
    proposal = await find_proposal(connection, proposal_id)
    if proposal is None:
        raise NotFoundError(f"no proposal {proposal_id}")
    return proposal


async def _progress(connection: Connection, proposal: Proposal) -> dict[str, Any]:
    key = {"proposal_id": proposal.proposal_id}
    ended = proposal.status not in {
        ProposalStatus.PENDING,
        ProposalStatus.APPROVED,
        ProposalStatus.DISPATCHED,
    }
    return {
        "approvals": await _fetch(connection, "list_approvals", **key),
        "jobs": await _fetch(connection, "list_jobs", **key),
        "final": ended,
    }


@router.get("/proposals/{proposal_id}/progress")
async def show_progress(request: Request, proposal_id: str) -> Response:
    """Return decisions and execution alone, for live refresh."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await _proposal(connection, proposal_id)
        incident = await _incident(request, connection, proposal.incident_id)
        progress = await _progress(connection, proposal)
    return _pages(request).render(
        request, "progress.html", proposal=proposal, incident=incident, **progress
    )


@router.get("/proposals/{proposal_id}")
async def show_proposal(request: Request, proposal_id: str) -> Response:
    """Show a proposal with all that a decision rests on."""
    person = await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await _proposal(connection, proposal_id)
        incident = await _incident(request, connection, proposal.incident_id)
        script = await _describe_script(connection, proposal)
        values = {
            **await _progress(connection, proposal),
            **script,
            "statements": await _fetch(connection, "list_statements", proposal_id=proposal_id),
            "scripts": await _list_alternatives(connection, incident),
        }
    can_decide, why = _may_decide(person, proposal)
    return _pages(request).render(
        request,
        "proposal.html",
        proposal=proposal,
        incident=incident,
        flags=[f"the text contains {flag}" for flag in incident.detection.get("flags", [])],
        can_decide=can_decide,
        cannot_decide=why,
        can_override=can_decide,
        **values,
    )


def _may_decide(person: Person, proposal: Proposal) -> tuple[bool, str]:
    if proposal.status is not ProposalStatus.PENDING:
        return False, "It has been decided."
    if Role.APPROVER.value not in person.roles:
        return False, "A person with the role approver decides."
    if proposal.requested_by == person.actor:
        return False, "You requested this change, so another person decides."
    return True, ""


async def _describe_script(connection: Connection, proposal: Proposal) -> dict[str, Any]:
    if proposal.script_id is None or proposal.script_version is None:
        return {"steps": {}, "manifest": None, "script_title": "", "effects": []}
    script = await find_script(connection, proposal.script_id, proposal.script_version)
    files = await load_files(connection, proposal.script_id, proposal.script_version)
    effects = script.analysis.get("effects", []) if isinstance(script.analysis, dict) else []
    return {
        "steps": {name: content.decode("utf-8", "replace") for name, content in files.items()},
        "manifest": script.manifest,
        "script_title": script.manifest.title,
        "effects": [item for item in effects if isinstance(item, dict)],
    }


async def _list_alternatives(connection: Connection, incident: Incident) -> list[Any]:
    if incident.device_id is None:
        return []
    device = await find_device(connection, incident.device_id)
    return await list_scripts(connection, device.os_family) if device else []


def _read_decision(
    request: Request, person: Person, form: dict[str, list[str]], proposal_id: str
) -> ApprovalRequest:
    masker = services_of(request).ground.masker
    return ApprovalRequest(
        proposal_id=proposal_id,
        bundle_digest=field(form, "bundle_digest"),
        approver=person.actor,
        roles=person.roles,
        session_authenticated_at=person.authenticated_at,
        correlation_id=correlation_of(request),
        reason=masker.mask(field(form, "reason")).text,
        conditions=_read_conditions(form),
    )


def _read_conditions(form: dict[str, list[str]]) -> Conditions:
    not_before, hours = field(form, "not_before"), field(form, "valid_hours")
    try:
        start = datetime.fromisoformat(not_before).replace(tzinfo=UTC) if not_before else None
        end = datetime.now(UTC) + timedelta(hours=float(hours)) if hours else None
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError("a condition is malformed") from error
    return Conditions(not_before=start, not_after=end)


@router.post("/proposals/{proposal_id}/approve")
async def approve(request: Request, proposal_id: str) -> Response:
    """Approve exactly the bundle that the form names."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        await services.approvals.approve(
            connection, _read_decision(request, person, form, proposal_id)
        )
    return RedirectResponse(f"/proposals/{proposal_id}", status_code=303)


@router.post("/proposals/{proposal_id}/reject")
async def reject(request: Request, proposal_id: str) -> Response:
    """Reject a proposal, with the reason."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        await services.approvals.reject(
            connection, _read_decision(request, person, form, proposal_id)
        )
    return RedirectResponse(f"/proposals/{proposal_id}", status_code=303)


@router.get("/proposals/{proposal_id}/override")
async def show_override(request: Request, proposal_id: str, script_id: str) -> Response:
    """Show the form for another script's parameters."""
    person = await require_person(request)
    person.require(Role.APPROVER)
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await _proposal(connection, proposal_id)
        script = await find_script(connection, script_id)
    return _pages(request).render(
        request, "override.html", proposal=proposal, manifest=script.manifest
    )


@router.post("/proposals/{proposal_id}/override")
async def override(request: Request, proposal_id: str) -> Response:
    """Put another script in a proposal's place; the new one waits for another person."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        script = await find_script(connection, field(form, "script_id"))
        decision = await services.approvals.override(
            connection,
            _read_decision(request, person, form, proposal_id),
            Replacement(
                script_id=script.manifest.id,
                parameters=_read_parameters(script.manifest, form),
            ),
        )
    target = decision.replacement_proposal_id or proposal_id
    return RedirectResponse(f"/proposals/{target}", status_code=303)


def _read_parameters(manifest: Manifest, form: dict[str, list[str]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for parameter in manifest.parameters:
        text = field(form, f"parameter:{parameter.name}")
        if not text:
            continue
        try:
            given[parameter.name] = _read_value(parameter.type, text)
        except ValueError as error:
            raise InvalidRequestError(f"{parameter.name} must be a {parameter.type}") from error
    return given


def _read_value(kind: str, text: str) -> str | int | float | bool:
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text)
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise ValueError(text)
        return text.lower() == "true"
    return text


@router.get("/proposals/{proposal_id}/case.json")
async def download_case(request: Request, proposal_id: str) -> Response:
    """Return the signed case file."""
    from api.public_app import export_proposal  # noqa: PLC0415 - that module includes this router

    await require_person(request)
    content = await export_proposal(services_of(request), proposal_id)
    disposition = f'attachment; filename="{proposal_id}.json"'
    return Response(
        content,
        media_type="application/json",
        headers={"Content-Disposition": disposition},
    )


@router.get("/tickets/new")
async def show_ticket_form(request: Request) -> Response:
    """Show the form for a ticket."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        rows = await _fetch(connection, "list_device_rows")
    return _pages(request).render(request, "ticket.html", rows=rows)


@router.post("/tickets")
async def open_ticket(request: Request) -> Response:
    """Open an incident from the form."""
    person, form = await require_form(request)
    person.require(Role.HELPDESK, Role.APPROVER)
    title, description = field(form, "title")[:200], field(form, "description")[:20_000]
    if not title or not description:
        raise InvalidRequestError("a ticket needs a title and a description")
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        incident, _ = await services.intake.open(
            connection,
            Ticket(
                title=title,
                description=description,
                device_id=field(form, "device_id") or None,
                user_id=None,
                reported_by=person.actor,
            ),
            correlation_id=correlation_of(request),
        )
    return RedirectResponse(f"/incidents/{incident.incident_id}", status_code=303)


@router.get("/devices")
async def show_devices(request: Request) -> Response:
    """Show the devices."""
    await require_person(request)
    return await _devices_page(request, token=None)


async def _devices_page(request: Request, *, token: str | None) -> Response:
    async with services_of(request).ground.pool.connection() as connection:
        rows = await _fetch(connection, "list_device_rows")
        (count,) = await _fetch(connection, "count_devices")
    return _pages(request).render(
        request, "devices.html", rows=rows, n_devices=count["n_devices"], token=token
    )


@router.post("/devices/enrolment-token")
async def make_enrolment_token(request: Request) -> Response:
    """Make a one-time token and show it once."""
    person, _ = await require_form(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        token = await ground.accounts.create_enrolment_token(
            connection, actor=person.actor, correlation_id=correlation_of(request)
        )
    return await _devices_page(request, token=token)


@router.get("/devices/{device_id}")
async def show_device(request: Request, device_id: str) -> Response:
    """Show a device with its newest report."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        device = await find_device(connection, device_id)
        if device is None:
            raise NotFoundError(f"no device {device_id}")
        report = await latest_report(connection, device_id)
    available = report.metrics if report else {}
    return _pages(request).render(
        request,
        "device.html",
        device=device,
        report=report,
        plots=[name for name in PLOTTED if name in available],
    )


@router.get("/devices/{device_id}/plots/{name:path}.svg")
async def show_plot(request: Request, device_id: str, name: str) -> Response:
    """Draw a metric of a device over the last hours."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        newest = await latest_report(connection, device_id)
        if newest is None:
            raise NotFoundError("no telemetry")
        end = newest.observed_at + timedelta(seconds=1)
        reports = await list_window(connection, device_id, end - PLOT_WINDOW, end)
    points = [
        (report.observed_at, report.metrics[name]) for report in reports if name in report.metrics
    ]
    svg = await asyncio.to_thread(draw_metric, name, points)
    return Response(svg, media_type="image/svg+xml")


@router.get("/knowledge")
async def show_knowledge(request: Request, q: str = "") -> Response:
    """Search the knowledge, or list it."""
    await require_person(request)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        passages = (
            await services.retriever.search(connection, q[:2000].replace("\x00", ""), limit=10)
            if q.strip()
            else []
        )
        cursor = await connection.execute(CORPUS_QUERIES["list_current_documents"])
        documents = await cursor.fetchall()
    return _pages(request).render(
        request, "knowledge.html", q=q, passages=passages, documents=documents
    )


@router.get("/knowledge/{document_id}")
async def show_document(request: Request, document_id: str, version: int = 1) -> Response:
    """Show one version of a document, old ones too."""
    await require_person(request)
    async with services_of(request).ground.pool.connection() as connection:
        cursor = await connection.execute(
            CORPUS_QUERIES["find_document"], {"document_id": document_id, "version": version}
        )
        document = await cursor.fetchone()
    if document is None:
        raise NotFoundError(f"no document {document_id} version {version}")
    return _pages(request).render(request, "document.html", document=document)


@router.get("/audit")
async def show_audit(request: Request, correlation_id: str = "") -> Response:
    """Show the audit trail, of one correlation id or the newest."""
    person = await require_person(request)
    person.require(Role.AUDITOR, Role.APPROVER, Role.HELPDESK)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        events = await list_events(connection, correlation_id=correlation_id or None, limit=200)
        checkpoint = await ground.log.latest_checkpoint(connection)
    return _pages(request).render(
        request,
        "audit.html",
        events=[event if isinstance(event, dict) else asdict(event) for event in events],
        correlation_id=correlation_id,
        checkpoint=checkpoint.signed_note if checkpoint else "",
        tree_size=checkpoint.tree_size if checkpoint else 0,
    )


@router.get("/people")
async def show_people(request: Request) -> Response:
    """Show the accounts."""
    person = await require_person(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        accounts = await ground.accounts.list(connection)
    return _pages(request).render(
        request, "people.html", accounts=accounts, roles=[role.value for role in Role]
    )


@router.post("/people")
async def add_person(request: Request) -> Response:
    """Add an account."""
    person, form = await require_form(request)
    person.require(Role.ADMIN)
    try:
        roles = frozenset(Role(name) for name in form.get("role", []))
    except ValueError as error:
        raise InvalidRequestError("there is no such role") from error
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await ground.accounts.create(
            connection,
            username=field(form, "username"),
            password=form.get("password", [""])[0],
            roles=roles,
            display_name=field(form, "display_name")[:100],
            actor=person.actor,
            correlation_id=correlation_of(request),
        )
    return RedirectResponse("/people", status_code=303)
