# SPDX-License-Identifier: Apache-2.0
"""Numbered SQL migrations, applied once each, in order, in a transaction of their own.

A migration that was applied must never change: its checksum is compared at every start. Several
processes may migrate at once; an advisory lock lets one pass. There is no way down.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from contracts.canonical import sha256_hex
from kernel.database import Connection, connect
from kernel.errors import MigrationError
from kernel.queries import load_queries

DIRECTORY = Path(__file__).parent
_PACKAGE = str(DIRECTORY.parent / "__init__.py")
QUERIES = load_queries(_PACKAGE, "migrations")
_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    statements: str
    sha256: str


def read_migrations(directory: Path = DIRECTORY) -> tuple[Migration, ...]:
    """Read the migrations of a folder, ordered by number.

    Raises:
        MigrationError: a file's name is malformed, or the numbers are not 1, 2, 3, ...
    """
    found: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is not named NNNN_name.sql")
        content = path.read_bytes()
        found.append(
            Migration(
                number=int(match[1]),
                name=match[2],
                statements=content.decode(),
                sha256=sha256_hex(content),
            )
        )
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("the migrations are not numbered 1, 2, 3, ... without gaps")
    return tuple(found)


async def migrate(dsn: str, migrations: Sequence[Migration] | None = None) -> tuple[str, ...]:
    """Bring the schema up to date and return the names of what was applied now.

    Args:
        dsn: of the role that owns the schema.
        migrations: what to apply; by default the files of this package.

    Raises:
        MigrationError: an applied migration was changed or is unknown here (a newer version of
            the program was here before), or a statement failed; nothing of that one remains.
    """
    wanted = read_migrations() if migrations is None else tuple(migrations)
    connection = await connect(dsn, autocommit=True)
    async with connection:
        await connection.execute(QUERIES["lock"])
        try:
            await connection.execute(QUERIES["create_table"])
            applied = await _check_applied(connection, wanted)
            for migration in wanted[applied:]:
                await _apply(connection, migration)
            if migrations is None:
                await _grant(connection)
        finally:
            if not connection.closed:
                await connection.execute(QUERIES["unlock"])
    return tuple(migration.name for migration in wanted[applied:])


async def _check_applied(connection: Connection, wanted: Sequence[Migration]) -> int:
    """Return how many of the wanted migrations are applied."""
    cursor = await connection.execute(QUERIES["list_applied"])
    rows = await cursor.fetchall()
    if len(rows) > len(wanted):
        raise MigrationError("the database was migrated by a newer version of this program")
    for row, migration in zip(rows, wanted, strict=False):
        if (row["number"], row["sha256"]) != (migration.number, migration.sha256):
            raise MigrationError(
                f"migration {row['number']:04d} ({row['name']}) changed after it was applied"
            )
    return len(rows)


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.statements)
            await connection.execute(
                QUERIES["insert_applied"],
                {
                    "number": migration.number,
                    "name": migration.name,
                    "sha256": migration.sha256,
                },
            )
    except psycopg.Error as error:
        raise MigrationError(f"migration {migration.number:04d} ({migration.name}) failed") from (
            error
        )


async def _grant(connection: Connection) -> None:
    statements = (DIRECTORY.parent / "sql" / "privileges.sql").read_text(encoding="utf-8")
    async with connection.transaction():
        await connection.execute(statements)
