# SPDX-License-Identifier: Apache-2.0
"""Subtree ranges: every proof that they describe verifies, and needs aligned subtrees only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.merkle import (
    EMPTY_ROOT,
    hash_children,
    hash_leaf,
    verify_consistency,
    verify_inclusion,
)
from evidence.errors import TilePathError
from evidence.tile_path import TilePath, format_tile_path, parse_tile_path
from evidence.tree import (
    LeafRange,
    Subtree,
    consistency_ranges,
    cut_range,
    fold_complete,
    fold_range,
    inclusion_ranges,
    tile_span,
)

LEAVES = [hash_leaf(b"%d" % number) for number in range(600)]


def reference_root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return hash_children(reference_root(hashes[:split]), reference_root(hashes[split:]))


def subtree_hash(subtree: Subtree) -> bytes:
    start, end = subtree.index << subtree.height, (subtree.index + 1) << subtree.height
    return fold_complete(LEAVES[start:end])


def hash_of(leaves: LeafRange) -> bytes:
    return fold_range(leaves, {part: subtree_hash(part) for part in cut_range(leaves)})


@pytest.mark.parametrize("size", [*range(70), 255, 256, 257, 511, 512, 513, 600])
def test_roots_are_those_of_the_rfc(size: int) -> None:
    assert hash_of((0, size)) == reference_root(LEAVES[:size])


@settings(deadline=None)
@given(size=st.integers(1, 600), data=st.data())
def test_inclusion_ranges_prove(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    verify_inclusion(
        leaf_hash=LEAVES[index],
        leaf_index=index,
        tree_size=size,
        proof=[hash_of(leaves) for leaves in inclusion_ranges(index, size)],
        root=reference_root(LEAVES[:size]),
    )


@settings(deadline=None)
@given(second=st.integers(0, 600), data=st.data())
def test_consistency_ranges_prove(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    verify_consistency(
        first_size=first,
        second_size=second,
        first_root=reference_root(LEAVES[:first]),
        second_root=reference_root(LEAVES[:second]),
        proof=[hash_of(leaves) for leaves in consistency_ranges(first, second)],
    )


def test_all_small_consistency_ranges_prove() -> None:
    for second in range(40):
        for first in range(second + 1):
            verify_consistency(
                first_size=first,
                second_size=second,
                first_root=reference_root(LEAVES[:first]),
                second_root=reference_root(LEAVES[:second]),
                proof=[hash_of(leaves) for leaves in consistency_ranges(first, second)],
            )


@given(size=st.integers(1, 2**40), data=st.data())
def test_proofs_of_huge_trees_stay_small(size: int, data: st.DataObject) -> None:
    ranges = inclusion_ranges(data.draw(st.integers(0, size - 1)), size)
    assert len(ranges) <= size.bit_length()
    for leaves in ranges:
        for subtree in cut_range(leaves):
            span = tile_span(subtree)
            assert 1 <= span.end - span.start <= 128
            assert span.start % (span.end - span.start) == 0


def test_sizes_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="no prefix"):
        consistency_ranges(3, 2)
    with pytest.raises(ValueError, match="outside"):
        inclusion_ranges(2, 2)


@pytest.mark.parametrize(
    ("path", "tile"),
    [
        ("0/000", TilePath(level=0, index=0)),
        ("3/x001/x234/067.p/1", TilePath(level=3, index=1234067, width=1)),
        ("entries/x001/000", TilePath(level=None, index=1000)),
        ("entries/999.p/255", TilePath(level=None, index=999, width=255)),
    ],
)
def test_paths_of_the_tile_layout(path: str, tile: TilePath) -> None:
    assert parse_tile_path(path) == tile
    assert format_tile_path(tile) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "0/0",
        "0/x000/000",
        "0/x001",
        "8/000",
        "-1/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000/",
        "data/000",
        "../000",
        "0/000\n",
        "0/\u0661\u0661\u0661",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(TilePathError):
        parse_tile_path(path)
