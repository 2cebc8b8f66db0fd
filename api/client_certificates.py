# SPDX-License-Identifier: Apache-2.0
"""Shows the application a TLS client's certificate, which uvicorn by itself does not.

The certificate has been verified against the device authority by the TLS layer; this only hands
its DER bytes on, as `scope["state"]["client_certificate"]`.
"""

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol


class CertificateProtocol(H11Protocol):
    """HTTP/1.1 over TLS, with the peer's certificate in the connection's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the peer's certificate for all requests of this connection."""
        super().connection_made(transport)
        tls: Any = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        self.app_state = {**self.app_state, "client_certificate": certificate}


def client_certificate(request: Request) -> bytes | None:
    """Return the DER bytes of the request's client certificate, None if there is none."""
    certificate = getattr(request.state, "client_certificate", None)
    return certificate if isinstance(certificate, bytes) else None
