# SPDX-License-Identifier: Apache-2.0
"""The page on which a security reviewer is shown whom and what an incident's pseudonyms stand for.

Originals stand in the one answer to who asked, which nobody caches, and nowhere else.
"""

from fastapi import APIRouter, Request, Response

from api.originals import reveal_originals
from api.pages import pages_of
from api.portal_queries import require_incident
from api.sessions import correlation_of, field, require_form, require_person, services_of
from governance.roles import REVIEWING_ROLES, require_role
from guardrails.reidentification import (
    MAX_PER_HOUR,
    MAX_REASON_CHARACTERS,
    MIN_REASON_CHARACTERS,
    RevealRequest,
)

router = APIRouter()


@router.get("/incidents/{incident_id}/originals")
async def show_pseudonyms(request: Request, incident_id: str) -> Response:
    """Show what could be revealed, who was shown what, and the form to ask."""
    person = await require_person(request)
    require_role(person.roles, REVIEWING_ROLES)
    return await _render(request, incident_id, {})


@router.post("/incidents/{incident_id}/originals")
async def reveal(request: Request, incident_id: str) -> Response:
    """Show the originals of the chosen pseudonyms, once they are on record."""
    person, form = await require_form(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await require_incident(request, connection, incident_id)
    asked = RevealRequest(
        incident_id=incident_id,
        pseudonyms=tuple(form.get("pseudonym", ())),
        actor=person.actor,
        reason=field(form, "reason"),
        correlation_id=correlation_of(request),
    )
    originals = await reveal_originals(ground, asked, person.roles)
    return await _render(request, incident_id, originals)


async def _render(request: Request, incident_id: str, originals: dict[str, str]) -> Response:
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        incident = await require_incident(request, connection, incident_id)
        holding = await ground.reidentification.describe(connection, incident_id)
    return pages_of(request).render(
        request,
        "originals.html",
        incident=incident,
        holding=holding,
        originals=originals,
        most=MAX_PER_HOUR,
        least_characters=MIN_REASON_CHARACTERS,
        most_characters=MAX_REASON_CHARACTERS,
    )
