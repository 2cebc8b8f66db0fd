# SPDX-License-Identifier: Apache-2.0
"""Every query of the package is planned by PostgreSQL against the real schema."""

import re

import pytest

from evidence import audit, bundles, log

QUERIES = [
    (module.__name__, name, statement)
    for module in (audit, bundles, log)
    for name, statement in module.QUERIES.items()
]


@pytest.mark.parametrize(
    ("module", "name", "statement"), QUERIES, ids=[f"{m}:{n}" for m, n, _ in QUERIES]
)
async def test_each_query_is_planned(connection, module, name, statement) -> None:
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

    planned = re.sub(r"%\((\w+)\)s", number, statement)
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {planned}".encode())
    assert await cursor.fetchall()
