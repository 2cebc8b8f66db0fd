# SPDX-License-Identifier: Apache-2.0
"""The accounts, services with tokens, and one's own account."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Person, Role
from api.errors import InvalidRequestError
from api.pages import pages_of
from api.sessions import Form, correlation_of, field, require_form, require_person, services_of

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
    person, form = await _require_admins_form(request)
    create = partial(
        services_of(request).ground.accounts.create,
        username=field(form, "username"),
        password=form.get("password", [""])[0],
        roles=_read_roles(form),
        display_name=field(form, "display_name")[:100],
    )
    return await _make_change(request, person, create)


@router.post("/people/{username}/roles")
async def change_roles(request: Request, username: str) -> Response:
    """Give another person other roles."""
    person, form = await _require_admins_form(request)
    change = partial(
        services_of(request).ground.account_changes.change_roles,
        username=username,
        roles=_read_roles(form),
    )
    return await _make_change(request, person, change)


@router.post("/people/{username}/disable")
async def disable_person(request: Request, username: str) -> Response:
    """Let another person log in no more."""
    person, _ = await _require_admins_form(request)
    change = partial(services_of(request).ground.account_changes.disable, username=username)
    return await _make_change(request, person, change)


@router.post("/people/{username}/enable")
async def enable_person(request: Request, username: str) -> Response:
    """Let a disabled account log in again."""
    person, _ = await _require_admins_form(request)
    change = partial(services_of(request).ground.account_changes.enable, username=username)
    return await _make_change(request, person, change)


@router.post("/services/{name}/revoke")
async def revoke_token(request: Request, name: str) -> Response:
    """Take a service's token out of use."""
    person, _ = await _require_admins_form(request)
    change = partial(services_of(request).ground.tokens.revoke_service_token, name=name)
    return await _make_change(request, person, change)


async def _require_admins_form(request: Request) -> tuple[Person, Form]:
    person, form = await require_form(request)
    person.require(Role.ADMIN)
    return person, form


async def _make_change(
    request: Request, person: Person, change: Callable[..., Awaitable[None]]
) -> Response:
    async with services_of(request).ground.pool.connection() as connection:
        await change(connection, actor=person.actor, correlation_id=correlation_of(request))
    return RedirectResponse("/people", status_code=303)


def _read_roles(form: Form) -> frozenset[Role]:
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
