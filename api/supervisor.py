# SPDX-License-Identifier: Apache-2.0
"""`eucora up`: everything on one machine, from an empty folder to a watched device.

Prepares what is missing (database, knowledge, models, first account), then keeps a server, a
worker and this machine's agent running, each a process of its own, until it is told to stop. The
children share our process group and watch that we live, so nothing is left behind.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.accounts import Role
from api.bootstrap import (
    Ground,
    load_knowledge,
    migrate_database,
    open_database,
    open_ground,
    train_missing,
)
from api.errors import ApiError
from kernel.settings import Settings

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
LOCAL_INTERVAL_SECONDS = 10  # so that a newcomer need not wait for what the demo shows
FIRST_ROLES = frozenset({Role.ADMIN, Role.APPROVER, Role.HELPDESK, Role.AUDITOR})


class StartError(ApiError):
    """EUCORA could not be started."""


class Child:
    """One process that is restarted when it dies."""

    def __init__(self, name: str, command: Sequence[str], log_path: Path) -> None:
        self.name = name
        self._command = command
        self._log_path = log_path
        self._process: asyncio.subprocess.Process | None = None

    async def keep_running(self, stop: asyncio.Event) -> None:
        """Run the process until `stop` is set; restart it with growing pauses."""
        pause = 0.5
        while not stop.is_set():
            started = time.monotonic()
            with self._log_path.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "EUCORA_SUPERVISOR": str(os.getpid())},
                )
            exited = asyncio.create_task(self._process.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({exited, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if stop.is_set():
                await self._end(exited)
                return
            pause = 0.5 if time.monotonic() - started > 30 else min(pause * 2, 15.0)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)

    async def _end(self, exited: asyncio.Task[int]) -> None:
        if self._process is None or exited.done():
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(exited), STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await exited


async def run_everything(settings: Settings, console: Console) -> None:
    """Prepare and run the product until SIGINT or SIGTERM.

    Raises:
        StartError: a port is taken, or the server did not become ready.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _check_ports(settings)
    started = time.monotonic()
    console.print("[bold]EUCORA[/bold] is starting")
    async with open_database(settings) as addresses:
        console.print("  database ready")
        await migrate_database(addresses)
        console.print("  schema up to date")
        async with open_ground(settings, addresses) as ground:
            password = await prepare(ground, console)
            children = [_child(settings, "serve"), _child(settings, "worker")]
            tasks = [asyncio.create_task(child.keep_running(stop)) for child in children]
            try:
                await _wait_until_ready(settings, stop)
                if not stop.is_set():
                    agent = await start_local_agent(ground, stop)
                    tasks.append(agent)
                    _welcome(console, settings, password, time.monotonic() - started)
                await stop.wait()
            finally:
                stop.set()
                console.print("stopping")
                await asyncio.gather(*tasks, return_exceptions=True)
    console.print("stopped; everything is saved")


def _check_ports(settings: Settings) -> None:
    for port in (settings.port, settings.device_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                raise StartError(
                    f"{settings.host}:{port} is in use; stop what uses it, or set EUCORA_PORT"
                    " and EUCORA_DEVICE_PORT"
                ) from error


def _child(settings: Settings, role: str) -> Child:
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return Child(role, [sys.executable, "-m", "api.cli", role], logs / f"{role}.log")


async def prepare(ground: Ground, console: Console) -> str | None:
    """Load knowledge, train missing models, make the first account.

    Returns:
        The first account's password where it was made now, else None.
    """
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = {name: bar.add_task(name, total=None) for name in ("scripts", "passages")}
        n_documents, n_scripts = await load_knowledge(
            ground,
            progress=lambda name, done, total: bar.update(tasks[name], completed=done, total=total),
        )
    console.print(f"  knowledge ready ({n_documents} documents and {n_scripts} scripts are new)")
    trained = await asyncio.to_thread(
        train_missing, ground, progress=lambda text: console.print(f"  training: {text}")
    )
    console.print(f"  models ready ({len(trained)} trained now)")
    return await make_first_account(ground)


async def make_first_account(ground: Ground) -> str | None:
    """Make the account `admin` where there is none; return its password, shown only once."""
    async with ground.pool.connection() as connection:
        if await ground.accounts.count(connection):
            return None
        password = secrets.token_urlsafe(15)
        await ground.accounts.create(
            connection,
            username="admin",
            password=password,
            roles=FIRST_ROLES,
            display_name="First administrator",
            actor="system:bootstrap",
            correlation_id=ground.ids.new("cor"),
        )
    return password


async def _wait_until_ready(settings: Settings, stop: asyncio.Event) -> None:
    url = f"http://{settings.host}:{settings.port}/readyz"
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(timeout=2.0) as client:
        while not stop.is_set():
            with suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == httpx.codes.OK:
                    return
            if time.monotonic() > deadline:
                raise StartError(f"no answer from {url}; see {settings.data_dir / 'logs'}")
            await asyncio.sleep(0.1)


async def start_local_agent(ground: Ground, stop: asyncio.Event) -> asyncio.Task[None]:
    """Enrol this machine if it is not yet, and keep its agent running."""
    settings = ground.settings
    state = settings.data_dir / "agent"
    agent = [sys.executable, "-m", "agent"]
    if not (state / "identity.json").exists():
        async with ground.pool.connection() as connection:
            token = await ground.accounts.create_enrolment_token(
                connection, actor="system:bootstrap", correlation_id=ground.ids.new("cor")
            )
        process = await asyncio.create_subprocess_exec(
            *agent, "enrol",
            "--server", f"https://{settings.host}:{settings.device_port}",
            "--ca", str(ground.key_store.authority_path()),
            "--state", str(state),
            env={**os.environ, "EUCORA_ENROLMENT_TOKEN": token},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, complaint = await process.communicate()
        if process.returncode:
            raise StartError(f"this machine's agent could not enrol: {complaint.decode()[-500:]}")
    logs = settings.data_dir / "logs"
    interval = min(settings.telemetry_interval_seconds, LOCAL_INTERVAL_SECONDS)
    child = Child(
        "agent",
        [*agent, "run", "--state", str(state), "--interval", str(interval)],
        logs / "agent.log",
    )
    return asyncio.create_task(child.keep_running(stop))


def _welcome(console: Console, settings: Settings, password: str | None, seconds: float) -> None:
    console.print(f"\n[bold green]ready[/bold green] after {seconds:.1f} s")
    console.print(f"  portal   http://{settings.host}:{settings.port}")
    if password:
        console.print(f"  log in   admin / {password}   (shown only now)", highlight=False)
    else:
        console.print("  log in   with your account (forgotten: eucora account reset NAME)")
    console.print("  try      eucora demo    in another terminal")
    console.print(f"  logs     {settings.data_dir / 'logs'}\n  stop     Ctrl-C\n")
