# SPDX-License-Identifier: Apache-2.0
"""Plumbing every request passes: correlation id, security headers, log line; bounded bodies.

The middleware is pure ASGI: no framework object is built for a request that is refused there.
"""

import gzip
import io
import re
import zlib
from email.message import Message as MimeHeader
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError, InvalidRequestError, UnsupportedMediaError
from api.problems import problem
from api.response_headers import CORRELATION_HEADER, protect
from kernel.ids import IdSource
from kernel.logs import bind_correlation, get_logger

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_COMPRESSED_BYTES = 2 * 1024 * 1024
# Ours and the agent's, and no other: what stands here is audited and logged as it is.
CORRELATION_FORM = re.compile(r"cor_[0-9a-z]{1,64}")
_logger = get_logger(__name__)


class CorrelationMiddleware:
    """Gives each request a correlation id, taken from its header or made anew, and logs it.

    The log names the route, not the path: what somebody typed into an address may name a person.
    """

    def __init__(self, app: ASGIApp, *, ids: IdSource) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(CORRELATION_HEADER, "")
        identifier = given if CORRELATION_FORM.fullmatch(given) else self._ids.new("cor")
        scope.setdefault("state", {})["correlation_id"] = identifier
        status = 500

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                protect(MutableHeaders(scope=message), identifier)
            await send(message)

        with bind_correlation(identifier):
            try:
                await self._handle(scope, receive, respond)
            finally:
                _logger.info("request", action=_name_route(scope), decision=str(status))

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if b"\x00" not in unquote_to_bytes(scope["path"] + "?" + scope["query_string"].decode()):
            await self._app(scope, receive, send)
            return
        refusal = problem(
            Request(scope), 400, "Invalid request", "the address must not hold a zero byte"
        )
        await refusal(scope, receive, send)


def _name_route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", "(no route)")
    return f"{scope['method']} {path}"


def expect_json(headers: Headers) -> None:
    """Check that a request's body is declared as JSON.

    Raises:
        UnsupportedMediaError: it is declared as something else, or not at all.
    """
    declared = MimeHeader()
    declared["content-type"] = headers.get("content-type", "application/octet-stream")
    if declared.get_content_type() != "application/json":
        raise UnsupportedMediaError("send the body as Content-Type: application/json")


async def read_body(headers: Headers, receive: Receive, limit: int = MAX_BODY_BYTES) -> bytes:
    """Return a request's body, decompressed, of at most `limit` bytes.

    Raises:
        BodyTooLargeError: it is longer than allowed, before or after decompression.
        InvalidRequestError: it claims an encoding that it does not have.
        UnsupportedMediaError: it claims an encoding that is not known here.
    """
    encoding = headers.get("content-encoding", "").lower() or "identity"
    if encoding not in ("identity", "gzip"):
        raise UnsupportedMediaError("send the body plain or with Content-Encoding: gzip")
    sent = await _receive(receive, limit if encoding == "identity" else MAX_COMPRESSED_BYTES)
    return sent if encoding == "identity" else _decompress(sent, limit)


async def _receive(receive: Receive, limit: int) -> bytes:
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequestError("the client left before its body was complete")
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise BodyTooLargeError(f"the body exceeds {limit} bytes")
        if not message.get("more_body", False):
            return bytes(parts)


def _decompress(content: bytes, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequestError("the body is not valid gzip") from error
    if len(plain) > limit:
        raise BodyTooLargeError(f"the body exceeds {limit} bytes when unpacked")
    return plain
