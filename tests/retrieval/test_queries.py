# SPDX-License-Identifier: Apache-2.0
"""Every query of retrieval and reasoning can be planned on the real schema."""

import re
from pathlib import Path

import pytest

import retrieval
from kernel.queries import load_queries
from reasoning.sealing import QUERIES as SEALING
from reasoning.track_records import QUERIES as OUTCOMES
from retrieval.candidates import QUERIES as CANDIDATES
from retrieval.facets import SearchFilter

PACKAGE = retrieval.__file__
FILES = {
    **{
        path.stem: load_queries(PACKAGE, path.stem)
        for path in sorted((Path(PACKAGE).parent / "sql").glob("*.sql"))
    },
    "candidates": CANDIDATES,  # as they are sent: with the filter in its place
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
        async with connection.cursor() as cursor, cursor.copy(statement):
            assert cursor.description
            return
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {numbered}")
    assert await cursor.fetchall()


def test_the_filter_asks_for_every_dimension():
    """Who may read what hangs on it: without the groups it would hand out everything."""
    facet_filter = load_queries(PACKAGE, "candidates")["facet_filter"]
    asked = re.findall(
        r"\(%\((\w+)\)s::text\[\] IS NULL OR facets && %\((\w+)\)s::text\[\]\)", facet_filter
    )
    assert asked == [(one, one) for one in SearchFilter().alternatives()]
    assert facet_filter.count("\nAND ") == len(asked) - 1


@pytest.mark.parametrize("name", ["count_passing", "find_exactly", "find_nearly"])
def test_no_passage_is_handed_out_past_the_filter(name):
    """Whatever finds passages reads those that pass."""
    facet_filter = load_queries(PACKAGE, "candidates")["facet_filter"]
    statement = CANDIDATES[name]
    assert statement.count(facet_filter) == 1
    assert "facet_filter" not in statement
    (read,) = statement.replace(facet_filter, "").split("chunk_vectors")[1:]
    assert re.match(r"\s+WHERE index_id = \S+ AND \(\)", read)
