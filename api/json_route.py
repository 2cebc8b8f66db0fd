# SPDX-License-Identifier: Apache-2.0
"""Routes with a JSON body: who sends it is asked first, then a bounded body is read.

FastAPI by itself reads a body of any length, of any sender, before a route has its say.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import InvalidRequestError
from api.http import expect_json, read_body
from api.scopes import Scope
from api.sessions import require_service

MAX_DOCUMENT_BYTES = 1024 * 1024
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRoute(APIRoute):
    """A route whose body, if it declares one, is JSON of at most MAX_DOCUMENT_BYTES, or gzip."""

    scope: Scope | None = None  # what a service's token must carry; None: the handler asks

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler behind ours."""
        handle = super().get_route_handler()

        async def check_first(request: Request) -> Response:
            if self.scope is not None:
                request.state.service = await require_service(request, self.scope)
            if self.body_field is not None:
                expect_json(request.headers)
                content = await read_body(request.headers, request.receive, MAX_DOCUMENT_BYTES)
                request = _ReadRequest(request, content, _parse(content))
            return await handle(request)

        return check_first


def service_route(needed: Scope) -> type[JsonRoute]:
    """Return a route for services whose token carries a scope; `service_of` tells which."""

    class ServiceRoute(JsonRoute):
        scope = needed

    return ServiceRoute


def service_of(request: Request) -> str:
    """Return the actor behind a service route's request."""
    return f"service:{request.state.service}"


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content, parse_constant=_refuse_constant) if content else None
    except RecursionError as error:
        raise InvalidRequestError("the body is nested too deeply") from error
    except ValueError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


class _ReadRequest(Request):
    """A request whose body has been read and parsed."""

    def __init__(self, request: Request, content: bytes, document: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._content = content
        self._document = document

    async def body(self) -> bytes:
        return self._content

    async def json(self) -> Any:
        return self._document
