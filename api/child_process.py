# SPDX-License-Identifier: Apache-2.0
"""A process of ours that is started again when it dies, until all is told to stop."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 20.0
WATCH_SECONDS = 0.5
SUPERVISOR_VARIABLE = "EUCORA_SUPERVISOR"  # the process id of `eucora up`
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 30.0  # a process that lived so long had a good start


def end_with_supervisor() -> None:
    """Let a signal end this process when the supervisor that started it has gone.

    For processes that work in long steps; servers and workers stop by themselves.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)

    def watch() -> None:
        while str(os.getppid()) == supervisor:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    if supervisor:
        threading.Thread(target=watch, daemon=True).start()


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
                    env={**os.environ, SUPERVISOR_VARIABLE: str(os.getpid())},
                )
            exited = asyncio.create_task(self._process.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({exited, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if stop.is_set():
                await self._end(exited)
                return
            killed = exited.result() < 0  # a signal: not the process's own fault
            steady = killed or time.monotonic() - started > STEADY_SECONDS
            pause = 0.5 if steady else min(pause * 2, LONGEST_PAUSE_SECONDS)
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
