# SPDX-License-Identifier: Apache-2.0
"""Trains the recogniser of names while an installation is prepared: longest, so beside all else."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from guardrails.name_store import ensure_trained

SHOW_SECONDS = 0.5


class NameTraining:
    """A training that runs, or has nothing to do."""

    def __init__(self, folder: Path) -> None:
        self._stop = threading.Event()
        self._steps = (0, 1)
        self._task = asyncio.create_task(
            asyncio.to_thread(ensure_trained, folder, self._note, self._stop)
        )

    async def show_until_done(self, console: Console) -> None:
        """Wait for the end and show how far it is.

        Raises:
            NameModelError: it could not be trained.
        """
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        if not console.is_terminal:  # where no bar is shown, this would look like a standstill
            await asyncio.wait({self._task}, timeout=SHOW_SECONDS)
            if not self._task.done():
                console.print("  recogniser of names: trained once, takes some minutes")
        with Progress(*columns, console=console) as bar:
            shown = bar.add_task("recogniser of names", total=None)
            while not self._task.done():
                done, total = self._steps
                bar.update(shown, completed=done, total=total)
                await asyncio.wait({self._task}, timeout=SHOW_SECONDS)
            bar.update(shown, completed=1, total=1)
        is_new = await self._task
        console.print(f"  recogniser of names ready ({'trained now' if is_new else 'as it was'})")

    async def stop(self) -> None:
        """End it, done or not."""
        self._stop.set()
        await asyncio.gather(self._task, return_exceptions=True)

    def _note(self, done: int, total: int) -> None:
        self._steps = (done, total)


@asynccontextmanager
async def training_names(folder: Path) -> AsyncIterator[NameTraining]:
    """Train in the background while the block runs; what is unfinished at its end is given up."""
    training = NameTraining(folder)
    try:
        yield training
    finally:
        await training.stop()
