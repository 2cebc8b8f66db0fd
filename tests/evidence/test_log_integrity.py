# SPDX-License-Identifier: Apache-2.0
"""What a person with full rights on the database does to the log is found."""

from dataclasses import dataclass
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from evidence import log_integrity
from evidence.errors import LogTamperedError
from evidence.log import LOG_ORIGIN, MerkleLog
from evidence.log_integrity import LogReport, check_log
from kernel.audit import AuditIntake
from kernel.database import connect
from kernel.keys import KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Tampering:
    connection: Any
    log: MerkleLog


@pytest.fixture
async def tampering(postgres, dsn, clock, ids, key_store):
    """A log of 300 events, on a connection of the schema's owner, who may change anything."""
    database = conninfo_to_dict(dsn)["dbname"]
    owner = await connect(make_conninfo(postgres.owner_dsn, dbname=database))
    log = MerkleLog(key_store, clock)
    async with owner:
        await owner.execute(
            "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind,"
            " subject_id, correlation_id) SELECT 'evt_' || n, now(), 'a', 'b', 'c', 'd', 'e'"
            " FROM generate_series(1, 300) AS n"
        )
        while await log.sequence_pending(owner, limit=70):
            pass
        await owner.execute("ALTER TABLE log_entries DROP CONSTRAINT log_entries_event_id_fkey")
        yield Tampering(connection=owner, log=log)
        await owner.rollback()


async def inspect(case: Tampering) -> LogReport:
    return await check_log(case.connection, log_key=case.log.public_key(), origin=LOG_ORIGIN)


async def test_an_honest_log_has_no_problems(tampering) -> None:
    report = await inspect(tampering)
    assert (report.tree_size, report.n_checkpoints) == (300, 5)


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE audit_events SET actor = 'z' WHERE event_id = 'evt_7'", "evt_7 was changed"),
        ("UPDATE log_entries SET entry = 'x' WHERE leaf_index = 3", "the entry was changed"),
        ("DELETE FROM audit_events WHERE event_id = 'evt_9'", "leaf 8 is missing"),
        ("DELETE FROM log_pending", None),
        ("DELETE FROM log_entries WHERE leaf_index = 299", "neither in the log nor waiting"),
        ("DELETE FROM log_tiles", "hashes 0 to 1 of level 1 are incomplete"),
        (
            "UPDATE log_tiles SET root_hash = decode(repeat('00', 32), 'hex')",
            "the stored tiles do not hash to the root",
        ),
        ("DELETE FROM log_checkpoints WHERE tree_size = 300", "is covered by no checkpoint"),
        (
            "UPDATE log_checkpoints SET root_hash = decode(repeat('00', 32), 'hex')",
            "differs from what was signed",
        ),
    ],
)
async def test_tampering_is_found(tampering, statement: str, finding: str | None) -> None:
    await tampering.connection.execute(statement)
    if finding is None:
        assert (await inspect(tampering)).tree_size == 300
        return
    with pytest.raises(LogTamperedError) as caught:
        await inspect(tampering)
    assert any(finding in problem for problem in caught.value.problems), caught.value.problems
    assert finding in str(caught.value)


async def test_checkpoints_of_another_key_are_found(tampering, tmp_path) -> None:
    stranger = KeyStore(tmp_path / "stranger").log_key().public_key()
    with pytest.raises(LogTamperedError) as caught:
        await check_log(tampering.connection, log_key=stranger, origin=LOG_ORIGIN)
    assert caught.value.n_problems == len(caught.value.problems) == 5  # one a checkpoint


async def test_a_log_that_grows_meanwhile_is_read_as_it_was(
    pool, key_store, clock, ids, monkeypatch
) -> None:
    log, audit = MerkleLog(key_store, clock), AuditIntake(clock, ids)

    async def grow() -> None:
        async with pool.connection() as writer:
            await audit.record(
                writer, actor="a", action="b", subject_kind="c", subject_id="d", correlation_id="e"
            )
            await log.sequence_pending(writer)

    checkpoints = log_integrity._checkpoints

    async def grow_after(connection: Any) -> Any:
        async for row in checkpoints(connection):
            yield row
        await grow()

    monkeypatch.setattr(log_integrity, "PAGE", 1)
    monkeypatch.setattr(log_integrity, "_checkpoints", grow_after)
    await grow()
    async with pool.connection() as connection:
        report = await check_log(connection, log_key=log.public_key(), origin=LOG_ORIGIN)
        assert (report.tree_size, report.n_checkpoints) == (1, 1)
        assert connection.isolation_level is None
