# SPDX-License-Identifier: Apache-2.0
"""What devices talk to, over mTLS: enrolment, telemetry, jobs, receipts, log consistency.

A device is who its certificate says. Two certificates count: the current one, and one that was
issued since and not used yet; with its first use the former current one ends.
"""

import asyncio
import base64
import secrets
from typing import Annotated, Any, Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.bootstrap import Services
from api.client_certificates import client_certificate
from api.errors import InvalidRequestError, NotAuthenticatedError
from api.ground import Ground
from api.http import CorrelationMiddleware, expect_json, read_body
from api.json_route import JsonRoute
from api.openapi import PROBLEMS, RECEIPT, REPORTS, install_openapi
from api.problems import install_problem_handlers
from api.sessions import services_of
from api.telemetry_api import ingest_body
from contracts.canonical import sha256_hex
from contracts.job import Receipt
from evidence.audit_entry import LOG_ORIGIN
from kernel.errors import KernelError
from telemetry.devices import (
    Device,
    find_device,
    promote_certificate,
    register_device,
    set_certificate,
)

MAX_WAIT_SECONDS = 30.0
MAX_TREE_SIZE = 2**62
POLL_SECONDS = 0.5
router = APIRouter(route_class=JsonRoute, responses=PROBLEMS)


def _text(maximum: int) -> StringConstraints:
    return StringConstraints(max_length=maximum, pattern=r"^[^\x00-\x1f\x7f]*$")


class _Enrolment(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    token: str = Field(max_length=200)
    csr_pem: str = Field(max_length=10_000)
    hostname: Annotated[str, _text(255)] = Field(min_length=1)
    os_family: Literal["windows", "macos", "linux"]
    os_version: Annotated[str, _text(256)] = ""
    model: Annotated[str, _text(256)] = ""
    serial_number: Annotated[str, _text(256)] = ""
    agent_version: Annotated[str, _text(64)] = ""


class _Renewal(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    csr_pem: str = Field(max_length=10_000)


async def identify_device(request: Request) -> str:
    """Return the id of the device whose certificate came with the connection.

    Raises:
        NotAuthenticatedError: none came, or it is not the device's current one.
    """
    services: Services = request.app.state.services
    content = client_certificate(request)
    if content is None:
        raise NotAuthenticatedError("present the device's client certificate")
    certificate = x509.load_der_x509_certificate(content)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    device_id = str(names[0].value) if names else ""
    async with services.ground.pool.connection() as connection:
        device = await find_device(connection, device_id)
        if device is None or device.status != "active":
            raise NotAuthenticatedError("this device is not enrolled or was retired")
        if not await _is_accepted(services, connection, request, device, sha256_hex(content)):
            raise NotAuthenticatedError("this certificate was replaced by a newer one")
    return device_id


async def _is_accepted(
    services: Services, connection: Any, request: Request, device: Device, sha256: str
) -> bool:
    """Tell whether a certificate counts; the first use of a pending one makes it the current."""
    if sha256 == device.certificate_sha256:
        return True
    if sha256 != device.pending_certificate_sha256:
        return False
    promoted = await promote_certificate(
        connection,
        audit=services.ground.audit,
        correlation_id=request.state.correlation_id,
        device=device,
        certificate_sha256=sha256,
    )
    if promoted:
        return True
    # Another request of the same device may have been faster.
    newer = await find_device(connection, device.device_id)
    return newer is not None and newer.certificate_sha256 == sha256


@router.post("/device/v1/enrol")
async def enrol(request: Request, body: _Enrolment) -> dict[str, Any]:
    """Register a device with a one-time token and sign its certificate."""
    services = services_of(request)
    ground = services.ground
    device_id = ground.ids.new("dev")
    correlation_id: str = request.state.correlation_id
    async with ground.pool.connection() as connection:
        creator = await ground.tokens.use_enrolment_token(
            connection,
            token=body.token,
            device_id=device_id,
            correlation_id=correlation_id,
        )
        # Only for whoever has a token; it stays unspent when the request is refused.
        certificate = _sign(services, device_id, body.csr_pem)
        await register_device(
            connection,
            audit=ground.audit,
            actor=creator,
            correlation_id=correlation_id,
            device_id=device_id,
            hostname=body.hostname,
            os_family=body.os_family,
            os_version=body.os_version,
            model=body.model,
            serial_number=body.serial_number,
            agent_version=body.agent_version,
            enrolled_at=ground.clock.now(),
        )
        await set_certificate(
            connection,
            audit=ground.audit,
            actor=f"device:{device_id}",
            correlation_id=correlation_id,
            device_id=device_id,
            certificate_sha256=_fingerprint(certificate),
        )
    return {"device_id": device_id, "certificate_pem": certificate.decode(), **_anchors(ground)}


@router.post("/device/v1/certificate")
async def renew(request: Request, body: _Renewal) -> dict[str, str]:
    """Sign a fresh certificate; the one in use counts until the fresh one was used."""
    services = services_of(request)
    ground = services.ground
    device_id = await identify_device(request)
    certificate = _sign(services, device_id, body.csr_pem)
    async with ground.pool.connection() as connection:
        await set_certificate(
            connection,
            audit=ground.audit,
            actor=f"device:{device_id}",
            correlation_id=request.state.correlation_id,
            device_id=device_id,
            certificate_sha256=_fingerprint(certificate),
            pending=True,
        )
    return {"certificate_pem": certificate.decode()}


@router.get("/device/v1/time")
async def tell_time(request: Request) -> dict[str, str]:
    """Return the server's time, for the device's clock check."""
    return {"now": services_of(request).ground.clock.now().isoformat()}


def _anchors(ground: Ground) -> dict[str, Any]:
    """Return what a device verifies everything else by, and how often it reports."""
    return {
        "ca_pem": ground.key_store.authority_path().read_text(),
        "job_public_key_pem": _public_pem(ground.key_store.job_key().public_key()),
        "log_public_key_pem": _public_pem(ground.key_store.log_key().public_key()),
        "log_origin": LOG_ORIGIN,
        "interval_seconds": ground.settings.telemetry_interval_seconds,
    }


@router.post("/v1/telemetry", openapi_extra=REPORTS)
async def take_telemetry(request: Request) -> dict[str, Any]:
    """Store a device's own reports; answered when they are durable."""
    device_id = await identify_device(request)
    return await ingest_body(
        services_of(request), request, submitted_by=f"device:{device_id}", device_id=device_id
    )


@router.get("/device/v1/jobs")
async def lease_jobs(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=16)] = 4,
    wait: Annotated[float, Query(ge=0, le=3600, allow_inf_nan=False)] = 0.0,
) -> dict[str, Any]:
    """Lease approved jobs, waiting up to `wait` seconds for one."""
    services = services_of(request)
    ground = services.ground
    device_id = await identify_device(request)
    deadline = asyncio.get_running_loop().time() + min(wait, MAX_WAIT_SECONDS)
    while True:
        async with ground.pool.connection() as connection:
            envelopes = await services.jobs.lease(
                connection,
                device_id,
                limit,
                ground.settings.lease_seconds,
            )
        late = asyncio.get_running_loop().time() >= deadline
        if envelopes or late or await request.is_disconnected():
            return {"envelopes": [base64.b64encode(item).decode() for item in envelopes]}
        await asyncio.sleep(POLL_SECONDS * (0.8 + secrets.randbelow(400) / 1000))


