# SPDX-License-Identifier: Apache-2.0
"""The audit trail."""

from dataclasses import asdict

from fastapi import APIRouter, Request, Response

from api.accounts import Role
from api.pages import pages_of
from api.sessions import require_person, services_of
from evidence.audit import list_events

router = APIRouter()


@router.get("/audit")
async def show_audit(request: Request, correlation_id: str = "") -> Response:
    """Show the audit trail, of one correlation id or the newest."""
    person = await require_person(request)
    person.require(Role.AUDITOR, Role.APPROVER, Role.HELPDESK)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        events = await list_events(connection, correlation_id=correlation_id or None, limit=200)
        checkpoint = await ground.log.latest_checkpoint(connection)
    return pages_of(request).render(
        request,
        "audit.html",
        events=[event if isinstance(event, dict) else asdict(event) for event in events],
        correlation_id=correlation_id,
        checkpoint=checkpoint.signed_note if checkpoint else "",
        tree_size=checkpoint.tree_size if checkpoint else 0,
    )
