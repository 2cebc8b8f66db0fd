# SPDX-License-Identifier: Apache-2.0
"""Merkle tree hashes and proofs of RFC 6962 section 2.1, verified as in RFC 9162 section 2.1.

Pure functions of bytes; storage and signing are evidence/'s.
"""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofError(ValueError):
    """The Merkle proof does not lead to the stated root."""


def hash_leaf(entry: bytes) -> bytes:
    """Return SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(
    *, leaf_hash: bytes, leaf_index: int, tree_size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf stands at an index of the tree with this root (RFC 9162, 2.1.3.2).

    Raises:
        ProofError: it does not, or the proof has the wrong length.
    """
    if not 0 <= leaf_index < tree_size:
        message = f"leaf index {leaf_index} lies outside a tree of size {tree_size}"
        raise ProofError(message)
    node, last, current = leaf_index, tree_size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            message = "the inclusion proof is too long"
            raise ProofError(message)
        if node & 1 or node == last:
            current = hash_children(sibling, current)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            current = hash_children(current, sibling)
        node >>= 1
        last >>= 1
    if last != 0 or current != root:
        message = "the inclusion proof does not lead to the root"
        raise ProofError(message)


def verify_consistency(  # noqa: C901 - the RFC's algorithm, kept in one piece
    *,
    first_size: int,
    second_size: int,
    first_root: bytes,
    second_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Check that the second tree extends the first (RFC 9162, section 2.1.4.2).

    Raises:
        ProofError: history was rewritten, or the proof is malformed.
    """
    if first_size > second_size:
        message = f"the tree shrank from {first_size} to {second_size}"
        raise ProofError(message)
    if first_size in (0, second_size):
        if proof or (first_size == second_size and first_root != second_root):
            message = "the trees differ though one contains the other"
            raise ProofError(message)
        return
    path = list(proof)
    if first_size & (first_size - 1) == 0:
        path.insert(0, first_root)
    if not path:
        message = "the consistency proof is empty"
        raise ProofError(message)
    node, last = first_size - 1, second_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            message = "the consistency proof is too long"
            raise ProofError(message)
        if node & 1 or node == last:
            first = hash_children(sibling, first)
            second = hash_children(sibling, second)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            second = hash_children(second, sibling)
        node >>= 1
        last >>= 1
    if last != 0 or first != first_root or second != second_root:
        message = "the consistency proof does not connect the two roots"
        raise ProofError(message)
