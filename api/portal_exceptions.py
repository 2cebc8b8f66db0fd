# SPDX-License-Identifier: Apache-2.0
"""The form in which a security reviewer grants a risk exception. The rules are governance's."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Role
from api.errors import InvalidRequestError
from api.portal_forms import read_case_text, read_hours
from api.portal_queries import require_proposal
from api.sessions import correlation_of, field, require_form, services_of
from governance.risk_exceptions import ExceptionRequest

router = APIRouter()


@router.post("/proposals/{proposal_id}/exception")
async def grant_exception(request: Request, proposal_id: str) -> Response:
    """Grant an exception for a proposal whose risk is above the limit."""
    person, form = await require_form(request)
    services = services_of(request)
    ground = services.ground
    lifetime = read_hours(field(form, "valid_hours"), "the validity of the exception")
    if lifetime is None:
        raise InvalidRequestError("say for how many hours the exception is valid")
    async with ground.pool.connection() as connection:
        proposal = await require_proposal(connection, proposal_id)
    whose = {"incident_id": proposal.incident_id, "actor": person.actor}
    asked = ExceptionRequest(
        proposal_id=proposal_id,
        granted_by=person.actor,
        roles=person.roles & {Role.SECURITY_REVIEWER.value},
        compensating_controls=await read_case_text(request, form, "compensating_controls", **whose),
        reason=await read_case_text(request, form, "reason", **whose),
        expires_at=ground.clock.now() + lifetime,
        correlation_id=correlation_of(request),
    )
    async with ground.pool.connection() as connection:
        await services.exceptions.grant(connection, asked)
    return RedirectResponse(f"/proposals/{proposal_id}", status_code=303)
