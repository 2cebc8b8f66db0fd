# SPDX-License-Identifier: Apache-2.0
"""Plumbing every request passes: correlation id, body limit, gzip, security headers.

Pure ASGI: no framework object is built for a request that is refused here.
"""

import gzip
import io
import re
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError, InvalidRequestError
from kernel.ids import IdSource
from kernel.logs import bind_correlation, get_logger

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_COMPRESSED_BYTES = 2 * 1024 * 1024
CORRELATION_HEADER = "x-correlation-id"
CORRELATION_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_logger = get_logger(__name__)


class CorrelationMiddleware:
    """Gives each request a correlation id, taken from its header or made anew, and logs it."""

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
                headers = MutableHeaders(scope=message)
                headers[CORRELATION_HEADER] = identifier
                headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        with bind_correlation(identifier):
            await self._app(scope, receive, respond)
            _logger.info(
                "request", action=f"{scope['method']} {scope['path'][:200]}", decision=str(status)
            )


async def read_body(scope_headers: Headers, receive: Receive) -> bytes:
    """Return a request's body, decompressed, within limits.

    Raises:
        BodyTooLargeError: it is longer than allowed, before or after decompression.
        InvalidRequestError: it claims an encoding that it does not have.
    """
    encoding = scope_headers.get("content-encoding", "identity").lower()
    limit = MAX_COMPRESSED_BYTES if encoding == "gzip" else MAX_BODY_BYTES
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequestError("the client left before its body was complete")
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise BodyTooLargeError(f"the body exceeds {limit} bytes")
        if not message.get("more_body", False):
            break
    if encoding in ("", "identity"):
        return bytes(parts)
    if encoding == "gzip":
        return _decompress(bytes(parts))
    raise InvalidRequestError("send the body plain or with Content-Encoding: gzip")


def _decompress(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(MAX_BODY_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequestError("the body is not valid gzip") from error
    if len(plain) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"the body exceeds {MAX_BODY_BYTES} bytes when unpacked")
    return plain
