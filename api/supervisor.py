# SPDX-License-Identifier: Apache-2.0
"""`eucora up`: everything on one machine, from an empty folder to a watched device.

Prepares what is missing (database, knowledge, models, first account), then keeps a server, a
worker and this machine's agent running, each a process of its own, until it is told to stop. The
children share our process group and watch that we live, so nothing is left behind. An
installation that was prepared before starts at once; where program or knowledge have changed since,
what is new is loaded beside.
"""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from rich.console import Console

from api.child_process import SUPERVISOR_VARIABLE, Child
from api.errors import ApiError
from api.first_account import make_first_account
from api.ground import Ground, migrate_database, open_database, open_ground
from api.name_preparation import conclude_unfinished
from api.preparation_record import digest_sources, is_prepared
from api.running_server import RunsAlreadyError, address_in, stating_address
from kernel.settings import Settings

READY_SECONDS = 120.0
PREPARE_AFTER_SECONDS = 20.0
PORT_SECONDS = 15.0  # until the processes of a killed supervisor have ended
LOCAL_INTERVAL_SECONDS = 10  # so that a newcomer need not wait for what the demo shows


class StartError(ApiError):
    """EUCORA could not be started."""


async def run_everything(settings: Settings, console: Console) -> None:
    """Prepare and run the product until SIGINT or SIGTERM.

    Raises:
        StartError: it runs already, a port is taken, or the server did not become ready.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with running_alone(settings):
        await _await_ports(settings, stop, console)
        if stop.is_set():
            return
        started = time.monotonic()
        console.print("[bold]EUCORA[/bold] is starting")
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            console.print("  database ready, schema up to date")
            async with open_ground(settings, addresses) as ground:
                try:
                    is_prepared_now = await _run_children(ground, stop, console, started)
                finally:
                    stop.set()
    _say_stopped(console, settings, is_prepared_now=is_prepared_now)


@contextmanager
def running_alone(settings: Settings) -> Iterator[None]:
    """Be the only supervisor of a data folder, and let its other commands know the address.

    Raises:
        StartError: another one runs.

    """
    with ExitStack() as place:
        try:
            place.enter_context(stating_address(settings))
        except RunsAlreadyError as error:
            raise StartError(str(error)) from error
        yield


async def _run_children(
    ground: Ground, stop: asyncio.Event, console: Console, started: float
) -> bool:
    """Run until told to stop; return whether all was prepared by then."""
    settings = ground.settings
    async with ground.pool.connection() as connection:
        prepared_before = await ground.accounts.count(connection) > 0
    prepared_now = prepared_before or await _prepare(stop)
    if stop.is_set():
        return prepared_now
    if not prepared_now:
        raise StartError(f"the installation in {settings.data_dir} could not be prepared")
    password = await make_first_account(ground)
    tasks = [asyncio.create_task(_child(settings, "serve").keep_running(stop))]
    ready = asyncio.Event()
    loading = asyncio.create_task(_load_new_knowledge(ground, stop, ready, console))
    try:
        await _wait_until_ready(settings, stop)
        if not stop.is_set():
            # Loading takes all of a core or two: people wait for the page, reports can wait.
            tasks.append(asyncio.create_task(_child(settings, "worker").keep_running(stop)))
            tasks.append(await start_local_agent(ground, stop))
            _welcome(console, settings, password, time.monotonic() - started)
        ready.set()
        await _await_end((loading, *tasks), stop)
    finally:
        stop.set()
        console.print("stopping")
        await asyncio.gather(loading, *tasks, return_exceptions=True)
    return loading.result()


async def _await_end(tasks: Iterable[asyncio.Task[Any]], stop: asyncio.Event) -> None:
    """Wait until told to stop; a watcher that fails is an error of ours, and said at once."""
    stopped = asyncio.create_task(stop.wait())
    waiting: set[asyncio.Task[Any]] = {stopped, *tasks}
    while not stopped.done():
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


async def _load_new_knowledge(
    ground: Ground, stop: asyncio.Event, ready: asyncio.Event, console: Console
) -> bool:
    """Load beside the start, which it must not slow down, nor wait for: it may be its cure.

    Returns:
        Whether all that there is was loaded.

    """
    settings = ground.settings
    if await _has_nothing_to_prepare(ground):
        return True
    with suppress(TimeoutError):
        await asyncio.wait_for(ready.wait(), PREPARE_AFTER_SECONDS)
    log_path = settings.data_dir / "logs" / "prepare.log"
    is_loaded = not stop.is_set() and await _prepare(stop, log_path)
    if not is_loaded and not stop.is_set():
        console.print(f"[red]new knowledge could not be loaded[/red]; see {log_path}")
    return is_loaded


async def _has_nothing_to_prepare(ground: Ground) -> bool:
    sources = await asyncio.to_thread(digest_sources, ground.settings)
    try:
        async with ground.pool.connection() as connection:
            return await is_prepared(connection, ground.settings, sources)
    except psycopg.OperationalError:  # the database is starting again: preparing waits for it
        return False


async def _prepare(stop: asyncio.Event, log_path: Path | None = None) -> bool:
    """Load knowledge and train what is missing, in a process that gives its memory back.

    Args:
        stop: ends it; each of its steps is whole or undone.
        log_path: where it writes, None for this terminal.

    Returns:
        Whether it succeeded.

    """
    with ExitStack() as files:
        log = files.enter_context(log_path.open("ab")) if log_path else None
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.cli", "prepare", "--no-account",
            stdout=log, stderr=log,
            env={**os.environ, SUPERVISOR_VARIABLE: str(os.getpid())},
        )  # fmt: skip
    ended = asyncio.create_task(process.wait())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not ended.done():
        with suppress(ProcessLookupError):
            process.kill()
        await ended
    return process.returncode == 0


def _say_stopped(console: Console, settings: Settings, *, is_prepared_now: bool) -> None:
    """Say what is kept; nothing of what was begun and not finished stays behind."""
    if is_prepared_now:
        console.print("stopped; everything is saved")
        return
    kept = conclude_unfinished(settings.data_dir)
    line = f"stopped before all was prepared: {kept}"
    console.print(line, highlight=False, soft_wrap=True)


async def _await_ports(settings: Settings, stop: asyncio.Event, console: Console) -> None:
    deadline = time.monotonic() + PORT_SECONDS
    for port in (settings.port, settings.device_port):
        is_told = False
        while not stop.is_set() and not _is_free(settings.host, port):
            if not is_told:
                console.print(
                    f"waiting until {settings.host}:{port} is free, {PORT_SECONDS:.0f} s at most:"
                    " processes of a start that was killed may still be ending",
                    highlight=False,
                    soft_wrap=True,
                )
                is_told = True
            if time.monotonic() > deadline:
                raise StartError(
                    f"{settings.host}:{port} is in use; stop what uses it, or set EUCORA_PORT"
                    " and EUCORA_DEVICE_PORT"
                )
            await asyncio.sleep(0.2)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _child(settings: Settings, role: str) -> Child:
    logs = settings.data_dir / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return Child(role, [sys.executable, "-m", "api.cli", role], logs / f"{role}.log")


async def _wait_until_ready(settings: Settings, stop: asyncio.Event) -> None:
    url = f"{address_in(settings)}/readyz"
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
            token = await ground.tokens.create_enrolment_token(
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
    console.print(f"  portal   {address_in(settings)}")
    if password:
        console.print(f"  log in   admin / {password}   (shown only now)", highlight=False)
    else:
        console.print("  log in   with your account (forgotten: eucora account reset NAME)")
    console.print("  try      eucora demo    in another terminal")
    console.print(f"  logs     {settings.data_dir / 'logs'}", soft_wrap=True)
    console.print("  stop     Ctrl-C\n")
