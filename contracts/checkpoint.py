# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the audit log: C2SP tlog-checkpoint bodies as C2SP signed notes.

Formats: https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note (signature type 1,
Ed25519). The key's name is the log's origin. Pure: keys are handed in, nothing is stored.
The server signs with it and the endpoint verifies with it.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.merkle import HASH_BYTES

ED25519_SIGNATURE_TYPE = b"\x01"
KEY_HASH_BYTES = 4
MAX_NOTE_CHARACTERS = 64 * 1024
_SIGNATURE_PREFIX = "\u2014 "  # an em dash and a space open every signature line
_TREE_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class CheckpointError(ValueError):
    """The checkpoint is malformed, of another log, or not signed by the trusted key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of the log: how many entries it has and the root hash over them (32 bytes)."""

    origin: str
    tree_size: int
    root_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: key name, first 4 bytes of the key's hash, signature bytes."""

    name: str
    key_hash: bytes
    signature: bytes


def checkpoint_body(checkpoint: Checkpoint) -> str:
    """Return the three lines that are signed, each ended by a newline.

    Raises:
        CheckpointError: the values cannot be written as a checkpoint.
    """
    if not _KEY_NAME.fullmatch(checkpoint.origin) or _CONTROL.search(checkpoint.origin):
        message = "the origin must be one word without '+' or control characters"
        raise CheckpointError(message)
    if checkpoint.tree_size < 0 or len(checkpoint.root_hash) != HASH_BYTES:
        message = "the tree size is negative or the root hash is not 32 bytes"
        raise CheckpointError(message)
    root = base64.b64encode(checkpoint.root_hash).decode()
    return f"{checkpoint.origin}\n{checkpoint.tree_size}\n{root}\n"


def key_hash(name: str, key: Ed25519PublicKey) -> bytes:
    """Return SHA-256(name || LF || 0x01 || public key)[:4], the key id of a signed note."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return hashlib.sha256(name.encode() + b"\n" + ED25519_SIGNATURE_TYPE + raw).digest()[
        :KEY_HASH_BYTES
    ]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """Return the key as `<name>+<hex key hash>+<base64>`, the text that note tools read."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    encoded = base64.b64encode(ED25519_SIGNATURE_TYPE + raw).decode()
    return f"{name}+{key_hash(name, key).hex()}+{encoded}"


def sign_checkpoint(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """Return the checkpoint as a signed note with one signature under the origin's name."""
    body = checkpoint_body(checkpoint)
    signature = key_hash(checkpoint.origin, key.public_key()) + key.sign(body.encode())
    encoded = base64.b64encode(signature).decode()
    return f"{body}\n{_SIGNATURE_PREFIX}{checkpoint.origin} {encoded}\n"


def split_note(note: str) -> tuple[str, tuple[NoteSignature, ...]]:
    """Split a signed note into its text (with the last newline) and its signatures.

    Raises:
        CheckpointError: the note does not follow the signed-note format.
    """
    if len(note) > MAX_NOTE_CHARACTERS or _CONTROL.search(note):
        message = "the note is too long or holds control characters"
        raise CheckpointError(message)
    text, separator, block = note.rpartition("\n\n")
    if not separator or not text or not block.endswith("\n"):
        message = "the note has no signature block"
        raise CheckpointError(message)
    return f"{text}\n", tuple(_parse_signature(line) for line in block[:-1].split("\n"))


def _parse_signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not _KEY_NAME.fullmatch(name):
        message = "a signature line is malformed"
        raise CheckpointError(message)
    content = _decode_base64(encoded)
    if len(content) <= KEY_HASH_BYTES:
        message = "a signature is too short"
        raise CheckpointError(message)
    return NoteSignature(
        name=name, key_hash=content[:KEY_HASH_BYTES], signature=content[KEY_HASH_BYTES:]
    )


def _decode_base64(encoded: str) -> bytes:
    """Decode standard base64 and refuse any second spelling of the same bytes."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        message = "a field is not base64"
        raise CheckpointError(message) from error
    if base64.b64encode(content).decode() != encoded:
        message = "a field is not canonical base64"
        raise CheckpointError(message)
    return content


def verify_note(note: str, *, name: str, key: Ed25519PublicKey) -> str:
    """Check one key's signature on a note and return the signed text.

    Signatures of other keys are ignored, as the format demands; of the named key every
    signature must verify and at least one must exist.

    Raises:
        CheckpointError: the note is malformed, or not signed by this key.
    """
    text, signatures = split_note(note)
    wanted = key_hash(name, key)
    ours = [entry for entry in signatures if (entry.name, entry.key_hash) == (name, wanted)]
    if not ours:
        message = f"the note is not signed by {name}+{wanted.hex()}"
        raise CheckpointError(message)
    for entry in ours:
        try:
            key.verify(entry.signature, text.encode())
        except InvalidSignature as error:
            message = f"the signature of {name}+{wanted.hex()} does not verify"
            raise CheckpointError(message) from error
    return text


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint without checking its signature; extension lines are allowed.

    Raises:
        CheckpointError: the note or its body is malformed.
    """
    text, _ = split_note(note)
    return _parse_body(text)


def _parse_body(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines) or not _TREE_SIZE.fullmatch(lines[1]):
        message = "the checkpoint lacks an origin, a tree size or a root hash"
        raise CheckpointError(message)
    root_hash = _decode_base64(lines[2])
    if len(root_hash) != HASH_BYTES:
        message = "the root hash is not 32 bytes"
        raise CheckpointError(message)
    return Checkpoint(origin=lines[0], tree_size=int(lines[1]), root_hash=root_hash)


def verify_checkpoint(note: str, *, key: Ed25519PublicKey, origin: str) -> Checkpoint:
    """Check a signed checkpoint against the log's key and origin, and return it.

    Raises:
        CheckpointError: it is malformed, of another log, or not signed by this key.
    """
    checkpoint = _parse_body(verify_note(note, name=origin, key=key))
    if checkpoint.origin != origin:
        message = f"the checkpoint is of another log than {origin}"
        raise CheckpointError(message)
    return checkpoint
