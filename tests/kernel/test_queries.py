# SPDX-License-Identifier: Apache-2.0
"""Named queries: the file format, and every query of every package planned for real."""

import re
from pathlib import Path

import psycopg
import pytest

from kernel.database import connect
from kernel.errors import QueryFileError
from kernel.queries import load_queries

REPOSITORY = Path(__file__).resolve().parents[2]
OF_THE_OWNER = {("kernel", "migrations"), ("kernel", "embedded")}
UNNAMED = {("kernel", "privileges")}  # one script, run as a whole
# Put together of parts when they are loaded: tests/retrieval/test_queries.py plans what is sent.
COMPOSED = {("retrieval", "candidates")}
# Of MLflow's tables: tests/models/test_registered_files.py sends them.
OF_MLFLOW = {("models", "registered_files")}
PLANNED = [
    (package, name, query)
    for package, name in sorted(
        (path.parent.parent.name, path.stem) for path in REPOSITORY.glob("*/sql/*.sql")
    )
    if (package, name) not in UNNAMED | COMPOSED | OF_MLFLOW
    for query, text in load_queries(str(REPOSITORY / package / "__init__.py"), name).items()
    if re.match(r"(?:--.*\n)*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", text)
]


def write(folder: Path, text: str) -> str:
    (folder / "sql").mkdir()
    (folder / "sql" / "things.sql").write_text(text)
    return str(folder / "module.py")


def test_entries_are_split_and_keep_no_semicolon(tmp_path):
    module = write(
        tmp_path, "-- name: one\n-- First.\nSELECT 1;\n\n-- name: two\n-- Second.\nSELECT\n2"
    )
    queries = load_queries(module, "things")
    assert dict(queries) == {"one": "SELECT 1", "two": "SELECT\n2"}
    with pytest.raises(TypeError):
        queries["three"] = ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT 1;",
        "-- name: one\nSELECT 1;",
        "-- name: one\n-- Described.\n",
        "-- name: one\n-- A.\nSELECT 1;\n-- name: one\n-- B.\nSELECT 2;",
    ],
)
def test_malformed_files_are_refused(tmp_path, text):
    with pytest.raises(QueryFileError):
        load_queries(write(tmp_path, text), "things")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(QueryFileError, match=r"absent\.sql"):
        load_queries(str(tmp_path / "module.py"), "absent")


@pytest.fixture
async def owner(postgres):
    """A transaction of the role that migrates."""
    async with await connect(postgres.owner_dsn) as opened:
        yield opened


@pytest.mark.parametrize(("package", "name", "query"), PLANNED)
async def test_every_query_can_be_planned(connection, owner, package, name, query):
    text = load_queries(str(REPOSITORY / package / "__init__.py"), name)[query]
    numbers: dict[str, int] = {}
    plain = re.sub(
        r"%\((\w+)\)[sb]", lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", text
    )
    cursor = psycopg.AsyncRawCursor(owner if (package, name) in OF_THE_OWNER else connection)
    await cursor.execute(f"EXPLAIN (GENERIC_PLAN) {plain}")
    assert await cursor.fetchall()
