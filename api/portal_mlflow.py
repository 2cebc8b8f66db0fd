# SPDX-License-Identifier: Apache-2.0
"""MLflow's own pages in the portal: for data scientists, auditors and administrators, to read.

They are another program's pages under our address. So they get neither the session's cookie nor a
way to the rest of the portal: their content security policy lets them load and ask for nothing
outside of their own prefix, and send no form.
"""

import json
import re
from collections.abc import Mapping

import httpx
from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from api.accounts import Role
from api.errors import ForbiddenError, InvalidRequestError
from api.http import read_body
from api.mlflow_child import PREFIX
from api.mlflow_pages import MlflowUnavailableError, may_ask
from api.sessions import require_person, services_of

router = APIRouter()
START = "#/models?workflowType=machine_learning"  # its own start is about language models
METHODS = ["GET", "HEAD", "POST"]  # what changes something by its method alone has no route
_FORWARDED = ("accept", "accept-encoding", "content-type", "if-none-match", "if-modified-since")
_RETURNED = (
    "content-type", "content-encoding", "content-disposition", "cache-control", "etag",
    "last-modified",
)  # fmt: skip
_HOST = re.compile(r"[A-Za-z0-9.-]{1,255}(:\d{1,5})?|\[[0-9a-f:]{2,45}\](:\d{1,5})?")
_ATTACHMENT = re.compile(r"(model-versions/)?get-artifact|.*/artifacts/files")


@router.get(PREFIX)
async def enter_mlflow() -> Response:
    """Lead to the pages: their own links are relative."""
    return RedirectResponse(f"{PREFIX}/{START}", status_code=307)


@router.api_route(PREFIX + "/{path:path}", methods=METHODS)
async def show_mlflow(request: Request, path: str) -> Response:
    """Pass a request that reads on to MLflow's own server."""
    person = await require_person(request)
    person.require(Role.DATA_SCIENTIST, Role.AUDITOR)
    body = (
        b""
        if request.method in {"GET", "HEAD"}
        else await read_body(request.headers, request.receive)
    )
    if not may_ask(request.method, path, _read_query(path, body)):
        raise ForbiddenError(
            "MLflow's pages are to be read only here: versions are promoted and rolled back on the"
            " models page or with `eucora models`, and trained with `eucora train`"
        )
    client = await services_of(request).mlflow_pages.open_client()
    try:
        answer = await client.request(
            request.method,
            httpx.URL(f"{PREFIX}/{path}", query=request.url.query.encode()),
            content=body or None,
            headers={name: request.headers[name] for name in _FORWARDED if name in request.headers},
        )
    except httpx.TransportError as error:
        raise MlflowUnavailableError from error
    returned = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
    returned.pop("content-encoding", None)  # httpx has unpacked it
    returned["content-security-policy"] = _write_policy(request, path)
    return Response(answer.content, status_code=answer.status_code, headers=returned)


def _read_query(path: str, body: bytes) -> Mapping[str, object] | None:
    if path != "graphql":
        return None
    try:
        query = json.loads(body)
    except ValueError as error:
        raise InvalidRequestError("the query is not JSON") from error
    return query if isinstance(query, dict) else None


def _write_policy(request: Request, path: str) -> str:
    """Return the content security policy: nothing outside of MLflow's own prefix."""
    if _ATTACHMENT.fullmatch(path):
        return "sandbox; default-src 'none'"
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise InvalidRequestError("the request names no host")
    own = f"{request.url.scheme}://{host}{PREFIX}/"
    return (
        f"default-src 'none'; script-src {own} 'unsafe-eval'; style-src {own} 'unsafe-inline';"
        f" img-src {own} data: blob:; font-src {own} data:; connect-src {own};"
        f" worker-src {own} blob:; frame-src blob:; manifest-src {own}; form-action 'none';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
