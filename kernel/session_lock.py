# SPDX-License-Identifier: Apache-2.0
"""A lock that lasts over many transactions: for work of which there must be one at a time.

PostgreSQL keeps it for the session, so it ends with the connection at the latest: at `kill -9` of
the program, and also here where a cancellation leaves unclear whether it was given back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from kernel.database import Connection, Pool
from kernel.queries import load_queries

QUERIES: Final = load_queries(__file__, "session_lock")
# The server notices within milliseconds that a connection ended.
ATTEMPTS: Final = 10
PAUSE_SECONDS: Final = 0.1


@asynccontextmanager
async def try_session_lock(pool: Pool, name: str) -> AsyncIterator[bool]:
    """Keep others out for the length of the block; yield False if somebody else is in.

    It takes a connection of the pool for so long. Cancelled wherever, it lets the next one in.
    """
    async with pool.connection() as connection:
        is_clean = False
        try:
            is_mine = await _take(connection, name)
            try:
                yield is_mine
            finally:
                if is_mine:
                    await connection.execute(QUERIES["unlock"], {"name": name})
                    await connection.commit()
                is_clean = True
        finally:
            if not is_clean:
                await connection.close()  # at once, without waiting for anything


async def _take(connection: Connection, name: str) -> bool:
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(PAUSE_SECONDS)
        row = await (await connection.execute(QUERIES["try_lock"], {"name": name})).fetchone()
        await connection.commit()
        if row and row["is_mine"]:
            return True
    return False
