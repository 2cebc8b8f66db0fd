# SPDX-License-Identifier: Apache-2.0
"""Who a request comes from: a person's session cookie or a service's bearer token."""

import hmac
from typing import Any
from urllib.parse import parse_qs

from fastapi import Request

from api.accounts import Person
from api.bootstrap import Services
from api.errors import CsrfError, InvalidRequestError, NotAuthenticatedError
from api.http import read_body
from api.scopes import Scope

COOKIE = "eucora_session"
MAX_FIELD_CHARACTERS = 50_000
Form = dict[str, list[str]]


def services_of(request: Request) -> Services:
    """Return the product behind this application."""
    services: Services = request.app.state.services
    return services


async def require_person(request: Request) -> Person:
    """Return the logged-in person; also kept in the request's state for the page.

    Raises:
        NotAuthenticatedError: there is no live session.
    """
    token = request.cookies.get(COOKIE, "")
    if not token:
        raise NotAuthenticatedError
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        person = await ground.accounts.find_person(connection, token)
    request.state.person = person
    return person


async def read_form(request: Request) -> Form:
    """Return a form's fields.

    Raises:
        InvalidRequestError: it is not URL-encoded UTF-8, or a field is too long.
    """
    if "urlencoded" not in request.headers.get("content-type", ""):
        raise InvalidRequestError("send the form as application/x-www-form-urlencoded")
    body = await read_body(request.headers, request.receive)
    try:
        form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100)
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidRequestError("the form cannot be read") from error
    values = [value for field in form.values() for value in field]
    if any(len(value) > MAX_FIELD_CHARACTERS or "\x00" in value for value in values):
        raise InvalidRequestError("a field is too long or holds a zero byte")
    return form


async def require_form(request: Request) -> tuple[Person, Form]:
    """Return the logged-in person and a form that carries their session's token.

    Raises:
        NotAuthenticatedError: there is no live session.
        CsrfError: the token is missing or wrong.
    """
    person = await require_person(request)
    form = await read_form(request)
    if not hmac.compare_digest(field(form, "csrf_token").encode(), person.csrf_token.encode()):
        raise CsrfError
    return person, form


def field(form: Form, name: str) -> str:
    """Return a form's field, stripped; empty where it is missing."""
    return form.get(name, [""])[0].strip()


async def require_service(request: Request, scope: Scope) -> str:
    """Return the name of the service whose bearer token carries the scope.

    Raises:
        NotAuthenticatedError, ForbiddenError: it carries none, or not this scope.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise NotAuthenticatedError("send Authorization: Bearer TOKEN")
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        return await ground.tokens.find_service(connection, token.strip(), scope)


def correlation_of(request: Request) -> str:
    """Return the request's correlation id."""
    value: Any = request.state.correlation_id
    return str(value)
