# SPDX-License-Identifier: Apache-2.0
"""The accounts, services with tokens, and one's own account."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Role
from api.errors import InvalidRequestError
from api.pages import pages_of
from api.sessions import correlation_of, field, require_form, require_person, services_of

router = APIRouter()


@router.get("/people")
async def show_people(request: Request) -> Response:
    """Show the accounts."""
    person = await require_person(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        accounts = await ground.accounts.list(connection)
        tokens = await ground.tokens.list_services(connection)
    return pages_of(request).render(
        request,
        "people.html",
        accounts=accounts,
        tokens=tokens,
        roles=[role.value for role in Role],
    )


@router.post("/people")
async def add_person(request: Request) -> Response:
    """Add an account."""
    person, form = await require_form(request)
    person.require(Role.ADMIN)
    roles = _read_roles(form)
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


@router.post("/people/{username}/roles")
async def change_roles(request: Request, username: str) -> Response:
    """Give another person other roles."""
    person, form = await require_form(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await ground.account_changes.change_roles(
            connection,
            username=username,
            roles=_read_roles(form),
            actor=person.actor,
            correlation_id=correlation_of(request),
        )
    return RedirectResponse("/people", status_code=303)


@router.post("/people/{username}/disable")
async def disable_person(request: Request, username: str) -> Response:
    """Let another person log in no more."""
    return await _switch(request, username, services_of(request).ground.account_changes.disable)


@router.post("/people/{username}/enable")
async def enable_person(request: Request, username: str) -> Response:
    """Let a disabled account log in again."""
    return await _switch(request, username, services_of(request).ground.account_changes.enable)


@router.post("/services/{name}/revoke")
async def revoke_token(request: Request, name: str) -> Response:
    """Take a service's token out of use."""
    person, _ = await require_form(request)
    person.require(Role.ADMIN)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await ground.tokens.revoke_service_token(
            connection, name=name, actor=person.actor, correlation_id=correlation_of(request)
        )
    return RedirectResponse("/people", status_code=303)


async def _switch(
    request: Request, username: str, switch: Callable[..., Awaitable[None]]
) -> Response:
    person, _ = await require_form(request)
    person.require(Role.ADMIN)
    async with services_of(request).ground.pool.connection() as connection:
        await switch(
            connection,
            username=username,
            actor=person.actor,
            correlation_id=correlation_of(request),
        )
    return RedirectResponse("/people", status_code=303)


def _read_roles(form: Mapping[str, Sequence[str]]) -> frozenset[Role]:
    try:
        return frozenset(Role(name) for name in form.get("role", []))
    except ValueError as error:
        raise InvalidRequestError("there is no such role") from error


@router.get("/account")
async def show_account(request: Request) -> Response:
    """Show the form for one's own password."""
    await require_person(request)
    return pages_of(request).render(request, "account.html", error=None)


@router.post("/account")
async def change_password(request: Request) -> Response:
    """Replace one's own password, which ends all one's sessions.

    The present one is asked for again, under the login's throttle.
    """
    person, form = await require_form(request)
    accounts = services_of(request).ground.accounts
    async with services_of(request).ground.pool.connection() as connection:
        token = await accounts.log_in(
            connection,
            username=person.username,
            password=form.get("password", [""])[0],
            address=request.client.host if request.client else "unknown",
            correlation_id=correlation_of(request),
        )
        if token is not None:
            await accounts.set_password(
                connection,
                username=person.username,
                password=form.get("new_password", [""])[0],
                actor=person.actor,
                correlation_id=correlation_of(request),
            )
    if token is None:
        return pages_of(request).render(
            request, "account.html", status_code=401, error="The present password is wrong."
        )
    return RedirectResponse("/login", status_code=303)
