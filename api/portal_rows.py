# SPDX-License-Identifier: Apache-2.0
"""Rows of the portal's named queries, for pages and commands alike: loads nothing that serves."""

from typing import Any

from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "portal")


async def fetch(connection: Connection, query: str, **values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query of `sql/portal.sql`."""
    return await (await connection.execute(QUERIES[query], values)).fetchall()
