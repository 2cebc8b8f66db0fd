# SPDX-License-Identifier: Apache-2.0
"""Which subtree hashes a Merkle root or proof is made of (RFC 6962, section 2.1). Pure.

A range of leaves is cut into complete, aligned subtrees; whoever stores hashes looks those up,
and `fold_range` joins them again. Ranges are half-open pairs (first leaf, end leaf).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.merkle import EMPTY_ROOT, hash_children

LeafRange = tuple[int, int]
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtree:
    """The complete subtree over leaves [index << height, (index + 1) << height)."""

    height: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSpan:
    """Hashes [start, end) of one tile level whose root is a wanted subtree's root."""

    level: int
    start: int
    end: int


def tile_span(subtree: Subtree) -> TileSpan:
    """Return the hashes of the nearest tile level at or below the subtree (at most 128)."""
    level, rest = divmod(subtree.height, TILE_HEIGHT)
    start = subtree.index << rest
    return TileSpan(level=level, start=start, end=start + (1 << rest))


def cut_range(leaves: LeafRange) -> tuple[Subtree, ...]:
    """Cut a range of an RFC 6962 tree into complete aligned subtrees, left to right.

    The first leaf must be a multiple of the smallest power of two not less than the range's
    width, as all ranges of RFC 6962 are; the subtrees then shrink from left to right.
    """
    start, end = leaves
    subtrees = []
    while start < end:
        height = (end - start).bit_length() - 1
        subtrees.append(Subtree(height=height, index=start >> height))
        start += 1 << height
    return tuple(subtrees)


def fold_range(leaves: LeafRange, hashes: Mapping[Subtree, bytes]) -> bytes:
    """Return MTH(D[first:end]) from the hashes of the range's subtrees.

    Raises:
        KeyError: a needed subtree hash is missing.
    """
    subtrees = cut_range(leaves)
    if not subtrees:
        return EMPTY_ROOT
    current = hashes[subtrees[-1]]
    for subtree in reversed(subtrees[:-1]):
        current = hash_children(hashes[subtree], current)
    return current


def fold_complete(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of sibling hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [hash_children(left, right) for left, right in zip(row[::2], row[1::2], strict=True)]
    return row[0]


def _split(leaves: LeafRange) -> int:
    """Return where RFC 6962 splits a range: after the largest power of two below its width."""
    start, end = leaves
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion_ranges(leaf_index: int, tree_size: int) -> tuple[LeafRange, ...]:
    """Return the ranges whose roots form PATH(leaf_index, D[tree_size]), leaf side first.

    Raises:
        ValueError: the leaf lies outside the tree.
    """
    if not 0 <= leaf_index < tree_size:
        message = f"leaf {leaf_index} lies outside a tree of size {tree_size}"
        raise ValueError(message)
    start, end = 0, tree_size
    path: list[LeafRange] = []
    while end - start > 1:
        middle = _split((start, end))
        if leaf_index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_ranges(first_size: int, second_size: int) -> tuple[LeafRange, ...]:
    """Return the ranges whose roots form PROOF(first_size, D[second_size]).

    Empty when the first tree is empty or both are equal (RFC 9162 section 2.1.4.1 asks for none).

    Raises:
        ValueError: the first tree is larger than the second.
    """
    if not 0 <= first_size <= second_size:
        message = f"a tree of {first_size} is no prefix of a tree of {second_size}"
        raise ValueError(message)
    if first_size in (0, second_size):
        return ()
    start, end = 0, second_size
    known = True  # the prefix [start, first_size) is a subtree that the verifier knows already
    path: list[LeafRange] = []
    while first_size != end:
        middle = _split((start, end))
        if first_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
            known = False
    if not known:
        path.append((start, end))
    return tuple(reversed(path))
