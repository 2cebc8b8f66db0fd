# SPDX-License-Identifier: Apache-2.0
"""The vault, on a real PostgreSQL."""

import re

import pytest

from guardrails.errors import (
    PseudonymConflictError,
    SubjectShreddedError,
    VaultError,
    VaultIntegrityError,
)
from guardrails.vault import QUERIES, Vault
from kernel.database import connect
from kernel.migrations import read_migrations

KEY = bytes(range(32))
ORIGINALS = {"<PERSON_1>": "Jane Doe", "<EMAIL_1>": "jane@example.org"}


@pytest.fixture
def vault(clock):
    return Vault(KEY, clock)


async def test_store_and_reveal(vault, connection):
    await vault.store(connection, "inc_1", ORIGINALS)
    await vault.store(connection, "inc_1", {**ORIGINALS, "<IP_1>": "10.0.0.5"})
    assert await vault.reveal(connection, "inc_1") == {**ORIGINALS, "<IP_1>": "10.0.0.5"}
    assert await vault.reveal(connection, "inc_2") == {}


async def test_rows_hold_no_original(vault, connection):
    await vault.store(connection, "inc_1", ORIGINALS)
    cursor = await connection.execute("SELECT nonce, ciphertext FROM vault_entries")
    rows = await cursor.fetchall()
    assert len({bytes(row["nonce"]) for row in rows}) == 2
    assert all(b"ane" not in bytes(row["ciphertext"]) for row in rows)


async def test_conflicts_are_refused(vault, connection):
    await vault.store(connection, "inc_1", ORIGINALS)
    with pytest.raises(PseudonymConflictError):
        await vault.store(connection, "inc_1", {"<PERSON_1>": "Someone Else"})


async def test_shredding_is_final(vault, connection):
    await vault.store(connection, "inc_1", ORIGINALS)
    await vault.shred(connection, "inc_1")
    await vault.shred(connection, "inc_1")
    with pytest.raises(SubjectShreddedError):
        await vault.reveal(connection, "inc_1")
    with pytest.raises(SubjectShreddedError):
        await vault.store(connection, "inc_1", ORIGINALS)
    await vault.shred(connection, "inc_never")
    with pytest.raises(SubjectShreddedError):
        await vault.store(connection, "inc_never", ORIGINALS)


async def test_wrong_key_and_changed_rows_are_noticed(vault, connection, clock):
    await vault.store(connection, "inc_1", ORIGINALS)
    await vault.store(connection, "inc_2", {"<PERSON_1>": "Someone Else"})
    with pytest.raises(VaultIntegrityError):
        await Vault(bytes(32), clock).reveal(connection, "inc_1")
    await connection.execute(
        "UPDATE vault_entries a SET nonce = b.nonce, ciphertext = b.ciphertext "
        "FROM vault_entries b WHERE a.subject_id = 'inc_1' AND a.pseudonym = '<PERSON_1>' "
        "AND b.subject_id = 'inc_2'"
    )
    with pytest.raises(VaultIntegrityError):
        await vault.reveal(connection, "inc_1")


def test_key_length_is_checked(clock):
    with pytest.raises(VaultError):
        Vault(b"short", clock)


def _number_parameters(query):
    numbers: dict[str, int] = {}
    return re.sub(r"%\((\w+)\)s", lambda m: f"${numbers.setdefault(m[1], len(numbers) + 1)}", query)


@pytest.mark.parametrize("name", QUERIES)
async def test_queries_are_planned(connection, name):
    text = _number_parameters(QUERIES[name])
    cursor = await connection.execute(f"EXPLAIN (GENERIC_PLAN) {text}".encode())
    assert await cursor.fetchall()


@pytest.fixture
async def owner(postgres):
    """A transaction of who may delete what the application may not; it is rolled back."""
    async with await connect(postgres.owner_dsn) as opened:
        yield opened
        await opened.rollback()


async def test_numbers_are_remembered_when_the_originals_go(vault, owner):
    """Also those of before there was a memory: from the entries that go, and from the log."""
    connection = owner
    await vault.store(connection, "inc_1", {"<PERSON_7>": "Jane Doe", "<IP_2>": "10.0.0.5"})
    await connection.execute("DELETE FROM vault_numbers")
    await vault.shred(connection, "inc_1")
    assert await vault.read_numbers(connection, "inc_1") == {"PERSON": 7, "IP": 2}
    await connection.execute("DELETE FROM vault_numbers")
    await connection.execute(
        "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind, subject_id,"
        " correlation_id, after) VALUES ('evt_1', now(), 'a', 'vault.stored', 'incident', 'inc_1',"
        """ 'c', '{"pseudonyms": ["<PERSON_9>", "<PERSON_10>", "<MAC_ADDRESS_3>", "x"]}'),"""
        " ('evt_2', now(), 'a', 'vault.stored', 'incident', 'inc_gone', 'c', '{}')"
    )
    migration = next(one for one in read_migrations() if one.number == 34)
    _, _, backfill = migration.statements.partition("INSERT INTO vault_numbers")
    await connection.execute(f"INSERT INTO vault_numbers{backfill}")
    assert await vault.read_numbers(connection, "inc_1") == {"PERSON": 10, "MAC_ADDRESS": 3}
