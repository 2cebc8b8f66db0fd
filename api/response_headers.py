# SPDX-License-Identifier: Apache-2.0
"""The headers that every answer carries, whoever makes it."""

from starlette.datastructures import MutableHeaders

CORRELATION_HEADER = "X-Correlation-Id"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def protect(headers: MutableHeaders, correlation_id: str) -> None:
    """Add the correlation id and what browsers need to know to protect people."""
    headers[CORRELATION_HEADER] = correlation_id
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)  # one route has its own
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")
