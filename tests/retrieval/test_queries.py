# SPDX-License-Identifier: Apache-2.0
"""Every query of retrieval and reasoning can be planned on the real schema."""

import re
from pathlib import Path

import pytest

import retrieval
from kernel.queries import load_queries
from reasoning.candidates import QUERIES as OUTCOMES
from reasoning.sealing import QUERIES as SEALING
from retrieval.facets import SearchFilter

PACKAGE = retrieval.__file__
FILES = {
    **{
        path.stem: load_queries(PACKAGE, path.stem)
        for path in sorted((Path(PACKAGE).parent / "sql").glob("*.sql"))
    },
    "outcomes": OUTCOMES,
    "sealing": SEALING,
}
STATEMENTS = [
    pytest.param(sql, id=f"{file}.{name}")
    for file, queries in FILES.items()
    for name, sql in queries.items()
]


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_query_is_planned(connection, statement):
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(
        r"%\((\w+)\)s", lambda match: f"${names.index(match.group(1)) + 1}", statement
    ).replace("%%", "%")
    if statement.startswith("COPY"):  # has no plan: names and types are checked as it begins
        async with connection.cursor().copy(statement):
            return
    await connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}")


@pytest.mark.parametrize("name", ["count_passing", "find_exactly", "find_nearly"])
def test_every_filter_is_asked_wherever_one_is(name):
    """Who may read what hangs on it: a branch without the groups would hand out everything."""
    statement = FILES["search"][name]
    dimensions = SearchFilter().alternatives()
    counts = {one: statement.count(f"facets && %({one})s::text[]") for one in dimensions}
    assert min(counts.values()) >= 1
    assert len(set(counts.values())) == 1, counts
