# SPDX-License-Identifier: Apache-2.0
"""Keeps a process's directory of people and machines as PostgreSQL has it.

Read as a whole once, then once a second for what has changed, so a person or device added anywhere
is masked everywhere within STALE_SECONDS. What was removed is forgotten with the next whole
reading. A case's own device and users are read with the case, and need not wait.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from guardrails.directory import Directory
from guardrails.errors import MaskingError
from guardrails.ordinary_words import ORDINARY_WORDS
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.logs import get_logger
from kernel.outbox import pause
from kernel.queries import load_queries

QUERIES: Final = load_queries(__file__, "directory")
REFRESH_SECONDS: Final = 1.0
STALE_SECONDS: Final = 2.0  # at most, from a commit to masking by it, while PostgreSQL answers
KEPT_CHANGES: Final = timedelta(hours=1)
WHOLE_SECONDS: Final = 900.0  # a reader that was away longer reads everything anew
LEAST_WHOLE_SECONDS: Final = 60.0  # between two whole readings for what was removed
_BATCH_ROWS: Final = 5000
_logger = get_logger(__name__)

Name = tuple[str, str]  # kind (account, person, host or asset), name


def add_names(directory: Directory, names: Iterable[Name]) -> None:
    """Add names by their kind."""
    add = {
        "account": directory.add_account,
        "person": directory.add_person,
        "host": directory.add_host,
        "asset": directory.add_serial,
    }
    for kind, name in names:
        add[kind](name)


async def read_own_names(
    connection: Connection, *, device_id: str | None, user_ids: Sequence[str] = ()
) -> Directory:
    """Return a directory of a case's own device, that device's users and those it names."""
    cursor = await connection.execute(
        QUERIES["list_own_names"], {"device_id": device_id, "user_ids": list(user_ids)}
    )
    own = Directory()
    add_names(own, [(row["kind"], row["name"]) for row in await cursor.fetchall()])
    return own


class DirectoryFeed:
    """Fills one directory and keeps it fresh.

    Args:
        pool: of the application's role.
        directory: filled and replaced here alone.
        clock: tells which changes are old.

    """

    def __init__(self, pool: Pool, directory: Directory, clock: Clock) -> None:
        self._pool = pool
        self._directory = directory
        self._clock = clock
        self._horizon = "0"
        self._read_at = -WHOLE_SECONDS
        self._whole_at = -WHOLE_SECONDS
        self._has_gone = False
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what has changed; everything, the first time, after a long silence or removals.

        Raises:
            psycopg.Error: the database did not answer; the directory is as it was.
        """
        async with self._lock:
            now = time.monotonic()
            is_new = not self._directory.is_complete or now - self._read_at > WHOLE_SECONDS
            if is_new or (self._has_gone and now - self._whole_at > LEAST_WHOLE_SECONDS):
                await self._read_all()
                self._whole_at = now
                self._has_gone = False
            else:
                await self._read_changes()
            self._read_at = now

    async def require(self) -> None:
        """Read everything unless that was done: for who masks once and ends."""
        if not self._directory.is_complete:
            await self.refresh()

    async def run(self, stop: asyncio.Event) -> None:
        """Refresh until `stop` is set; outlives restarts of the database."""
        while not stop.is_set():
            try:
                await self.refresh()
            except (psycopg.OperationalError, PoolTimeout) as error:
                _logger.warning(
                    "directory not refreshed", action="directory", decision="retry", exc_info=error
                )
            await pause(stop, REFRESH_SECONDS)

    async def forget_changes(self) -> None:
        """Drop changes that every reader has seen or will not miss."""
        async with self._pool.connection() as connection:
            await connection.execute(
                QUERIES["forget_changes"], {"before": self._clock.now() - KEPT_CHANGES}
            )

    async def _read_all(self) -> None:
        async with self._pool.connection() as connection:
            # Before the tables: what commits meanwhile is then read twice, never overlooked.
            horizon = await _read_horizon(connection)
            cursor = await connection.execute(QUERIES["list_ordinary_words"])
            words = {row["word"] for row in await cursor.fetchall()}
            fresh = Directory(ordinary=ORDINARY_WORDS | words)
            async with connection.cursor("directory") as cursor:
                await cursor.execute(QUERIES["list_names"])
                while rows := await cursor.fetchmany(_BATCH_ROWS):
                    names = [(row["kind"], row["name"]) for row in rows]
                    await asyncio.to_thread(add_names, fresh, names)
        self._directory.replace(fresh)
        self._horizon = horizon

    async def _read_changes(self) -> None:
        async with self._pool.connection() as connection:
            horizon = await _read_horizon(connection)
            cursor = await connection.execute(
                QUERIES["list_changed_names"], {"horizon": self._horizon}
            )
            rows = [(row["kind"], row["name"]) for row in await cursor.fetchall()]
        present = [(kind, name) for kind, name in rows if kind != "gone"]
        self._has_gone |= len(present) < len(rows)
        add_names(self._directory, present)
        self._horizon = horizon


async def _read_horizon(connection: Connection) -> str:
    row = await (await connection.execute(QUERIES["read_horizon"])).fetchone()
    if row is None:
        raise MaskingError("the database named no horizon")
    return str(row["horizon"])
