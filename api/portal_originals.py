# SPDX-License-Identifier: Apache-2.0
"""The page on which a security reviewer is shown whom and what an incident's pseudonyms stand for.

Originals stand in the one answer to who asked, which nobody caches, and nowhere else.
"""

from fastapi import APIRouter, Request, Response

from api.accounts import Role
from api.pages import pages_of
from api.portal_queries import require_incident
from api.sessions import correlation_of, field, require_form, require_person, services_of
from guardrails.reidentification import (
    MAX_PER_HOUR,
    MAX_REASON_CHARACTERS,
    MIN_REASON_CHARACTERS,
    RevealRequest,
)

router = APIRouter()
REVEALERS = (Role.SECURITY_REVIEWER,)


@router.get("/incidents/{incident_id}/originals")
async def show_pseudonyms(request: Request, incident_id: str) -> Response:
    """Show what could be revealed, who was shown what, and the form to ask."""
    person = await require_person(request)
    person.require(*REVEALERS)
    return await _render(request, incident_id, {})


@router.post("/incidents/{incident_id}/originals")
async def reveal(request: Request, incident_id: str) -> Response:
    """Show the originals of the chosen pseudonyms, once they are on record."""
    person, form = await require_form(request)
    person.require(*REVEALERS)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await require_incident(request, connection, incident_id)
        originals = await ground.reidentification.reveal(
            connection,
            RevealRequest(
                incident_id=incident_id,
                pseudonyms=tuple(form.get("pseudonym", ())),
                actor=person.actor,
                reason=field(form, "reason"),
                correlation_id=correlation_of(request),
            ),
        )
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
