# SPDX-License-Identifier: Apache-2.0
"""Merkle proofs: the vectors of RFC 6962 implementations, and every proof of small trees."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.merkle import (
    EMPTY_ROOT,
    ProofError,
    hash_children,
    hash_leaf,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves of the test data of the Certificate Transparency code base.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOT_OF_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def root_of(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, written as the RFC writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hash_children(root_of(leaves[:k]), root_of(leaves[k:]))


def path_of(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m < k:
        return [*path_of(m, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), root_of(leaves[:k])]


def proof_of(m: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if known else [root_of(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m <= k:
        return [*proof_of(m, leaves[:k], known), root_of(leaves[k:])]
    return [*proof_of(m - k, leaves[k:], known=False), root_of(leaves[:k])]


def test_published_root() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert root_of(CT_LEAVES).hex() == CT_ROOT_OF_8


def numbered(count: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(count)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_inclusion_proof_verifies_at_its_place_only(size: int) -> None:
    leaves = numbered(size)
    root = root_of(leaves)
    for index in range(size):
        leaf, proof = hash_leaf(leaves[index]), path_of(index, leaves)
        verify_inclusion(leaf_hash=leaf, leaf_index=index, tree_size=size, proof=proof, root=root)
        for other in {(index + 1) % size, size - 1 - index} - {index}:
            with pytest.raises(ProofError):
                verify_inclusion(
                    leaf_hash=leaf, leaf_index=other, tree_size=size, proof=proof, root=root
                )


@pytest.mark.parametrize("second", range(1, 34))
def test_every_consistency_proof_verifies(second: int) -> None:
    leaves = numbered(second)
    for first in range(1, second + 1):
        verify_consistency(
            first_size=first,
            second_size=second,
            first_root=root_of(leaves[:first]),
            second_root=root_of(leaves),
            proof=proof_of(first, leaves),
        )


@given(size=st.integers(1, 60), data=st.data())
def test_a_changed_inclusion_proof_fails(size: int, data: st.DataObject) -> None:
    leaves = numbered(size)
    index = data.draw(st.integers(0, size - 1))
    proof = path_of(index, leaves)
    broken = data.draw(
        st.sampled_from([[*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof], proof[:-1], proof[::-1]])
    )
    leaf, root = hash_leaf(leaves[index]), root_of(leaves)
    if broken == proof:
        return
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash=leaf, leaf_index=index, tree_size=size, proof=broken, root=root)


@given(second=st.integers(2, 60), data=st.data())
def test_rewritten_history_has_no_consistency_proof(second: int, data: st.DataObject) -> None:
    leaves = numbered(second)
    first = data.draw(st.integers(1, second - 1))
    changed = data.draw(st.integers(0, first - 1))
    rewritten = [*leaves]
    rewritten[changed] = b"rewritten"
    with pytest.raises(ProofError):
        verify_consistency(
            first_size=first,
            second_size=second,
            first_root=root_of(leaves[:first]),
            second_root=root_of(rewritten),
            proof=proof_of(first, rewritten),
        )


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (1, 1), (0, 0), (5, 3)])
def test_a_leaf_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(
            leaf_hash=EMPTY_ROOT, leaf_index=index, tree_size=size, proof=[], root=EMPTY_ROOT
        )


def test_degenerate_consistency() -> None:
    root, other = root_of(numbered(3)), root_of(numbered(4))

    def check(first: int, second: int, first_root: bytes, proof: list[bytes]) -> None:
        verify_consistency(
            first_size=first,
            second_size=second,
            first_root=first_root,
            second_root=root,
            proof=proof,
        )

    check(3, 3, root, [])
    check(0, 3, EMPTY_ROOT, [])
    for first, second, first_root, proof in (
        (3, 3, other, []),
        (3, 3, root, [root]),
        (4, 3, other, []),
        (2, 3, other, []),
        (3, 4, root, []),
    ):
        with pytest.raises(ProofError):
            check(first, second, first_root, proof)
