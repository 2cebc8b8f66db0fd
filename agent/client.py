# SPDX-License-Identifier: Apache-2.0
"""The device API of the server, spoken over mutual TLS.

Answers are size-limited and decoded into closed shapes; what does not fit them is a ServerError.
Nothing here retries: the daemon decides when to try again.
"""

import base64
import binascii
import gzip
import ssl
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Annotated, Self, TypeVar

import httpx
import msgspec
from msgspec import Meta, Struct

from agent import __version__
from agent.errors import RejectedError, ServerError
from agent.logs import correlation_id, new_correlation_id
from contracts.job import Digest
from contracts.telemetry import Identifier

MAX_ANSWER_BYTES = 64 * 1024 * 1024
TIMEOUT_SECONDS = 15.0

Answer = TypeVar("Answer", bound=Struct)


class EnrolmentRequest(Struct, frozen=True, kw_only=True):
    """Body of POST /device/v1/enrol."""

    token: str
    csr_pem: str
    hostname: str
    os_family: str
    os_version: str
    model: str
    serial_number: str
    agent_version: str


class EnrolmentAnswer(Struct, frozen=True, kw_only=True):
    """Answer to an enrolment."""

    device_id: Identifier
    certificate_pem: str
    ca_pem: str
    job_public_key_pem: str
    log_public_key_pem: str
    log_origin: Annotated[str, Meta(min_length=1, max_length=256)]
    interval_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 60.0


class RejectedReport(Struct, frozen=True, kw_only=True):
    """A report that the server will never store."""

    report_id: str
    reason: str = ""
    detail: str = ""


class TelemetryAnswer(Struct, frozen=True, kw_only=True):
    """What became of each report of a batch."""

    accepted: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    rejected: tuple[RejectedReport, ...] = ()


class JobsAnswer(Struct, frozen=True, kw_only=True):
    """Leased jobs: DSSE envelopes, base64."""

    envelopes: tuple[str, ...]


class ReceiptAnswer(Struct, frozen=True, kw_only=True):
    """Whether the receipt was new to the server."""

    recorded: bool


class ConsistencyAnswer(Struct, frozen=True, kw_only=True):
    """A consistency proof as hex hashes."""

    hashes: tuple[Digest, ...]


class CertificateAnswer(Struct, frozen=True, kw_only=True):
    """A renewed certificate."""

    certificate_pem: str


class TimeAnswer(Struct, frozen=True, kw_only=True):
    """The server's clock."""

    now: Annotated[datetime, Meta(tz=True)]


class DeviceClient:
    """One connection pool to one server."""

    def __init__(self, server: str, tls: ssl.SSLContext) -> None:
        self._server = server.rstrip("/")
        self._http = self._connect(tls)
        self._retired: list[httpx.AsyncClient] = []

    def _connect(self, tls: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._server,
            verify=tls,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=2),
            headers={"User-Agent": f"eucora-agent/{__version__}"},
        )

    def replace_tls(self, tls: ssl.SSLContext) -> None:
        """Make new requests with another certificate; those under way keep the old one."""
        self._retired.append(self._http)
        self._http = self._connect(tls)

    async def close_retired(self) -> None:
        """Close connections that were replaced long enough ago for their requests to be over."""
        while self._retired:
            await self._retired.pop().aclose()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close_retired()
        await self._http.aclose()

    async def enrol(self, request: EnrolmentRequest) -> EnrolmentAnswer:
        """Exchange a one-time token and a certificate request for an identity."""
        return await self._ask(
            "POST", "/device/v1/enrol", EnrolmentAnswer, body=msgspec.json.encode(request)
        )

    async def send_reports(self, reports: Sequence[bytes]) -> TelemetryAnswer:
        """Send reports (JSON each) as one gzipped array."""
        body = gzip.compress(b"[" + b",".join(reports) + b"]", compresslevel=5, mtime=0)
        return await self._ask("POST", "/v1/telemetry", TelemetryAnswer, body=body, encoding="gzip")

    async def lease_jobs(self, *, wait_seconds: float, limit: int = 4) -> list[bytes]:
        """Wait for jobs; return their DSSE envelopes, an empty list when none came."""
        answer = await self._ask(
            "GET",
            "/device/v1/jobs",
            JobsAnswer,
            query={"limit": str(limit), "wait": f"{wait_seconds:g}"},
            timeout_seconds=wait_seconds + TIMEOUT_SECONDS,
        )
        try:
            return [base64.b64decode(text, validate=True) for text in answer.envelopes]
        except (binascii.Error, ValueError) as error:
            raise ServerError("a job envelope is not base64") from error

    async def send_receipt(self, receipt: bytes) -> bool:
        """Send one receipt (JSON); return whether the server had not seen it before."""
        answer = await self._ask("POST", "/device/v1/receipts", ReceiptAnswer, body=receipt)
        return answer.recorded

    async def fetch_consistency(self, first: int, second: int) -> list[bytes]:
        """Return the log's consistency proof between two tree sizes."""
        answer = await self._ask(
            "GET",
            "/device/v1/consistency",
            ConsistencyAnswer,
            query={"first": str(first), "second": str(second)},
        )
        return [bytes.fromhex(text) for text in answer.hashes]

    async def renew_certificate(self, csr_pem: bytes) -> bytes:
        """Exchange a certificate request for a new certificate (PEM)."""
        body = msgspec.json.encode({"csr_pem": csr_pem.decode()})
        answer = await self._ask("POST", "/device/v1/certificate", CertificateAnswer, body=body)
        return answer.certificate_pem.encode()

    async def prove_identity(self) -> bool:
        """Tell whether the server takes our certificate for one of a device that it knows.

        Raises:
            ServerError: it did not say.

        """
        try:
            await self.fetch_consistency(1, 1)
        except RejectedError as error:
            if error.status == 401:
                return False
            if error.status not in (404, 409):  # those: we are known, but the log is still empty
                raise
        return True

    async def fetch_time(self) -> datetime:
        """Return the server's clock."""
        return (await self._ask("GET", "/device/v1/time", TimeAnswer)).now

    async def _ask(
        self,
        method: str,
        path: str,
        shape: type[Answer],
        *,
        body: bytes | None = None,
        encoding: str | None = None,
        query: dict[str, str] | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Send one request and decode its answer.

        Raises:
            RejectedError: the server answered with 4xx.
            ServerError: no answer, another status, or a body of another shape.

        """
        headers = {"X-Correlation-Id": correlation_id.get() or new_correlation_id()}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if encoding is not None:
            headers["Content-Encoding"] = encoding
        try:
            async with self._http.stream(
                method, path, content=body, params=query, headers=headers, timeout=timeout_seconds
            ) as response:
                content = await _read_bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise ServerError(f"{method} {path}: {type(error).__name__} {error}") from error
        if 400 <= response.status_code < 500:
            raise RejectedError(response.status_code, content[:300].decode(errors="replace"))
        if response.status_code != httpx.codes.OK:
            raise ServerError(f"{method} {path}: status {response.status_code}")
        try:
            return msgspec.json.decode(content, type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ServerError(f"{method} {path}: unusable answer, {error}") from error


async def _read_bounded(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise ServerError("the server's answer is too large")
    return bytes(content)
