# SPDX-License-Identifier: Apache-2.0
"""Freeze windows: see, announce and lift them. The rules are governance's."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Role
from api.errors import InvalidRequestError
from api.pages import pages_of
from api.portal_forms import read_moment, read_text
from api.sessions import correlation_of, field, require_form, require_person, services_of
from governance.freeze_windows import frozen_until, list_freezes

router = APIRouter()


@router.get("/freezes")
async def show_freezes(request: Request) -> Response:
    """Show running and coming freeze windows."""
    person = await require_person(request)
    ground = services_of(request).ground
    now = ground.clock.now()
    async with ground.pool.connection() as connection:
        windows = await list_freezes(connection, now=now)
    return pages_of(request).render(
        request,
        "freezes.html",
        windows=windows,
        now=now,
        frozen_until=frozen_until(windows, now),
        may_change=bool(person.roles & {Role.APPROVER.value, Role.ADMIN.value}),
    )


@router.post("/freezes")
async def announce_freeze(request: Request) -> Response:
    """Announce a freeze window; without a start it begins now."""
    person, form = await require_form(request)
    person.require(Role.APPROVER, Role.ADMIN)
    services = services_of(request)
    ground = services.ground
    starts_at = read_moment(field(form, "starts_at"), "the start") or ground.clock.now()
    ends_at = read_moment(field(form, "ends_at"), "the end")
    if ends_at is None:
        raise InvalidRequestError("a freeze window needs an end")
    reason = await read_text(form, "reason", ground.masker)
    async with ground.pool.connection() as connection:
        await services.freezes.announce(
            connection,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason,
            created_by=person.actor,
            correlation_id=correlation_of(request),
        )
    return RedirectResponse("/freezes", status_code=303)


@router.post("/freezes/{freeze_id}/lift")
async def lift_freeze(request: Request, freeze_id: str) -> Response:
    """End a freeze window now, or call off one that has not begun."""
    person, _ = await require_form(request)
    person.require(Role.APPROVER, Role.ADMIN)
    services = services_of(request)
    async with services.ground.pool.connection() as connection:
        await services.freezes.lift(
            connection, freeze_id, actor=person.actor, correlation_id=correlation_of(request)
        )
    return RedirectResponse("/freezes", status_code=303)
