# SPDX-License-Identifier: Apache-2.0
"""Checks the whole log against itself and against the audit events it was made of.

Finds what a person with full rights on the database could have done: changed or removed events,
entries, hashes or checkpoints, or kept events out of the log. Findings are raised, so that no
caller can take a damaged log for an intact one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg import IsolationLevel
from psycopg.pq import TransactionStatus

from contracts.checkpoint import CheckpointError, verify_checkpoint
from contracts.merkle import EMPTY_ROOT, hash_children, hash_leaf
from evidence.audit_entry import audit_entry
from evidence.errors import LogDamagedError, LogTamperedError
from evidence.hashes import root_hash
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "log")
PAGE = 2000
MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """What was read of an intact log."""

    tree_size: int
    n_checkpoints: int


@dataclass(slots=True)
class _Frontier:
    """Roots of the complete subtrees of a growing tree, left to right; one per set bit."""

    size: int = 0
    roots: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        self.roots.append(leaf)
        self.size += 1
        for _ in range((self.size & -self.size).bit_length() - 1):
            right, left = self.roots.pop(), self.roots.pop()
            self.roots.append(hash_children(left, right))

    def root(self) -> bytes:
        if not self.roots:
            return EMPTY_ROOT
        current = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            current = hash_children(left, current)
        return current


async def check_log(connection: Connection, *, log_key: Ed25519PublicKey, origin: str) -> LogReport:
    """Recompute the tree from the audit events and compare every checkpoint and tile.

    All is read in one REPEATABLE READ transaction, for the log may be growing. A transaction
    that is running already is used as it is.

    Raises:
        LogTamperedError: something differs; says what.
    """
    async with _snapshot(connection):
        return await _check_all(connection, log_key, origin)


@asynccontextmanager
async def _snapshot(connection: Connection) -> AsyncIterator[None]:
    if connection.info.transaction_status is not TransactionStatus.IDLE:
        yield
        return
    before = connection.isolation_level
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    try:
        async with connection.transaction():
            yield
    finally:
        if not connection.closed:
            await connection.set_isolation_level(before)


async def _check_all(connection: Connection, log_key: Ed25519PublicKey, origin: str) -> LogReport:
    problems: list[str] = []
    frontier = _Frontier()
    entries = _entries(connection)
    n_checkpoints = 0
    async for checkpoint in _checkpoints(connection):
        n_checkpoints += 1
        while frontier.size < checkpoint["tree_size"]:
            row = await anext(entries, None)
            if row is None:
                break
            problems += _check_entry(row, frontier)
        problems += _check_checkpoint(checkpoint, frontier, log_key, origin)
    async for row in entries:
        problems.append(f"leaf {row['leaf_index']} is covered by no checkpoint")
        problems += _check_entry(row, frontier)
    problems += await _check_stored_root(connection, frontier)
    cursor = await connection.execute(QUERIES["count_unaccounted"])
    lost = await cursor.fetchone()
    if lost and lost["unaccounted"]:
        problems.append(f"{lost['unaccounted']} events are neither in the log nor waiting")
    if problems:
        raise LogTamperedError(problems[:MAX_PROBLEMS], len(problems))
    return LogReport(tree_size=frontier.size, n_checkpoints=n_checkpoints)


async def _entries(connection: Connection) -> AsyncIterator[Mapping[str, Any]]:
    start = 0
    while True:
        parameters = {"start": start, "end": start + PAGE}
        cursor = await connection.execute(QUERIES["list_entries_with_events"], parameters)
        rows = await cursor.fetchall()
        for row in rows:
            yield row
        if not rows:
            return
        start += PAGE


async def _checkpoints(connection: Connection) -> AsyncIterator[Mapping[str, Any]]:
    after = -1
    while True:
        parameters = {"after": after, "limit": PAGE}
        cursor = await connection.execute(QUERIES["list_checkpoints"], parameters)
        rows = await cursor.fetchall()
        for row in rows:
            yield row
        if not rows:
            return
        after = rows[-1]["tree_size"]


def _check_entry(row: Mapping[str, Any], frontier: _Frontier) -> list[str]:
    problems = []
    entry, index = bytes(row["entry"]), row["leaf_index"]
    if index != frontier.size:
        problems.append(f"leaf {frontier.size} is missing")
    if audit_entry(row) != entry:
        problems.append(f"leaf {index}: audit event {row['event_id']} was changed")
    if hash_leaf(entry) != bytes(row["leaf_hash"]):
        problems.append(f"leaf {index}: the entry was changed")
    frontier.append(hash_leaf(entry))
    return problems


def _check_checkpoint(
    row: Mapping[str, Any], frontier: _Frontier, log_key: Ed25519PublicKey, origin: str
) -> list[str]:
    size = row["tree_size"]
    try:
        signed = verify_checkpoint(row["signed_note"], key=log_key, origin=origin)
    except CheckpointError as error:
        return [f"checkpoint {size}: {error}"]
    if (signed.tree_size, signed.root_hash) != (size, bytes(row["root_hash"])):
        return [f"checkpoint {size}: the row differs from what was signed"]
    if (signed.tree_size, signed.root_hash) != (frontier.size, frontier.root()):
        return [f"checkpoint {size}: the entries do not hash to the signed root"]
    return []


async def _check_stored_root(connection: Connection, frontier: _Frontier) -> list[str]:
    try:
        stored = await root_hash(connection, frontier.size)
    except LogDamagedError as error:
        return [str(error)]
    return [] if stored == frontier.root() else ["the stored tiles do not hash to the root"]
