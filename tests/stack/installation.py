# SPDX-License-Identifier: Apache-2.0
"""A running installation: `eucora up` as a real process group, and its processes by name."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from psycopg.rows import dict_row

from kernel.postmaster import Cluster
from kernel.rolepasswords import Role, load_passwords
from tests.stack.prepared import ROOT, Prepared

READY_SECONDS = 180
STOP_SECONDS = 60
# Who asks opens a connection each time: often, and asking takes the core that it waits for.
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.3


def find_free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(condition: Callable[[], Any], timeout_seconds: float, what: str) -> Any:
    """Return the condition's first true value; fail when time is over."""
    deadline = time.monotonic() + timeout_seconds
    pause = SHORTEST_PAUSE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout_seconds} s in vain: {what}"
        time.sleep(pause)
        pause = min(1.3 * pause, LONGEST_PAUSE_SECONDS)
    return value


class Installation:
    """One `eucora up` on a copy of the prepared folder."""

    def __init__(self, prepared: Prepared, folder: Path, **settings: str) -> None:
        """State where it lives; `settings` are names of `EUCORA_*` variables, lower case."""
        self.data_dir = prepared.copy(folder / "eucora")
        self.admin_password = prepared.admin_password
        self.port, self.device_port = find_free_port(), find_free_port()
        values = {
            "data_dir": str(self.data_dir),
            "mlruns_dir": str(prepared.mlruns_dir),
            "port": str(self.port),
            "device_port": str(self.device_port),
            "telemetry_interval_seconds": "1",
            **settings,
        }
        self.environment = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            **{f"EUCORA_{name.upper()}": value for name, value in values.items()},
        }
        self.output = folder / "up.log"
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_started(self) -> bool:
        """Tell whether it was started and neither stopped nor killed as a whole since."""
        return self._up is not None

    def start(self) -> float:
        """Start it and wait for a ready page; return how many seconds that took."""
        started = time.monotonic()
        with self.output.open("ab") as output:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "api.cli", "up"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(self.answers, READY_SECONDS, "a ready page")
        return time.monotonic() - started

    def await_calm(self) -> None:
        """Wait until all that starts has started: a fault that burns a core would slow it down."""
        wait_until(self._has_scored, READY_SECONDS, "a scored report")
        wait_until(lambda: not self.find_process("prepare"), READY_SECONDS, "an end of preparation")

    def _has_scored(self) -> bool:
        return bool(
            self.query(
                "SELECT 1 FROM outbox WHERE topic = 'telemetry.stored' AND done_at IS NOT NULL"
                " LIMIT 1"
            )
        )

    def answers(self) -> bool:
        """Tell whether its page is ready."""
        assert self._up is not None
        assert self._up.poll() is None, self.output.read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """Press Ctrl-C and wait for a clean end."""
        assert self._up is not None
        os.killpg(self._up.pid, signal.SIGINT)
        assert self._up.wait(STOP_SECONDS) == 0, self.output.read_text()[-3000:]
        self._up = None

    def kill_group(self) -> None:
        """Kill supervisor, server, worker and agent at once; then the database."""
        assert self._up is not None
        os.killpg(self._up.pid, signal.SIGKILL)
        self._up.wait(STOP_SECONDS)
        self._up = None
        with suppress(psutil.NoSuchProcess):
            if (postmaster := self.find_postmaster()) is not None:
                postmaster.kill()

    def kill_supervisor(self) -> None:
        """Kill `eucora up` alone; what it started has to notice."""
        assert self._up is not None
        self._up.kill()
        self._up.wait(STOP_SECONDS)
        self._up = None

    def list_processes(self) -> list[psutil.Process]:
        """Return every living process of this installation, whoever started it."""
        folder = str(self.data_dir)
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                is_ours = process.environ().get("EUCORA_DATA_DIR") == folder
                if is_ours or any(folder in argument for argument in process.cmdline()):
                    found.append(process)
        return found

    def end_leftovers(self) -> None:
        """Kill what a failed test left running."""
        for process in self.list_processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def find_process(self, role: str) -> psutil.Process | None:
        """Return the process of `serve`, `worker`, `agent` or `postgres` that lives now."""
        if role == "postgres":
            return self.find_postmaster()
        assert self._up is not None
        for child in psutil.Process(self._up.pid).children():
            try:
                command = child.cmdline()
            except psutil.NoSuchProcess:
                continue
            if role == "agent" and command[1:4] == ["-m", "agent", "run"]:
                return child
            if command[1:4] == ["-m", "api.cli", role]:
                return child
        return None

    def find_postmaster(self) -> psutil.Process | None:
        """Return the database's postmaster."""
        found = Cluster(self.data_dir, durable=True).find_postmaster()
        try:
            return psutil.Process(found.process_id) if found else None
        except psutil.NoSuchProcess:
            return None

    def kill(self, role: str) -> int:
        """Kill one process with SIGKILL; return its process id."""
        while True:
            process = wait_until(lambda: self.find_process(role), 60, f"a process {role}")
            with suppress(psutil.NoSuchProcess):  # it died by itself: then its successor
                process.kill()
                return int(process.pid)

    @contextmanager
    def connect(self, database: str = "eucora") -> Iterator[psycopg.Connection[dict[str, Any]]]:
        """Connect to its database as the superuser, past all that is under test.

        Raises psycopg.OperationalError where no server runs, as where one does not answer.
        """
        found = Cluster(self.data_dir, durable=True).find_postmaster()
        if found is None or found.socket_dir is None:
            message = "no server runs on this data folder"
            raise psycopg.OperationalError(message)
        password = load_passwords(self.data_dir / "postgres-roles.json")[Role.SUPERUSER]
        url = f"postgresql://postgres:{password}@/{database}?host={found.socket_dir}"
        with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
            yield connection

    def query(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of one statement."""
        with self.connect() as connection:
            return connection.execute(statement, values).fetchall()

    def command(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one `eucora` command on it."""
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
