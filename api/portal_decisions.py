# SPDX-License-Identifier: Apache-2.0
"""The forms in which people decide: approve, reject, override. The rules are governance's."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.errors import InvalidRequestError
from api.pages import pages_of
from api.portal_forms import read_case_text, read_hours, read_moment
from api.portal_queries import require_proposal
from api.sessions import (
    Form,
    correlation_of,
    field,
    require_form,
    require_person,
    services_of,
)
from governance.approval_terms import Replacement
from governance.conditions import Conditions
from governance.decision_checks import ApprovalRequest
from retrieval.catalogue import find_script
from retrieval.manifest import Manifest

router = APIRouter()


@router.post("/proposals/{proposal_id}/approve")
async def approve(request: Request, proposal_id: str) -> Response:
    """Approve exactly the bundle that the form names."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    decision = await _read_decision(request, person, form, proposal_id)
    async with services.ground.pool.connection() as connection:
        await services.approvals.approve(connection, decision)
    return RedirectResponse(f"/proposals/{proposal_id}", status_code=303)


@router.post("/proposals/{proposal_id}/reject")
async def reject(request: Request, proposal_id: str) -> Response:
    """Reject a proposal, with the reason."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    decision = await _read_decision(request, person, form, proposal_id)
    async with services.ground.pool.connection() as connection:
        await services.approvals.reject(connection, decision)
    return RedirectResponse(f"/proposals/{proposal_id}", status_code=303)


@router.get("/proposals/{proposal_id}/override")
async def show_override(request: Request, proposal_id: str, script_id: str) -> Response:
    """Show the form for another script's parameters."""
    person = await require_person(request)
    person.require(Role.APPROVER)
    async with services_of(request).ground.pool.connection() as connection:
        proposal = await require_proposal(connection, proposal_id)
        script = await find_script(connection, script_id)
    return pages_of(request).render(
        request, "override.html", proposal=proposal, manifest=script.manifest
    )


@router.post("/proposals/{proposal_id}/override")
async def override(request: Request, proposal_id: str) -> Response:
    """Put another script in a proposal's place; the new one waits for another person."""
    person, form = await require_form(request)
    person.require(Role.APPROVER)
    services = services_of(request)
    asked = await _read_decision(request, person, form, proposal_id)
    async with services.ground.pool.connection() as connection:
        script = await find_script(connection, field(form, "script_id"))
        decision = await services.approvals.override(
            connection,
            asked,
            Replacement(
                script_id=script.manifest.id,
                parameters=_read_parameters(script.manifest, form),
            ),
        )
    target = decision.replacement_proposal_id or proposal_id
    return RedirectResponse(f"/proposals/{target}", status_code=303)


async def _read_decision(
    request: Request, person: Person, form: Form, proposal_id: str
) -> ApprovalRequest:
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        proposal = await require_proposal(connection, proposal_id)
    return ApprovalRequest(
        proposal_id=proposal_id,
        bundle_digest=field(form, "bundle_digest"),
        approver=person.actor,
        roles=person.roles,
        session_authenticated_at=person.authenticated_at,
        correlation_id=correlation_of(request),
        reason=await read_case_text(
            request, form, "reason", incident_id=proposal.incident_id, actor=person.actor
        ),
        conditions=_read_conditions(form, ground.clock.now()),
    )


def _read_conditions(form: Form, now: datetime) -> Conditions:
    """Return the conditions; the hours count from the start, which is now by default."""
    not_before = read_moment(field(form, "not_before"), "not before")
    lifetime = read_hours(field(form, "valid_hours"), "the validity")
    start = max(not_before or now, now)
    try:
        not_after = None if lifetime is None else start + lifetime
    except OverflowError as error:
        raise InvalidRequestError("the validity ends beyond all calendars") from error
    return Conditions(not_before=not_before, not_after=not_after)


def _read_parameters(manifest: Manifest, form: Form) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for parameter in manifest.parameters:
        text = field(form, f"parameter:{parameter.name}")
        if not text:
            continue
        try:
            given[parameter.name] = _read_value(parameter.type, text)
        except ValueError as error:
            raise InvalidRequestError(
                f"{parameter.name} must be of the type {parameter.type}"
            ) from error
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
