# SPDX-License-Identifier: Apache-2.0
"""How far long work is, where no bar can be shown: a line now and then, for logs and pipes."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.console import Console

LINE_SECONDS = 30.0


@asynccontextmanager
async def telling_progress(
    console: Console, describe: Callable[[], str], *, every_seconds: float = LINE_SECONDS
) -> AsyncIterator[None]:
    """Print how far the block's work is at intervals; nothing at a terminal, which has bars.

    Args:
        console: where to.
        describe: says how far it is; "" where there is nothing to say now.
        every_seconds: from one line to the next.

    """
    if console.is_terminal:
        yield
        return
    telling = asyncio.create_task(_tell(console, describe, every_seconds))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})


async def _tell(console: Console, describe: Callable[[], str], every_seconds: float) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(every_seconds)
        if text := describe():
            minutes, seconds = divmod(round(time.monotonic() - began), 60)
            line = f"  {text} ({minutes}:{seconds:02} min)"
            console.print(line, highlight=False, soft_wrap=True)
