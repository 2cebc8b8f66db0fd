# SPDX-License-Identifier: Apache-2.0
"""The audit trail."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.accounts import Role
from api.pages import pages_of
from api.sessions import require_person, services_of
from evidence.audit import list_events

router = APIRouter()
PAGE_EVENTS = 200
Position = Annotated[int | None, Query(ge=1, le=2**63 - 1)]


@router.get("/audit")
async def show_audit(
    request: Request, correlation_id: str = "", everything: bool = False, before: Position = None
) -> Response:
    """Show the audit trail, newest first, of one correlation id or of all.

    Stored reports, most of all events, are left out unless `everything` or their correlation id
    is asked for.
    """
    person = await require_person(request)
    person.require(Role.AUDITOR, Role.APPROVER, Role.HELPDESK)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        events = await list_events(
            connection,
            correlation_id=correlation_id or None,
            without_kind=None if correlation_id or everything else "telemetry",
            before_position=before,
            limit=PAGE_EVENTS,
        )
        checkpoint = await ground.log.latest_checkpoint(connection)
    return pages_of(request).render(
        request,
        "audit.html",
        events=events,
        everything=everything,
        older=events[-1].position if len(events) == PAGE_EVENTS else None,
        correlation_id=correlation_id,
        checkpoint=checkpoint.signed_note if checkpoint else "",
        tree_size=checkpoint.tree_size if checkpoint else 0,
    )
