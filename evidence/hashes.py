# SPDX-License-Identifier: Apache-2.0
"""Reads subtree hashes of the log from PostgreSQL: leaves from entries, the rest from tiles.

At most two queries and some hundred rows for any root or proof, whatever the log's size.
"""

from collections.abc import Sequence
from typing import Any

from contracts.merkle import EMPTY_ROOT
from evidence.errors import LogDamagedError
from evidence.tree import LeafRange, Subtree, TileSpan, cut_range, fold_complete, fold_range
from evidence.tree import tile_span as span_of
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "log")


async def read_row(connection: Connection, span: TileSpan) -> list[bytes]:
    """Return the hashes of one span of a tile level, left to right.

    Raises:
        LogDamagedError: some are missing.
    """
    found = await _read_spans(connection, [span])
    return _hashes_of(span, found)


async def range_hashes(connection: Connection, ranges: Sequence[LeafRange]) -> list[bytes]:
    """Return the Merkle hash of each range of leaves; of an empty one the empty root.

    Raises:
        LogDamagedError: the database lacks hashes that the ranges need.
    """
    subtrees: list[Subtree] = [part for leaves in ranges for part in cut_range(leaves)]
    found = await _read_spans(connection, [span_of(part) for part in subtrees])
    hashes = {part: fold_complete(_hashes_of(span_of(part), found)) for part in subtrees}
    return [fold_range(leaves, hashes) for leaves in ranges]


async def root_hash(connection: Connection, tree_size: int) -> bytes:
    """Return the root over the first leaves of the log (32 bytes)."""
    if tree_size == 0:
        return EMPTY_ROOT
    (root,) = await range_hashes(connection, [(0, tree_size)])
    return root


def _hashes_of(span: TileSpan, found: dict[tuple[int, int], bytes]) -> list[bytes]:
    try:
        return [found[span.level, place] for place in range(span.start, span.end)]
    except KeyError as error:
        message = f"hashes {span.start} to {span.end} of level {span.level} are incomplete"
        raise LogDamagedError(message) from error


async def _read_spans(
    connection: Connection, spans: Sequence[TileSpan]
) -> dict[tuple[int, int], bytes]:
    """Return {(tile level, place): hash} for all spans."""
    leaves = [span for span in spans if span.level == 0]
    above = [span for span in spans if span.level > 0]
    found: dict[tuple[int, int], bytes] = {}
    if leaves:
        cursor = await connection.execute(QUERIES["leaf_hashes"], _arrays(leaves))
        found |= {(0, row["place"]): bytes(row["hash"]) async for row in cursor}
    if above:
        cursor = await connection.execute(QUERIES["tile_roots"], _arrays(above))
        found |= {(row["level"], row["place"]): bytes(row["hash"]) async for row in cursor}
    return found


def _arrays(spans: Sequence[TileSpan]) -> dict[str, Any]:
    return {
        "levels": [span.level for span in spans],
        "starts": [span.start for span in spans],
        "ends": [span.end for span in spans],
    }
