# SPDX-License-Identifier: Apache-2.0
"""The append-only Merkle log of audit events, in the C2SP tlog-tiles layout.

Events get their leaf soon after they are committed, in batches, by one sequencer at a time; a
checkpoint is published in the same transaction. What was published is never changed: the
application may only insert into these tables.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.checkpoint import Checkpoint, sign_checkpoint
from contracts.job import InclusionProof
from contracts.merkle import hash_leaf
from evidence.audit_entry import LOG_ORIGIN, audit_entry
from evidence.errors import NotSequencedError, TreeSizeError
from evidence.hashes import range_hashes, read_row, root_hash
from evidence.tile_path import TilePath, parse_tile_path
from evidence.tree import (
    TILE_WIDTH,
    TileSpan,
    consistency_ranges,
    fold_complete,
    inclusion_ranges,
)
from kernel.clock import Clock
from kernel.database import Connection
from kernel.keys import KeyStore
from kernel.logs import get_logger
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "log")
SEQUENCER_LOCK = 0x45_55_43_4F_4C_4F_47  # "EUCOLOG"
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A published state of the log."""

    tree_size: int
    root_hash: bytes
    signed_note: str
    created_at: datetime


def _stored(row: Mapping[str, Any]) -> StoredCheckpoint:
    return StoredCheckpoint(
        tree_size=row["tree_size"],
        root_hash=bytes(row["root_hash"]),
        signed_note=row["signed_note"],
        created_at=row["created_at"],
    )


class MerkleLog:
    """Appends audit events to the log, and proves what it holds."""

    def __init__(self, key_store: KeyStore, clock: Clock) -> None:
        self._key_store = key_store
        self._clock = clock

    def public_key(self) -> Ed25519PublicKey:
        """Return the key that checkpoints verify with."""
        return self._key_store.log_key().public_key()

    async def sequence_pending(self, connection: Connection, limit: int = 1000) -> int:
        """Append waiting events, oldest first, and publish a checkpoint.

        The caller's transaction makes leaves, tiles and checkpoint appear together. A second
        sequencer waits for the first one's transaction. An event that waits though it has a leaf,
        as after a careless restore, keeps that leaf and is taken off the queue.

        Returns:
            How many events were appended.
        """
        await connection.execute(QUERIES["lock_sequencer"], {"lock_key": SEQUENCER_LOCK})
        events = await self._next_events(connection, limit)
        if not events:
            return 0
        latest = await self.latest_checkpoint(connection)
        first = latest.tree_size if latest else 0
        await self._append(connection, first, events)
        await self._complete_tiles(connection, first, first + len(events))
        await self._publish(connection, first + len(events))
        return len(events)

    async def _next_events(self, connection: Connection, limit: int) -> Sequence[Mapping[str, Any]]:
        while True:
            cursor = await connection.execute(QUERIES["list_pending"], {"limit": limit})
            events = await cursor.fetchall()
            known = [event for event in events if event["has_leaf"]]
            if not known:
                return events
            _logger.error(
                "events that have a leaf waited for one", action="log.sequence",
                decision="step_over", event_ids=[event["event_id"] for event in known][:10],
                n_events=len(known),
            )  # fmt: skip
            positions = [event["position"] for event in known]
            await connection.execute(QUERIES["delete_pending"], {"positions": positions})

    async def _append(
        self, connection: Connection, first: int, events: Sequence[Mapping[str, Any]]
    ) -> None:
        entries = [audit_entry(event) for event in events]
        await connection.execute(
            QUERIES["insert_entries"],
            {
                "leaf_indexes": list(range(first, first + len(entries))),
                "event_ids": [event["event_id"] for event in events],
                "entries": entries,
                "leaf_hashes": [hash_leaf(entry) for entry in entries],
            },
        )
        positions = [event["position"] for event in events]
        await connection.execute(QUERIES["delete_pending"], {"positions": positions})

    async def _complete_tiles(self, connection: Connection, before: int, after: int) -> None:
        """Store every tile that became complete when the tree grew, level by level."""
        level, old_count, new_count = 0, before, after
        while new_count // TILE_WIDTH > old_count // TILE_WIDTH:
            for index in range(old_count // TILE_WIDTH, new_count // TILE_WIDTH):
                start = index * TILE_WIDTH
                span = TileSpan(level=level, start=start, end=start + TILE_WIDTH)
                hashes = await read_row(connection, span)
                await connection.execute(
                    QUERIES["insert_tile"],
                    {
                        "level": level,
                        "tile_index": index,
                        "hashes": b"".join(hashes),
                        "root_hash": fold_complete(hashes),
                    },
                )
            level, old_count, new_count = (
                level + 1,
                old_count // TILE_WIDTH,
                new_count // TILE_WIDTH,
            )

    async def _publish(self, connection: Connection, tree_size: int) -> None:
        root = await root_hash(connection, tree_size)
        checkpoint = Checkpoint(origin=LOG_ORIGIN, tree_size=tree_size, root_hash=root)
        await connection.execute(
            QUERIES["insert_checkpoint"],
            {
                "tree_size": tree_size,
                "root_hash": root,
                "signed_note": sign_checkpoint(checkpoint, self._key_store.log_key()),
                "created_at": self._clock.now(),
            },
        )

    async def latest_checkpoint(self, connection: Connection) -> StoredCheckpoint | None:
        """Return the newest published state; None while the log is empty."""
        cursor = await connection.execute(QUERIES["latest_checkpoint"])
        row = await cursor.fetchone()
        return None if row is None else _stored(row)

    async def inclusion_proof(
        self,
        connection: Connection,
        event_id: str,
        checkpoint: StoredCheckpoint | None = None,
    ) -> InclusionProof:
        """Prove that an event stands in the log (RFC 9162, section 2.1.3).

        Args:
            connection: any connection.
            event_id: of the audit event.
            checkpoint: the state to prove against; the newest one by default.

        Raises:
            NotSequencedError: the event has no leaf yet, or a later one than the checkpoint.
        """
        cursor = await connection.execute(QUERIES["find_entry"], {"event_id": event_id})
        row = await cursor.fetchone()
        # Read after the entry: a checkpoint that covers the entry is visible by now.
        state = checkpoint or await self.latest_checkpoint(connection)
        if row is None or state is None or row["leaf_index"] >= state.tree_size:
            raise NotSequencedError(event_id)
        ranges = inclusion_ranges(row["leaf_index"], state.tree_size)
        hashes = await range_hashes(connection, ranges)
        return InclusionProof(
            leaf_index=row["leaf_index"],
            tree_size=state.tree_size,
            hashes=tuple(entry.hex() for entry in hashes),
            leaf_entry_base64=base64.b64encode(bytes(row["entry"])).decode(),
            checkpoint=state.signed_note,
        )

    async def consistency_proof(
        self, connection: Connection, first: int, second: int
    ) -> tuple[bytes, ...]:
        """Prove that the tree of `second` leaves extends that of `first` (RFC 9162, 2.1.4).

        Raises:
            TreeSizeError: the sizes are negative, in the wrong order or beyond the log.
        """
        latest = await self.latest_checkpoint(connection)
        size = latest.tree_size if latest else 0
        if not 0 <= first <= second <= size:
            message = f"no proof from {first} to {second}: the log holds {size} entries"
            raise TreeSizeError(message)
        return tuple(await range_hashes(connection, consistency_ranges(first, second)))

    async def read_tile(self, connection: Connection, path: str) -> bytes | None:
        """Return the bytes of a tile or entry bundle by its path below `tile/`.

        Returns:
            None when the log has not (yet) so many entries.

        Raises:
            TilePathError: the path names no tile.
        """
        tile = parse_tile_path(path)
        latest = await self.latest_checkpoint(connection)
        size = latest.tree_size if latest else 0
        available = size >> (8 * (tile.level or 0))
        start = tile.index * TILE_WIDTH
        if start + tile.width > available:
            return None
        if tile.level is None:
            return await _entry_bundle(connection, start, start + tile.width)
        return await _hash_tile(connection, tile)


async def _hash_tile(connection: Connection, tile: TilePath) -> bytes:
    level = tile.level or 0
    if tile.width == TILE_WIDTH:
        key = {"level": level, "tile_index": tile.index}
        cursor = await connection.execute(QUERIES["find_tile"], key)
        row = await cursor.fetchone()
        if row is not None:
            return bytes(row["hashes"])
    start = tile.index * TILE_WIDTH
    span = TileSpan(level=level, start=start, end=start + tile.width)
    return b"".join(await read_row(connection, span))


async def _entry_bundle(connection: Connection, start: int, end: int) -> bytes:
    """Return entries, each after its length as two big-endian bytes."""
    cursor = await connection.execute(QUERIES["list_entries"], {"start": start, "end": end})
    entries = [bytes(row["entry"]) async for row in cursor]
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