@router.post("/device/v1/receipts", openapi_extra=RECEIPT)
async def take_receipt(request: Request) -> dict[str, bool]:
    """Record what a device did with a job, exactly once."""
    services = services_of(request)
    device_id = await identify_device(request)
    expect_json(request.headers)
    body = await read_body(request.headers, request.receive)
    try:
        receipt = msgspec.json.decode(body, type=Receipt)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequestError(f"not a receipt: {error}") from error
    async with services.ground.pool.connection() as connection:
        recorded = await services.jobs.record_receipt(
            connection, device_id, receipt, services.ground.cases
        )
    return {"recorded": recorded}


@router.get("/device/v1/consistency")
async def prove_consistency(
    request: Request,
    first: Annotated[int, Query(ge=1, le=MAX_TREE_SIZE)],
    second: Annotated[int, Query(ge=1, le=MAX_TREE_SIZE)],
) -> dict[str, Any]:
    """Prove that the log of size `second` extends the one of size `first`."""
    ground = services_of(request).ground
    await identify_device(request)
    if first > second:
        raise InvalidRequestError("first must not be greater than second")
    async with ground.pool.connection() as connection:
        hashes = await ground.log.consistency_proof(connection, first, second)
    return {"hashes": [item.hex() for item in hashes]}


def _sign(services: Services, device_id: str, csr_pem: str) -> bytes:
    try:
        return services.ground.key_store.sign_device_certificate(
            csr_pem.encode(), device_id, services.ground.clock.now()
        )
    except (KernelError, ValueError) as error:
        raise InvalidRequestError("the certificate request is malformed or too weak") from error


def _fingerprint(certificate_pem: bytes) -> str:
    """Return the SHA-256 (hex) of a certificate's DER form."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    return sha256_hex(certificate.public_bytes(serialization.Encoding.DER))


def _public_pem(key: Any) -> str:
    content: bytes = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return content.decode()


def create_device_app(services: Services) -> FastAPI:
    """Return the devices' application."""
    app = FastAPI(title="EUCORA device API", version="1", docs_url=None, redoc_url=None)
    app.state.services = services
    install_openapi(app)
    install_problem_handlers(app)
    app.add_middleware(CorrelationMiddleware, ids=services.ground.ids)
    app.include_router(router)
    return app
