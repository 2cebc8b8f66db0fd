# SPDX-License-Identifier: Apache-2.0
"""The portal's door: log in, log out."""

import secrets

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.errors import CsrfError
from api.pages import pages_of
from api.sessions import (
    COOKIE,
    correlation_of,
    field,
    read_form,
    require_form,
    services_of,
)

LOGIN_COOKIE = "eucora_login"
router = APIRouter()


@router.get("/login")
async def show_login(request: Request) -> Response:
    """Show the login form, bound to this browser by a cookie."""
    return _login_page(request, error=None, status_code=200)


def _login_page(request: Request, *, error: str | None, status_code: int) -> Response:
    token = secrets.token_urlsafe(24)
    page = pages_of(request).render(
        request, "login.html", status_code=status_code, error=error, form_token=token
    )
    page.set_cookie(
        LOGIN_COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        max_age=3600,
    )
    return page


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Open a session."""
    form = await read_form(request)
    expected = request.cookies.get(LOGIN_COOKIE, "")
    given = field(form, "form_token")
    if not expected or not secrets.compare_digest(expected.encode(), given.encode()):
        raise CsrfError
    ground = services_of(request).ground
    address = request.client.host if request.client else "unknown"
    async with ground.pool.connection() as connection:
        token = await ground.accounts.log_in(
            connection,
            username=field(form, "username")[:64],
            password=form.get("password", [""])[0],
            address=address,
            correlation_id=correlation_of(request),
        )
    if token is None:
        return _login_page(request, error="User name or password is wrong.", status_code=401)
    answer = RedirectResponse("/queue", status_code=303)
    answer.set_cookie(
        COOKIE, token, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    answer.delete_cookie(LOGIN_COOKIE)
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session."""
    person, _ = await require_form(request)
    ground = services_of(request).ground
    async with ground.pool.connection() as connection:
        await ground.accounts.log_out(
            connection,
            token=request.cookies[COOKIE],
            person=person,
            correlation_id=correlation_of(request),
        )
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer
