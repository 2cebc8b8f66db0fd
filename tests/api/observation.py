# SPDX-License-Identifier: Apache-2.0
"""What tests of the ways in look at: rows of all tables, problem answers, audit events."""

from typing import Any

import httpx
from psycopg import sql

from tests.stack.served import Served

PROBLEM = "application/problem+json"
AUDIT_TABLES = frozenset({"audit_events", "log_pending"})


async def count_rows(served: Served) -> dict[str, int]:
    """Return how many rows each of our tables has."""
    tables = await served.query(
        "SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND has_table_privilege(c.oid, 'SELECT')"
    )
    counts = {}
    async with served.services.ground.pool.connection() as connection:
        for table in tables:
            query = sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(table["name"]))
            row = await (await connection.execute(query)).fetchone()
            assert row is not None
            counts[table["name"]] = row["n"]
    return counts


def changed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    """Return the tables that have more or fewer rows."""
    return {name for name in after if after[name] != before.get(name)}


def check_problem(answer: httpx.Response, status: int, *words: str) -> dict[str, Any]:
    """Check that an answer is an RFC 9457 problem that says these words; return it."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == PROBLEM
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["instance"] == f"urn:eucora:{answer.headers['x-correlation-id']}"
    for word in words:
        assert word in document["detail"], document["detail"]
    return document


async def events_of(served: Served, correlation_id: str) -> list[dict[str, Any]]:
    """Return the audit events of one request, in their order."""
    return await served.query(
        "SELECT actor, action, subject_kind, subject_id, device_id, before, after"
        " FROM audit_events WHERE correlation_id = %s ORDER BY position",
        correlation_id,
    )
