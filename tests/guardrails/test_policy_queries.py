# SPDX-License-Identifier: Apache-2.0
"""Every query of policies can be planned on the real schema."""

import re

import pytest

from guardrails.policy_store import QUERIES


@pytest.mark.parametrize("name", QUERIES)
async def test_query_is_planned(connection, name):
    statement = QUERIES[name]
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(
        r"%\((\w+)\)s", lambda match: f"${names.index(match.group(1)) + 1}", statement
    )
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}".encode())
    assert await cursor.fetchall()
