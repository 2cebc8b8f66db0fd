# SPDX-License-Identifier: Apache-2.0
"""Every query of governance and dispatch can be planned on the real schema."""

import re

import pytest

from dispatch.job_records import QUERIES as JOBS
from governance.approval_records import QUERIES as APPROVALS
from governance.freeze_windows import QUERIES as FREEZES
from governance.labels import QUERIES as LABELS
from governance.proposals import QUERIES as PROPOSALS
from governance.risk_exceptions import QUERIES as EXCEPTIONS
from governance.script_versions import QUERIES as SCRIPTS

FILES = (JOBS, SCRIPTS, APPROVALS, FREEZES, LABELS, PROPOSALS, EXCEPTIONS)
STATEMENTS = [pytest.param(sql, id=name) for queries in FILES for name, sql in queries.items()]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_query_is_planned(connection, statement):
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(
        r"%\((\w+)\)s", lambda match: f"${names.index(match.group(1)) + 1}", statement
    )
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}")
    assert await cursor.fetchall()
