# SPDX-License-Identifier: Apache-2.0
"""The Merkle log on PostgreSQL: sequencing, proofs, tiles, and what damage looks like."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from contracts.canonical import canonical_json
from contracts.checkpoint import verify_checkpoint
from contracts.merkle import (
    EMPTY_ROOT,
    hash_children,
    hash_leaf,
    verify_consistency,
    verify_inclusion,
)
from evidence.audit import list_events
from evidence.audit_entry import MAX_ENTRY_BYTES, audit_entry
from evidence.errors import NotSequencedError, TilePathError, TreeSizeError
from evidence.hashes import range_hashes
from evidence.log import LOG_ORIGIN, MerkleLog
from evidence.log_integrity import check_log
from kernel.audit import AuditIntake


@pytest.fixture
def audit(clock, ids) -> AuditIntake:
    return AuditIntake(clock, ids)


@pytest.fixture
def log(key_store, clock) -> MerkleLog:
    return MerkleLog(key_store, clock)


async def record(audit: AuditIntake, connection: Any, number: int = 0, **fields: Any) -> str:
    return await audit.record(
        connection,
        actor="user:ada",
        action="thing.changed",
        subject_kind="thing",
        subject_id=f"thing_{number}",
        correlation_id="cor_1",
        **fields,
    )


def reference_root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hash_children(reference_root(hashes[:split]), reference_root(hashes[split:]))


async def test_events_are_sequenced_once_and_provable(audit, log, connection, key_store) -> None:
    events = [await record(audit, connection, number) for number in range(5)]
    assert await log.sequence_pending(connection, limit=3) == 3
    with pytest.raises(NotSequencedError):
        await log.inclusion_proof(connection, events[4])
    assert await log.sequence_pending(connection) == 2
    assert await log.sequence_pending(connection) == 0
    for number, event_id in enumerate(events):
        proof = await log.inclusion_proof(connection, event_id)
        assert (proof.leaf_index, proof.tree_size) == (number, 5)
        checkpoint = verify_checkpoint(
            proof.checkpoint, key=key_store.log_key().public_key(), origin=LOG_ORIGIN
        )
        entry = base64.b64decode(proof.leaf_entry_base64)
        verify_inclusion(
            leaf_hash=hash_leaf(entry),
            leaf_index=proof.leaf_index,
            tree_size=proof.tree_size,
            proof=[bytes.fromhex(text) for text in proof.hashes],
            root=checkpoint.root_hash,
        )
        assert json.loads(entry)["event_id"] == event_id
        assert canonical_json(json.loads(entry)) == entry


async def test_an_empty_log_has_no_checkpoint(log, connection) -> None:
    assert await log.sequence_pending(connection) == 0
    assert await log.latest_checkpoint(connection) is None
    assert await log.consistency_proof(connection, 0, 0) == ()
    assert await log.read_tile(connection, "0/000.p/1") is None
    with pytest.raises(NotSequencedError):
        await log.inclusion_proof(connection, "evt_unknown")


async def test_an_event_of_a_slow_transaction_is_not_overlooked(audit, log, pool) -> None:
    async with pool.connection() as slow, pool.connection() as quick:
        late = await record(audit, slow, 1)  # takes its position first, commits last
        await record(audit, quick, 2)
        await quick.commit()
        assert await log.sequence_pending(quick) == 1
        await quick.commit()
        await slow.commit()
        assert await log.sequence_pending(quick) == 1
        assert (await log.inclusion_proof(quick, late)).leaf_index == 1


async def test_a_rolled_back_event_leaves_nothing(audit, log, pool) -> None:
    async with pool.connection() as connection:
        await record(audit, connection)
        await connection.rollback()
        assert await log.sequence_pending(connection) == 0


async def test_sequencers_at_once_lose_and_double_nothing(audit, log, pool) -> None:
    async with pool.connection() as connection:
        for number in range(60):
            await record(audit, connection, number)

    async def sequence() -> int:
        total = 0
        while True:
            async with pool.connection() as connection:
                count = await log.sequence_pending(connection, limit=7)
            total += count
            if not count:
                return total

    assert sum(await asyncio.gather(*(sequence() for _ in range(3)))) == 60
    async with pool.connection() as connection:
        report = await check_log(connection, log_key=log.public_key(), origin=LOG_ORIGIN)
        assert report.tree_size == 60


async def insert_events(connection: Any, count: int, first: int = 0) -> None:
    """Insert many plain events with one statement."""
    await connection.execute(
        "INSERT INTO audit_events (event_id, occurred_at, actor, action, subject_kind,"
        " subject_id, correlation_id) SELECT 'evt_bulk_' || n, now(), 'a', 'b', 'c', 'd', 'e'"
        " FROM generate_series(%(first)s::int, %(last)s::int) AS n",
        {"first": first, "last": first + count - 1},
    )


async def leaf_hashes(connection: Any) -> list[bytes]:
    cursor = await connection.execute("SELECT leaf_hash FROM log_entries ORDER BY leaf_index")
    return [bytes(row["leaf_hash"]) for row in await cursor.fetchall()]


async def test_tiles_proofs_and_roots_over_several_tiles(log, connection) -> None:
    sizes = []
    for step, count in enumerate((255, 1, 1, 300, 211, 600)):
        await insert_events(connection, count, first=step * 1000)
        await log.sequence_pending(connection, limit=10_000)
        sizes.append((await log.latest_checkpoint(connection)).tree_size)
    hashes = await leaf_hashes(connection)
    assert sizes[-1] == len(hashes) == 1368
    for size in sizes:
        assert await range_hashes(connection, [(0, size)]) == [reference_root(hashes[:size])]
    for first in [0, 1, *sizes]:
        for second in sizes:
            if first <= second:
                verify_consistency(
                    first_size=first,
                    second_size=second,
                    first_root=reference_root(hashes[:first]) if first else EMPTY_ROOT,
                    second_root=reference_root(hashes[:second]),
                    proof=await log.consistency_proof(connection, first, second),
                )
    assert await log.read_tile(connection, "0/004") == b"".join(hashes[1024:1280])
    assert await log.read_tile(connection, "0/005.p/88") == b"".join(hashes[1280:1368])
    assert await log.read_tile(connection, "0/005.p/89") is None
    assert await log.read_tile(connection, "0/006.p/1") is None
    level_one = [reference_root(hashes[start : start + 256]) for start in range(0, 1280, 256)]
    assert await log.read_tile(connection, "1/000.p/5") == b"".join(level_one)
    bundle = await log.read_tile(connection, "entries/005.p/2")
    length = int.from_bytes(bundle[:2], "big")
    assert hash_leaf(bundle[2 : 2 + length]) == hashes[1280]
    with pytest.raises(TilePathError):
        await log.read_tile(connection, "../keys")


async def test_second_level_tiles_complete(log, connection) -> None:
    await insert_events(connection, 65_600)
    assert await log.sequence_pending(connection, limit=100_000) == 65_600
    hashes = await leaf_hashes(connection)
    assert await range_hashes(connection, [(0, 65_600)]) == [reference_root(hashes)]
    tile = await log.read_tile(connection, "1/000")
    assert tile is not None
    assert len(tile) == 8192
    assert await log.read_tile(connection, "2/000.p/1") == reference_root(hashes[:65_536])


async def test_sizes_beyond_the_log_are_refused(audit, log, connection) -> None:
    await record(audit, connection)
    await log.sequence_pending(connection)
    for first, second in ((0, 2), (1, 0), (-1, 1)):
        with pytest.raises(TreeSizeError):
            await log.consistency_proof(connection, first, second)


async def test_the_application_cannot_change_the_log(audit, log, pool) -> None:
    async with pool.connection() as connection:
        await record(audit, connection)
        await log.sequence_pending(connection)
    for statement in (
        "UPDATE audit_events SET actor = 'x'",
        "DELETE FROM audit_events",
        "UPDATE log_entries SET entry = ''",
        "DELETE FROM log_checkpoints",
        "DELETE FROM log_tiles",
    ):
        async with pool.connection() as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)
            await connection.rollback()


async def test_odd_events_do_not_stop_the_log(audit, log, connection) -> None:
    odd = [
        await record(audit, connection, 1, after={"note": "x" * 70_000}),
        await record(audit, connection, 2, after={"count": 2**70}),
        await record(audit, connection, 3, after={"text": "caf\u00e9 \U0001f600"}),
        await record(audit, connection, 4, evidence=["f" * 64] * 1200),
    ]
    assert await log.sequence_pending(connection) == len(odd)
    for event_id in odd:
        proof = await log.inclusion_proof(connection, event_id)
        assert len(base64.b64decode(proof.leaf_entry_base64)) <= MAX_ENTRY_BYTES
    report = await check_log(connection, log_key=log.public_key(), origin=LOG_ORIGIN)
    assert report.tree_size == len(odd)


def test_the_entry_is_canonical_and_stable() -> None:
    event = {
        "event_id": "evt_1",
        "occurred_at": datetime(2026, 11, 2, 9, tzinfo=UTC),
        "actor": "user:ada",
        "action": "approval.sealed",
        "subject_kind": "proposal",
        "subject_id": "prp_1",
        "device_id": None,
        "correlation_id": "cor_1",
        "before": None,
        "after": {"b": 1, "a": 2},
        "evidence": ["00"],
    }
    assert audit_entry(event) == (
        b'{"action":"approval.sealed","actor":"user:ada","after":{"a":2,"b":1},"before":null,'
        b'"correlation_id":"cor_1","device_id":null,"event_id":"evt_1","evidence":["00"],'
        b'"occurred_at":"2026-11-02T09:00:00.000000Z","schema":"eucora.audit.v1",'
        b'"subject_id":"prp_1","subject_kind":"proposal"}'
    )


async def test_listing_events(audit, log, connection) -> None:
    for number in range(3):
        await record(audit, connection, number)
    await log.sequence_pending(connection, limit=2)
    events = await list_events(connection, subject_kind="thing", correlation_id="cor_1")
    assert [event.subject_id for event in events] == ["thing_2", "thing_1", "thing_0"]
    assert [event.leaf_index for event in events] == [None, 1, 0]
    (older,) = await list_events(connection, before_position=events[1].position, limit=1)
    assert older == events[2]
    assert await list_events(connection, subject_id="thing_1") == [events[1]]
    assert await list_events(connection, subject_id="nobody") == []


async def test_an_event_that_has_a_leaf_already_is_stepped_over(audit, log, connection) -> None:
    known = [await record(audit, connection, number) for number in range(3)]
    assert await log.sequence_pending(connection) == 3
    for position, event_id in enumerate(known):
        await connection.execute(
            "INSERT INTO log_pending (position, event_id) VALUES (%s, %s)", [-position, event_id]
        )
    new = await record(audit, connection, 4)
    with capture_logs() as lines:
        assert await log.sequence_pending(connection, limit=2) == 1
    assert {line["log_level"] for line in lines} == {"error"}
    assert sorted(name for line in lines for name in line["event_ids"]) == sorted(known)
    proof = await log.inclusion_proof(connection, new)
    assert (proof.leaf_index, proof.tree_size) == (3, 4)
    cursor = await connection.execute("SELECT 1 FROM log_pending")
    assert await cursor.fetchall() == []
