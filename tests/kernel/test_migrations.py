# SPDX-License-Identifier: Apache-2.0
"""Migrations run once, in order, whole or not at all, and never change afterwards."""

import asyncio

import pytest

from kernel.database import connect
from kernel.errors import MigrationError
from kernel.migrations import Migration, migrate, read_migrations
from kernel.rolepasswords import Role


def migration(number: int, statements: str, sha256: str = "") -> Migration:
    return Migration(
        number=number, name=f"step{number}", statements=statements, sha256=sha256 or str(number)
    )


@pytest.fixture
async def empty(postgres):
    """The owner's DSN of an empty database."""
    async with await connect(postgres.superuser_dsn, autocommit=True) as connection:
        await connection.execute("DROP DATABASE IF EXISTS migration_test WITH (FORCE)")
        await connection.execute("CREATE DATABASE migration_test OWNER eucora_owner")
    dsn = postgres.dsn(Role.SUPERUSER, "migration_test")
    async with await connect(dsn, autocommit=True) as connection:
        await connection.execute("CREATE EXTENSION vector")
    yield postgres.dsn(Role.OWNER, "migration_test")
    async with await connect(postgres.superuser_dsn, autocommit=True) as connection:
        await connection.execute("DROP DATABASE migration_test WITH (FORCE)")


async def tables(dsn: str) -> set[str]:
    async with await connect(dsn) as connection:
        cursor = await connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return {row["tablename"] for row in await cursor.fetchall()}


async def test_the_real_schema_is_built_once_even_by_racing_processes(empty):
    applied = await asyncio.gather(*(migrate(empty) for _ in range(3)))
    names = tuple(each.name for each in read_migrations())
    assert sorted(applied) == sorted([names, (), ()])
    assert {"audit_events", "incidents", "telemetry_reports"} <= await tables(empty)


async def test_only_what_is_missing_is_applied(empty):
    first = migration(1, "CREATE TABLE a (x int); CREATE TABLE b (x int)")
    second = migration(2, "CREATE TABLE c (x int)")
    assert await migrate(empty, [first]) == ("step1",)
    assert await migrate(empty, [first, second]) == ("step2",)
    assert await tables(empty) == {"a", "b", "c", "schema_migrations"}


async def test_a_failing_migration_leaves_nothing(empty):
    bad = migration(2, "CREATE TABLE b (x int); SELECT 1 / 0")
    with pytest.raises(MigrationError, match="0002"):
        await migrate(empty, [migration(1, "CREATE TABLE a (x int)"), bad])
    assert await tables(empty) == {"a", "schema_migrations"}


async def test_history_must_not_change(empty):
    await migrate(empty, [migration(1, "CREATE TABLE a (x int)")])
    with pytest.raises(MigrationError, match="changed"):
        await migrate(empty, [migration(1, "CREATE TABLE a (y int)", sha256="other")])
    with pytest.raises(MigrationError, match="newer"):
        await migrate(empty, [])


def test_files_must_be_numbered_without_gaps(tmp_path):
    (tmp_path / "0001_one.sql").write_text("SELECT 1;")
    (tmp_path / "0003_three.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError):
        read_migrations(tmp_path)
    (tmp_path / "0003_three.sql").rename(tmp_path / "2_two.sql")
    with pytest.raises(MigrationError):
        read_migrations(tmp_path)


async def test_promotions_from_before_there_was_a_chain_get_their_places(empty):
    """Of equal files, too, and where the old program rolled back without moving."""
    known = read_migrations()
    at = next(n for n, each in enumerate(known) if each.name == "promotion_chain")
    await migrate(empty, known[:at])
    history = [  # model, version, file, kind, the promotion that a rollback went back to
        ("tickets", "1", "f", "first", None),
        ("health", "1", "h", "promotion", None),
        ("tickets", "2", "g", "promotion", None),
        ("tickets", "3", "f", "promotion", None),
        ("tickets", "4", "f", "promotion", None),
        ("tickets", "3", "f", "rollback", "p3"),
        ("tickets", "3", "f", "rollback", "p3"),
        ("tickets", "5", "g", "promotion", None),
        ("tickets", "3", "f", "rollback", "p3"),
        ("tickets", "2", "g", "rollback", "p2"),
        ("tickets", "1", "f", "rollback", "p0"),
    ]
    async with await connect(empty) as connection:
        await connection.execute(
            "ALTER TABLE model_promotions DROP CONSTRAINT model_promotions_bundle_digest_fkey"
        )
        for number, (name, version, file, kind, _) in enumerate(history):
            await connection.execute(
                "INSERT INTO model_promotions (promotion_id, model_name, version, digest, kind,"
                " verdict, actor, bundle_digest, created_at)"
                " VALUES (%s, %s, %s, %s, %s, 'pass', 'user:ada', 'b', now())",
                (f"p{number}", name, version, file, kind),
            )
    await migrate(empty, known)
    async with await connect(empty) as connection:
        cursor = await connection.execute(
            "SELECT previous_promotion_id AS previous, restored_promotion_id AS restored"
            " FROM model_promotions ORDER BY position"
        )
        rows = await cursor.fetchall()
    assert [row["restored"] for row in rows] == [restored for *_, restored in history]
    places = [None, None, "p0", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"]
    assert [row["previous"] for row in rows] == places
