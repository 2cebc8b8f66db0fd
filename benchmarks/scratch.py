# SPDX-License-Identifier: Apache-2.0
"""A scratch installation that a benchmark starts, looks at from outside, and ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil

from api.ground import Ground, open_database, open_ground
from kernel.settings import Settings

READY_SECONDS = 900
STOP_SECONDS = 60
POLL_SECONDS = 0.02


class ScratchError(Exception):
    """The scratch installation does not do what a benchmark needs."""


class ScratchInstallation:
    """One `eucora up` on a folder of its own, on free ports of the loopback interface."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "eucora"
        self._output = folder / "up.log"
        self._port, device_port = _find_free_port(), _find_free_port()
        self._environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "EUCORA_DATA_DIR": str(self.data_dir),
            "EUCORA_MLRUNS_DIR": str(folder / "mlruns"),
            "EUCORA_PORT": str(self._port),
            "EUCORA_DEVICE_PORT": str(device_port),
        }
        self._settings = Settings(
            data_dir=self.data_dir,
            mlruns_dir=folder / "mlruns",
            port=self._port,
            device_port=device_port,
        )
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> float:
        """Start it; return the seconds until a page answers that it is ready.

        Raises:
            ScratchError: it ended, or is not ready in time.
        """
        started = time.monotonic()
        with self._output.open("ab") as output:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "up"],
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        while not self._is_ready():
            if self._up.poll() is not None or time.monotonic() - started > READY_SECONDS:
                raise ScratchError(f"not ready:\n{self._output.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)
        return time.monotonic() - started

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def stop(self) -> float:
        """Press Ctrl-C; return the seconds until it has ended."""
        if self._up is None:
            return 0.0
        started = time.monotonic()
        os.killpg(self._up.pid, signal.SIGINT)
        try:
            self._up.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._up.pid, signal.SIGKILL)
            self._up.wait()
        self._up = None
        return time.monotonic() - started

    def find_process(self, role: str) -> psutil.Process:
        """Return the process of `up`, `serve`, `worker` or `agent`; waits for it to exist.

        Raises:
            ScratchError: there is none.
        """
        if self._up is None:
            raise ScratchError("it is not running")
        supervisor = psutil.Process(self._up.pid)
        if role == "up":
            return supervisor
        wanted = ["-m", "agent", "run"] if role == "agent" else ["-m", "api.cli", role]
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            for child in supervisor.children():
                if child.cmdline()[1:4] == wanted:
                    return child
            time.sleep(POLL_SECONDS)
        raise ScratchError(f"no process {role}")

    def command(self, *arguments: str) -> str:
        """Run one `eucora` command on it; return what it prints."""
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    @asynccontextmanager
    async def open_ground(self) -> AsyncIterator[Ground]:
        """Open its database beside its own processes."""
        async with (
            open_database(self._settings) as addresses,
            open_ground(self._settings, addresses) as ground,
        ):
            yield ground


async def await_row(ground: Ground, statement: str, **values: object) -> dict[str, object]:
    """Poll until a statement returns a row, and return it.

    Raises:
        ScratchError: none came within a minute.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        async with ground.pool.connection() as connection:
            row = await (await connection.execute(statement, values)).fetchone()
        if row is not None:
            return dict(row)
        await asyncio.sleep(POLL_SECONDS / 4)
    raise ScratchError(f"waited in vain for: {statement}")


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
