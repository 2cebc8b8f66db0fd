# SPDX-License-Identifier: Apache-2.0
"""The directory follows PostgreSQL, in every process and within its stated bound."""

import asyncio
import time

import pytest
from psycopg_pool import PoolClosed

from guardrails.directory import Directory
from guardrails.directory_feed import STALE_SECONDS, DirectoryFeed, read_own_names
from guardrails.errors import MaskingError
from guardrails.masking import Masker
from kernel.database import connect

ADD_DEVICE = (
    "INSERT INTO devices (device_id, hostname, os_family, enrolled_at)"
    " VALUES ('d', 'GVA-LT-9', 'linux', now())"
)


async def add_user(connection, user_id, display_name="", upn=""):
    await connection.execute(
        "INSERT INTO users (user_id, display_name, upn) VALUES (%s, %s, %s)",
        (user_id, display_name, upn),
    )


async def add_device(connection, device_id, hostname, clock, serial_number=""):
    await connection.execute(
        "INSERT INTO devices (device_id, hostname, serial_number, os_family, enrolled_at)"
        " VALUES (%s, %s, %s, 'linux', %s)",
        (device_id, hostname, serial_number, clock.now()),
    )


@pytest.fixture
def directory():
    return Directory(is_complete=False)


@pytest.fixture
def feed(pool, directory, clock):
    return DirectoryFeed(pool, directory, clock)


def found(directory, text):
    return {text[start:end] for start, end, _ in directory.find_spans(text)}


async def test_nothing_is_masked_before_the_directory_was_read(feed, directory):
    masker = Masker(directory=directory)
    with pytest.raises(MaskingError, match="not read yet"):
        masker.mask("Orla Quennell called")
    await feed.require()
    assert masker.mask("nothing to say").text == "nothing to say"


async def test_all_that_is_named_is_known(pool, feed, directory, clock):
    async with pool.connection() as connection:
        await add_user(connection, "oquen7", "Orla Quennell", "orla.q@corp.example")
        await add_device(connection, "dev_1", "ZRH-LT-77.corp.example", clock, "5CG99X")
        await connection.execute(
            "INSERT INTO accounts (username, display_name, password_hash, roles, created_at)"
            " VALUES ('tbrandl', 'Tove Brandl', 'x', '{}', now())"
        )
        await connection.execute("INSERT INTO directory_entries VALUES ('asset', 'AT-4711', now())")
    await feed.refresh()
    text = "orla quennell, oquen7, zrh-lt-77, 5CG99X, tbrandl, Tove Brandl and AT-4711"
    assert found(directory, text) == set(text.replace(" and", ",").split(", "))


async def test_what_is_added_or_renamed_is_masked_within_the_bound(pool, feed, directory, clock):
    stop = asyncio.Event()
    running = asyncio.create_task(feed.run(stop))
    try:
        await feed.require()
        steps = (
            ("INSERT INTO users (user_id) VALUES ('zlatan77')", "zlatan77 called"),
            ("UPDATE users SET display_name = 'Orla Quennell'", "orla quennell called"),
            (ADD_DEVICE, "GVA-LT-9 is slow"),
            ("UPDATE devices SET serial_number = 'PF3XYZ12'", "PF3XYZ12 is slow"),
        )
        for statement, text in steps:
            assert found(directory, text) == set()
            async with pool.connection() as connection:
                await connection.execute(statement)
            committed = time.monotonic()
            while not found(directory, text):
                assert time.monotonic() - committed < STALE_SECONDS, statement
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await running


async def test_what_commits_late_is_not_overlooked(dsn, pool, feed, directory):
    """A change written before another, and committed after that was read."""
    await feed.refresh()
    async with await connect(dsn) as slow:
        await add_user(slow, "slowpoke1")
        async with pool.connection() as connection:
            await add_user(connection, "quick1")
        await feed.refresh()
        assert found(directory, "quick1 slowpoke1") == {"quick1"}
        await slow.commit()
    await feed.refresh()
    assert found(directory, "quick1 slowpoke1") == {"quick1", "slowpoke1"}


async def test_who_was_removed_is_forgotten(pool, feed, directory, monkeypatch):
    async with pool.connection() as connection:
        await add_user(connection, "leaver1")
        await add_user(connection, "stayer1")
    await feed.refresh()
    async with pool.connection() as connection:
        await connection.execute("DELETE FROM users WHERE user_id = 'leaver1'")
    await feed.refresh()
    monkeypatch.setattr("guardrails.directory_feed.LEAST_WHOLE_SECONDS", -1.0)
    await feed.refresh()
    assert found(directory, "leaver1 stayer1") == {"stayer1"}


async def test_words_of_the_shipped_articles_are_nobodys_name(pool, feed, directory, clock):
    """A device may call itself what it wants; that must not blind retrieval."""
    async with pool.connection() as connection:
        for number in range(2):
            await connection.execute(
                "INSERT INTO documents (document_id, version, kind, title, body, source,"
                " content_sha256, ingested_at)"
                " VALUES (%s, 1, 'article', 't', 'Suspend bitlocker before kb5034441', 's', 'x',"
                " now())",
                (f"a{number}",),
            )
        await add_device(connection, "d", "bitlocker", clock, "KB5034441")
    await feed.refresh()
    assert found(directory, "bitlocker fails after KB5034441") == set()


async def test_reports_that_repeat_a_name_are_no_change(pool, clock):
    async with pool.connection() as connection:
        await add_device(connection, "d", "GVA-LT-9", clock)
        await connection.execute("UPDATE devices SET hostname = 'GVA-LT-9', last_seen_at = now()")
        cursor = await connection.execute("SELECT count(*) AS n FROM directory_changes")
        assert (await cursor.fetchone())["n"] == 1


async def test_old_changes_are_dropped(pool, feed, clock):
    async with pool.connection() as connection:
        await add_user(connection, "u77")
    clock.advance(seconds=10 * 365 * 86400)
    await feed.forget_changes()
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT count(*) AS n FROM directory_changes")
        assert (await cursor.fetchone())["n"] == 0


async def test_a_case_knows_its_own_people_at_once(connection, clock):
    await add_user(connection, "oquen7", "Orla Quennell")
    await add_user(connection, "other9", "Ulf Sandvoss")
    await add_user(connection, "named3", "Ida Rask")
    await add_device(connection, "dev_1", "ZRH-LT-77", clock)
    await connection.execute("INSERT INTO device_user_map VALUES ('dev_1', 'oquen7', now(), now())")
    own = await read_own_names(connection, device_id="dev_1", user_ids=["named3"])
    text = "orla quennell, Ulf Sandvoss, Ida Rask on zrh-lt-77"
    assert found(own, text) == {"orla quennell", "Ida Rask", "zrh-lt-77"}
    nobody = await read_own_names(connection, device_id=None)
    assert found(nobody, text) == set()


async def test_an_unreachable_database_leaves_the_directory_as_it_is(pool, feed, directory):
    async with pool.connection() as connection:
        await add_user(connection, "stayer1")
    await feed.refresh()
    await pool.close()
    with pytest.raises(PoolClosed):
        await feed.refresh()
    assert found(directory, "stayer1") == {"stayer1"}
