# SPDX-License-Identifier: Apache-2.0
"""The one place where errors become HTTP answers: RFC 9457 problem documents, or pages.

An error that is not listed here is a fault of ours: 500, logged with its correlation id, its text
withheld.
"""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from api.errors import (
    ApiError,
    BodyTooLargeError,
    CsrfError,
    ForbiddenError,
    InvalidRequestError,
    NotAuthenticatedError,
    NotFoundError,
    ThrottledError,
)
from evidence.errors import EvidenceError
from governance.errors import (
    GovernanceError,
    ProposalNotFoundError,
    RefusalError,
    RoleMissingError,
)
from kernel.errors import KernelError
from kernel.logs import get_logger
from reasoning.errors import IncidentNotFoundError, OverrideError
from retrieval.errors import ManifestError, ScriptNotFoundError
from telemetry.errors import (
    MalformedReportError,
    TooManyReportsError,
    UnknownDeviceError,
    UnknownIncidentError,
)

PROBLEM_TYPE = "application/problem+json"
STATUS: Mapping[type[Exception], tuple[int, str]] = {
    NotAuthenticatedError: (401, "Not authenticated"),
    ForbiddenError: (403, "Forbidden"),
    CsrfError: (403, "Form expired"),
    ThrottledError: (429, "Too many attempts"),
    NotFoundError: (404, "Not found"),
    BodyTooLargeError: (413, "Body too large"),
    InvalidRequestError: (400, "Invalid request"),
    ApiError: (400, "Invalid request"),
    MalformedReportError: (422, "Malformed report"),
    TooManyReportsError: (413, "Too many reports"),
    UnknownDeviceError: (422, "Unknown device"),
    UnknownIncidentError: (404, "No such incident"),
    IncidentNotFoundError: (404, "No such incident"),
    ScriptNotFoundError: (404, "No such script"),
    ManifestError: (422, "Script or parameter refused"),
    OverrideError: (422, "Cannot be proposed"),
    ProposalNotFoundError: (404, "No such proposal"),
    RoleMissingError: (403, "Forbidden"),
    RefusalError: (409, "Decision refused"),
    GovernanceError: (422, "Decision not possible"),
    EvidenceError: (404, "No such evidence"),
    OperationalError: (503, "Database unavailable"),
    PoolTimeout: (503, "Database unavailable"),
    KernelError: (500, "Internal error"),
}
_logger = get_logger(__name__)


def install_problem_handlers(app: FastAPI) -> None:
    """Make an app answer every error with a problem document, pages with a page."""
    for kind in STATUS:
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(Exception, _answer_unexpected)


def problem(
    request: Request, status: int, title: str, detail: str, **members: object
) -> JSONResponse:
    """Return an RFC 9457 answer."""
    correlation_id = getattr(request.state, "correlation_id", "")
    return JSONResponse(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": f"urn:eucora:{correlation_id}",
            **members,
        },
        status_code=status,
        media_type=PROBLEM_TYPE,
    )


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _render(request: Request, status: int, title: str, detail: str) -> Response:
    pages = getattr(request.app.state, "pages", None)
    if pages is None or not _wants_page(request):
        return problem(request, status, title, detail)
    if status == 401:
        return RedirectResponse("/login", status_code=303)
    rendered: Response = pages.render(
        request,
        "problem.html",
        status_code=status,
        title=title,
        detail=detail,
        correlation_id=getattr(request.state, "correlation_id", ""),
    )
    return rendered


async def _answer(request: Request, error: Exception) -> Response:
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    status, title = STATUS[kind]
    detail = str(error) if status < 500 else "try again in a moment"
    if status >= 500:
        _logger.error("request failed", action="http", decision="error", exc_info=error)
    return await _render(request, status, title, detail)


async def _answer_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return await _answer_unexpected(request, error)
    answer = await _render(request, error.status_code, "Request refused", str(error.detail))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


async def _answer_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        return await _answer_unexpected(request, error)
    faults = [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
    ]
    return await _render(request, 422, "Invalid request", "; ".join(faults)[:1000])


async def _answer_unexpected(request: Request, error: Exception) -> Response:
    _logger.error("request failed", action="http", decision="error", exc_info=error)
    return await _render(
        request, 500, "Internal error", "this is a fault of ours; the log has its reference"
    )
