# SPDX-License-Identifier: Apache-2.0
"""Runs the two HTTP servers of one process: people's and devices', until told to stop."""

import asyncio
import gc
import os
import signal
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvicorn

from api.bootstrap import Services, open_services
from api.child_process import SUPERVISOR_VARIABLE
from api.client_certificates import CertificateProtocol
from api.device_app import create_device_app
from api.ground import migrate_database, open_database, open_ground
from api.public_app import create_public_app
from api.worker import run_worker
from api.worker_presence import name_sessions
from kernel.logs import configure_logging, get_logger, log_uncaught
from kernel.settings import Settings

GRACE_SECONDS = 5
FAILED_SECONDS = 10.0  # from a role's failure to the end of its process, whatever still runs
Role = Callable[[Services, asyncio.Event], Awaitable[None]]
_logger = get_logger(__name__)


class _Server(uvicorn.Server):
    """A server that leaves signals to us."""

    def install_signal_handlers(self) -> None:
        """Do nothing: the process has one handler for all it runs."""


async def serve_http(services: Services, stop: asyncio.Event) -> None:
    """Serve people and devices until `stop` is set."""
    settings = services.ground.settings
    certificate, key = services.ground.key_store.server_certificate(
        ["localhost", "127.0.0.1", settings.host]
    )
    public = uvicorn.Config(
        create_public_app(services),
        host=settings.host,
        port=settings.port,
        server_header=False,
        log_config=None,
        access_log=False,  # ours names the route; this one would name paths and addresses
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    devices = uvicorn.Config(
        create_device_app(services),
        host=settings.host,
        port=settings.device_port,
        http=CertificateProtocol,
        ssl_certfile=str(certificate),
        ssl_keyfile=str(key),
        ssl_ca_certs=str(services.ground.key_store.authority_path()),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
        server_header=False,
        log_config=None,
        access_log=False,  # ours names the route; this one would name paths and addresses
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    servers = [_Server(public), _Server(devices)]
    async with asyncio.TaskGroup() as tasks:
        for server in servers:
            tasks.create_task(server._serve())  # noqa: SLF001 - serve() would take the signals
        tasks.create_task(services.model_watch.run(stop))
        tasks.create_task(services.mlflow_pages.run(stop))
        tasks.create_task(services.ground.directory.run(stop))
        await stop.wait()
        for server in servers:
            server.should_exit = True


async def run_process(name: str, settings: Settings, role: Role, *, session_name: str = "") -> None:
    """Open the product and run one role until SIGINT, SIGTERM or the parent's end.

    A role that fails ends the process soon, so that it can be started again: half a worker would
    look like a whole one.
    """
    configure_logging(name, settings.log_level, sys.stderr)
    log_uncaught()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    watcher = asyncio.create_task(_watch_parent(stop))
    try:
        async with (
            open_database(settings) as addresses,
            open_ground(settings, addresses, session_name=session_name) as ground,
            open_services(ground) as services,
        ):
            gc.enable()
            try:
                await role(services, stop)
            except Exception:
                _logger.exception("role failed", action=name, decision="end")
                end_process_within(FAILED_SECONDS)
                raise
    finally:
        watcher.cancel()


def end_process_within(seconds: float) -> None:
    """End this process with code 1 after so many seconds, if it has not ended by itself.

    Closing may wait for ever for a thread or a task of ours that hangs.
    """
    timer = threading.Timer(seconds, os._exit, args=(1,))
    timer.daemon = True
    timer.start()


async def _watch_parent(stop: asyncio.Event) -> None:
    """Stop with a supervisor that was killed, so that nothing of ours stays behind."""
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    while supervisor and str(os.getppid()) == supervisor:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
            return
    if supervisor:
        stop.set()


async def run_server(settings: Settings) -> None:
    """Run the API and the portal."""
    await run_process("api", settings, serve_http)


async def run_background(settings: Settings) -> None:
    """Run a worker."""
    await run_process("worker", settings, run_worker, session_name=name_sessions())


async def prepare_database(settings: Settings) -> None:
    """Migrate the schema; the embedded server is started for it if need be."""
    async with open_database(settings) as addresses:
        await migrate_database(addresses)
