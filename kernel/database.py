# SPDX-License-Identifier: Apache-2.0
"""The pool of PostgreSQL connections.

Rows are dictionaries, moments are in UTC, a dictionary handed in as a parameter becomes jsonb.
Repositories take a Connection; whoever calls them owns the transaction.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import JsonbDumper
from psycopg_pool import AsyncConnectionPool

Connection = psycopg.AsyncConnection[dict[str, Any]]
Pool = AsyncConnectionPool[Connection]


async def configure_connection(connection: Connection) -> None:
    """Teach a new connection to send dictionaries as jsonb."""
    connection.adapters.register_dumper(dict, JsonbDumper)


async def connect(dsn: str, *, autocommit: bool = False) -> Connection:
    """Open one connection outside of any pool, configured like those of the pool."""
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=autocommit, row_factory=dict_row, options="-c TimeZone=UTC"
    )
    await configure_connection(connection)
    return connection


@asynccontextmanager
async def open_pool(
    dsn: str, *, min_size: int = 1, max_size: int = 8, name: str = ""
) -> AsyncIterator[Pool]:
    """Open a pool, and close it at the end of the block.

    Connections are checked when taken, so a server that was restarted is noticed by the pool and
    not by its users. `name` is what the server calls the sessions, where that is to be known.

    Raises:
        psycopg_pool.PoolTimeout: no connection within 30 seconds.
    """
    pool: Pool = AsyncConnectionPool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        open=False,
        kwargs={
            "row_factory": dict_row,
            "options": "-c TimeZone=UTC",
            **({"application_name": name} if name else {}),
        },
        configure=configure_connection,
        check=AsyncConnectionPool.check_connection,
    )
    async with pool:
        await pool.wait(timeout=30.0)
        yield pool
