# SPDX-License-Identifier: Apache-2.0
"""Every query of retrieval and reasoning can be planned on the real schema."""

import re

import pytest

from reasoning.candidates import QUERIES as OUTCOMES
from reasoning.sealing import QUERIES as SEALING
from retrieval.catalogue import QUERIES as CATALOGUE
from retrieval.corpus import QUERIES as CORPUS

FILES = (CATALOGUE, CORPUS, OUTCOMES, SEALING)
STATEMENTS = [pytest.param(sql, id=name) for queries in FILES for name, sql in queries.items()]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_query_is_planned(connection, statement):
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(
        r"%\((\w+)\)s", lambda match: f"${names.index(match.group(1)) + 1}", statement
    )
    await connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}")
