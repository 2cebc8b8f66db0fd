# SPDX-License-Identifier: Apache-2.0
"""The product's HTTP ways in, served in this process by its own servers on loopback sockets."""

import asyncio
import io
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import CertificateSigningRequestBuilder, Name

from api.serving import serve_http
from kernel.logs import configure_logging

START_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Both servers, the product behind them, and what they have logged."""

    services: Any
    url: str
    device_url: str
    log: io.StringIO
    folder: Path
    clients: AsyncExitStack = field(repr=False)

    async def query(self, statement: str, *arguments: Any) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        async with self.services.ground.pool.connection() as connection:
            return await (await connection.execute(statement, arguments)).fetchall()

    async def client(self, **headers: str) -> httpx.AsyncClient:
        """Return a client of the public port."""
        return await self.clients.enter_async_context(
            httpx.AsyncClient(
                base_url=self.url,
                headers=headers,
                timeout=60,
                verify=False,  # plain HTTP: to read all authorities' certificates takes long
            )
        )

    async def service(self, *scopes: str, maker: str = "user:ada") -> httpx.AsyncClient:
        """Return a client with a token of these scopes, which `maker` has made."""
        async with self.services.ground.pool.connection() as connection:
            token = await self.services.ground.tokens.create_service_token(
                connection,
                name=f"monitor-{'-'.join(scopes)}",
                scopes=frozenset(scopes),
                actor=maker,
                correlation_id="cor_token",
            )
        return await self.client(authorization=f"Bearer {token}")

    async def device(self, certificate: Path | None = None) -> httpx.AsyncClient:
        """Return a client of the device port, with a certificate or without."""
        authority = self.services.ground.key_store.authority_path()
        tls = ssl.create_default_context(cafile=str(authority))
        if certificate is not None:
            tls.load_cert_chain(certificate)
        return await self.clients.enter_async_context(
            httpx.AsyncClient(base_url=self.device_url, verify=tls, timeout=60)
        )

    async def enrol(self, hostname: str = "laptop-1") -> tuple[str, httpx.AsyncClient]:
        """Enrol a device over the device port; return its id and its client."""
        async with self.services.ground.pool.connection() as connection:
            token = await self.services.ground.tokens.create_enrolment_token(
                connection, actor="user:ada", correlation_id="cor_enrol"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        request = CertificateSigningRequestBuilder().subject_name(Name([]))
        csr = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        answer = await (await self.device()).post(
            "/device/v1/enrol",
            json={
                "token": token,
                "csr_pem": csr.decode(),
                "hostname": hostname,
                "os_family": "linux",
            },
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        device_id = answer.json()["device_id"]
        path = self.folder / f"{device_id}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(private + answer.json()["certificate_pem"].encode())
        return device_id, await self.device(path)


def find_free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serve(services: Any, folder: Path) -> AsyncIterator[Served]:
    """Serve a product whose settings name free ports."""
    settings = services.ground.settings
    stop = asyncio.Event()
    log = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("api", "info", log)
    try:
        async with asyncio.TaskGroup() as tasks, AsyncExitStack() as clients:
            tasks.create_task(serve_http(services, stop))
            try:
                served = Served(
                    services=services,
                    url=f"http://127.0.0.1:{settings.port}",
                    device_url=f"https://127.0.0.1:{settings.device_port}",
                    log=log,
                    folder=folder,
                    clients=clients,
                )
                await _wait_until_ready(served)
                yield served
            finally:
                stop.set()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


async def _wait_until_ready(served: Served) -> None:
    public, device = await served.client(), await served.device()
    async with asyncio.timeout(START_SECONDS):
        for client, path in ((public, "/healthz"), (device, "/device/v1/time")):
            while True:
                try:
                    answer = await client.get(path)
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
                    continue
                assert answer.status_code == httpx.codes.OK, answer.text
                break
