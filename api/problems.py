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
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from api.errors import (
    ApiError,
    BodyTooLargeError,
    BudgetSpentError,
    CsrfError,
    FileRefusedError,
    ForbiddenError,
    InvalidRequestError,
    NotAuthenticatedError,
    NotFoundError,
    ThrottledError,
    UnsupportedMediaError,
)
from api.mlflow_pages import MlflowUnavailableError
from api.response_headers import protect
from evidence.errors import (
    BundleCorruptError,
    EvidenceError,
    LogDamagedError,
    NotSequencedError,
    ObjectMissingError,
)
from governance.errors import (
    GovernanceError,
    ProposalNotFoundError,
    RefusalError,
    RoleMissingError,
    ScriptVersionNotFoundError,
)
from guardrails.errors import (
    PolicyChangeError,
    PolicyLoadError,
    PolicyNotFoundError,
    PolicyTrustError,
    PseudonymMissingError,
    QuarantinedFileMissingError,
    QuarantineError,
    QuarantineReleaseError,
    QuarantineStateError,
    RevealBoundError,
    RevealRefusedError,
    SubjectShreddedError,
)
from guardrails.sanitise import plain_text
from kernel.errors import KernelError
from kernel.logs import bind_correlation, get_logger
from models.drift_errors import (
    DriftEpisodeMissingError,
    RetrainingDecidedError,
    RetrainingProposalMissingError,
    RetrainingReasonError,
)
from models.errors import (
    ModelArtifactError,
    PromotionRefusedError,
    RegistryError,
    UnknownModelError,
)
from reasoning.errors import IncidentNotFoundError, OverrideError
from retrieval.errors import (
    EmbeddingModelError,
    ManifestError,
    ScriptNotFoundError,
    UndeclaredEffectError,
    VersionConflictError,
)
from retrieval.ingestion_errors import (
    FlagMissingError,
    IngestedFileMissingError,
    IngestionError,
    ScreenUnavailableError,
    SourceBusyError,
    SourceConflictError,
    SourceMissingError,
)
from telemetry.errors import (
    ClassChangedError,
    ForbiddenTransitionError,
    IncidentClosedError,
    MalformedReportError,
    ReportsRefusedError,
    TooManyReportsError,
    TooManyStatementsError,
    UnknownDeviceError,
    UnknownIncidentError,
)

PROBLEM_TYPE = "application/problem+json"
STATUS: Mapping[type[Exception], tuple[int, str]] = {
    NotAuthenticatedError: (401, "Not authenticated"),
    ForbiddenError: (403, "Forbidden"),
    CsrfError: (403, "Form expired"),
    ThrottledError: (429, "Too many attempts"),
    BudgetSpentError: (429, "Budget of the day is spent"),
    NotFoundError: (404, "Not found"),
    BodyTooLargeError: (413, "Body too large"),
    UnsupportedMediaError: (415, "Unsupported media type"),
    InvalidRequestError: (400, "Invalid request"),
    ApiError: (400, "Invalid request"),
    MalformedReportError: (422, "Malformed report"),
    ReportsRefusedError: (422, "No report was stored"),
    TooManyReportsError: (413, "Too many reports"),
    UnknownDeviceError: (422, "Unknown device"),
    ForbiddenTransitionError: (409, "Incident has moved on"),
    UnknownIncidentError: (404, "No such incident"),
    IncidentClosedError: (409, "Incident is closed"),
    ClassChangedError: (409, "Somebody was faster"),
    TooManyStatementsError: (409, "Too often to and fro"),
    IncidentNotFoundError: (404, "No such incident"),
    ScriptNotFoundError: (404, "No such script"),
    ManifestError: (422, "Script or parameter refused"),
    UndeclaredEffectError: (422, "Undeclared effect"),
    VersionConflictError: (409, "Version refused"),
    OverrideError: (422, "Cannot be proposed"),
    ProposalNotFoundError: (404, "No such proposal"),
    ScriptVersionNotFoundError: (404, "No such script"),
    RoleMissingError: (403, "Forbidden"),
    RefusalError: (409, "Decision refused"),
    GovernanceError: (422, "Decision not possible"),
    FileRefusedError: (422, "File not taken"),
    SourceMissingError: (404, "No such source"),
    IngestedFileMissingError: (404, "No such file"),
    FlagMissingError: (404, "No such flag"),
    SourceConflictError: (409, "Source of another kind"),
    SourceBusyError: (409, "Source is being filled"),
    ScreenUnavailableError: (503, "Malware scanner unavailable"),
    IngestionError: (422, "Cannot be taken"),
    QuarantinedFileMissingError: (404, "No such file"),
    QuarantineStateError: (409, "Decided already"),
    QuarantineReleaseError: (409, "Decision refused"),
    PolicyNotFoundError: (404, "No such policy"),
    PolicyChangeError: (409, "Policy change refused"),
    PolicyLoadError: (422, "Policy cannot be used"),
    PolicyTrustError: (500, "Stored policy is damaged"),
    QuarantineError: (422, "Decision not possible"),
    PseudonymMissingError: (404, "No such pseudonym"),
    RevealBoundError: (429, "Too many originals"),
    SubjectShreddedError: (410, "Originals were erased"),
    RevealRefusedError: (422, "Not revealed"),
    NotSequencedError: (503, "Not in the log yet"),
    LogDamagedError: (500, "Internal error"),
    BundleCorruptError: (500, "Internal error"),
    ObjectMissingError: (500, "Internal error"),
    EvidenceError: (404, "No such evidence"),
    EmbeddingModelError: (503, "Search unavailable"),
    OperationalError: (503, "Database unavailable"),
    PoolTimeout: (503, "Database unavailable"),
    TimeoutError: (503, "Not answered in time"),
    DriftEpisodeMissingError: (404, "No such drift episode"),
    RetrainingProposalMissingError: (404, "No such retraining proposal"),
    RetrainingDecidedError: (409, "Decided already"),
    RetrainingReasonError: (422, "A reason is needed"),
    UnknownModelError: (404, "No such model"),
    PromotionRefusedError: (409, "Promotion refused"),
    ModelArtifactError: (409, "Model cannot be loaded"),
    RegistryError: (503, "MLflow unavailable"),
    MlflowUnavailableError: (503, "MLflow unavailable"),
    KernelError: (500, "Internal error"),
}
WHAT_TO_DO: Mapping[type[Exception], str] = {  # where a moment mends nothing
    PolicyTrustError: (
        "a stored policy is not what was signed, and everything is denied while it is in force;"
        " propose and activate another one, on the server with: eucora policy"
    ),
    EmbeddingModelError: (
        "this program and the search index have different embedding models, or the model cannot be"
        " loaded; on the server run: eucora kb reindex"
    ),
    ScreenUnavailableError: (
        "no file was taken, for the malware scanner does not answer; on the server see whether"
        " clamd works"
    ),
}
ROOMS: Mapping[str, str] = {  # the pages that all others lie below
    "incidents": "the incidents",
    "devices": "the devices",
    "knowledge": "the knowledge",
    "scripts": "the scripts",
    "freezes": "the freezes",
    "audit": "the audit trail",
    "tickets": "the ticket",
    "models": "the models",
    "drift": "drift",
    "policies": "the policies",
    "people": "the people",
    "account": "your account",
}
ADVICE: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="eucora"'},
    429: {"Retry-After": "300"},
    503: {"Retry-After": "5"},
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
    return JSONResponse(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": plain_text(detail),
            "instance": f"urn:eucora:{_correlation_of(request)}",
            **members,
        },
        status_code=status,
        headers=ADVICE.get(status),
        media_type=PROBLEM_TYPE,
    )


