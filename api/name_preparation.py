# SPDX-License-Identifier: Apache-2.0
"""Trains the recogniser of names while an installation is prepared: longest, so beside all else."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.progress_lines import LINE_SECONDS, telling_progress
from guardrails.name_store import FOLDER_NAME, discard_unfinished, ensure_trained

SHOW_SECONDS = 0.5
KEPT = "what was loaded and trained so far is kept, and the next start goes on from there"
BEGINS_ANEW = (
    "the recogniser of names was not finished: its training keeps nothing until it is whole, and"
    " begins anew (two to four minutes of a core)"
)


class NameTraining:
    """A training that runs, or has nothing to do."""

    def __init__(self, folder: Path) -> None:
        self._stop = threading.Event()
        self._steps = (0, 0)
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
        with Progress(*columns, console=console) as bar:
            shown = bar.add_task("recogniser of names", total=None)
            while not self._task.done():
                done, total = self._steps
                bar.update(shown, completed=done, total=total or None)
                await asyncio.wait({self._task}, timeout=SHOW_SECONDS)
            bar.update(shown, completed=1, total=1)
        is_new = await self._task
        console.print(f"  recogniser of names ready ({'trained now' if is_new else 'as it was'})")

    async def stop(self) -> None:
        """End it, done or not."""
        self._stop.set()
        await asyncio.gather(self._task, return_exceptions=True)

    def describe(self) -> str:
        """Return how far it is; "" when it is done, or has not begun."""
        done, total = self._steps
        if self._task.done() or not done:
            return ""
        return f"recogniser of names: trained once, step {done} of {total}"

    def _note(self, done: int, total: int) -> None:
        self._steps = (done, total)


@asynccontextmanager
async def training_names(
    folder: Path, console: Console, *, line_seconds: float = LINE_SECONDS
) -> AsyncIterator[NameTraining]:
    """Train in the background while the block runs; what is unfinished at its end is given up."""
    training = NameTraining(folder)
    try:
        async with telling_progress(console, training.describe, every_seconds=line_seconds):
            yield training
    finally:
        await training.stop()


def conclude_unfinished(data_dir: Path) -> str:
    """Clear up after a preparation that was ended early; return what stays and what begins anew."""
    if discard_unfinished(data_dir / FOLDER_NAME):
        return KEPT
    return f"{KEPT}; {BEGINS_ANEW}"