def _correlation_of(request: Request) -> str:
    return str(getattr(request.state, "correlation_id", ""))


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _render(
    request: Request, status: int, title: str, detail: str, **members: object
) -> Response:
    pages = getattr(request.app.state, "pages", None)
    if pages is None or not _wants_page(request):
        return problem(request, status, title, detail, **members)
    if status == 401:
        return RedirectResponse("/login", status_code=303)
    rendered: Response = pages.render(
        request,
        "problem.html",
        status_code=status,
        title=title,
        detail=detail,
        correlation_id=_correlation_of(request),
        way_back=find_way_back(request.method, request.url.path, status),
    )
    return rendered


def find_way_back(method: str, path: str, status: int) -> tuple[str, str]:
    """Return the address and the name of the page that a refused request came from, most likely.

    A form's address lies below that of its page; a page that cannot be shown is in some list, which
    whoever may not see one page may not see either.
    """
    room, _, rest = path.strip("/").partition("/")
    if room in ("proposals", "incidents") and rest and method != "GET":
        identifier = rest.split("/")[0]
        return f"/{room}/{identifier}", f"the {room.removesuffix('s')}"
    if (name := ROOMS.get(room)) and status != 403 and (rest or method != "GET"):
        return f"/{'tickets/new' if room == 'tickets' else room}", name
    return "/queue", "the queue"


def status_of(error: Exception) -> tuple[int, str]:
    """Return the status and the title of an error that is listed, or whose base is."""
    return STATUS[_listed(error)]


def _listed(error: Exception) -> type[Exception]:
    return next(kind for kind in type(error).__mro__ if kind in STATUS)


async def _answer(request: Request, error: Exception) -> Response:
    kind = _listed(error)
    status, title = STATUS[kind]
    if status >= 500:
        _logger.error("request failed", action="http", decision="error", exc_info=error)
        what_to_do = WHAT_TO_DO.get(kind, "try again in a moment")
        return await _render(request, status, title, what_to_do)
    return await _render(request, status, title, str(error), **_find_members(error))


def _find_members(error: Exception) -> dict[str, object]:
    """Return what a program may want to know beyond the words (RFC 9457, extension members)."""
    if isinstance(error, ReportsRefusedError):
        return {"rejected": list(error.rejected)}
    if isinstance(error, FileRefusedError):
        return {"verdict": error.verdict, "reason": error.reason}
    return {"path": error.path} if isinstance(error, MalformedReportError) else {}


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
    """Answer a fault of ours; the framework calls this outside of all middleware."""
    identifier = _correlation_of(request)
    with bind_correlation(identifier):
        _logger.error("request failed", action="http", decision="error", exc_info=error)
    answer = await _render(
        request, 500, "Internal error", "this is a fault of ours; the log has its reference"
    )
    protect(MutableHeaders(raw=answer.raw_headers), identifier)
    return answer
