# SPDX-License-Identifier: Apache-2.0
"""Signed checkpoints: the example of the Go note package, round trips, and refusals."""

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from contracts.checkpoint import (
    Checkpoint,
    CheckpointError,
    checkpoint_body,
    parse_checkpoint,
    sign_checkpoint,
    split_note,
    verifier_key,
    verify_checkpoint,
    verify_note,
)

ORIGIN = "eucora.local/audit"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
CHECKPOINT = Checkpoint(origin=ORIGIN, tree_size=7, root_hash=bytes(range(32)))

# From the documentation of golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_example_of_the_go_note_package() -> None:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(GO_KEY.rpartition("+")[2])[1:])
    assert verifier_key("PeterNeumann", key) == GO_KEY
    assert verify_note(GO_NOTE, name="PeterNeumann", key=key).startswith("If you think")
    with pytest.raises(CheckpointError):
        verify_note(GO_NOTE.replace("problem is", "problem was"), name="PeterNeumann", key=key)


@given(tree_size=st.integers(0, 2**62), root_hash=st.binary(min_size=32, max_size=32))
def test_signed_checkpoints_verify(tree_size: int, root_hash: bytes) -> None:
    checkpoint = Checkpoint(origin=ORIGIN, tree_size=tree_size, root_hash=root_hash)
    note = sign_checkpoint(checkpoint, KEY)
    assert verify_checkpoint(note, key=KEY.public_key(), origin=ORIGIN) == checkpoint
    assert parse_checkpoint(note) == checkpoint


@given(data=st.data())
def test_any_flipped_bit_is_refused(data: st.DataObject) -> None:
    content = bytearray(sign_checkpoint(CHECKPOINT, KEY).encode())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    note = content.decode(errors="replace")
    with pytest.raises(CheckpointError):
        verify_checkpoint(note, key=KEY.public_key(), origin=ORIGIN)


@given(note=st.text(max_size=200))
def test_noise_never_raises_anything_else(note: str) -> None:
    with pytest.raises(CheckpointError):
        verify_checkpoint(note, key=KEY.public_key(), origin=ORIGIN)


def test_other_keys_and_other_logs_are_refused() -> None:
    note = sign_checkpoint(CHECKPOINT, KEY)
    with pytest.raises(CheckpointError):
        verify_checkpoint(note, key=OTHER_KEY.public_key(), origin=ORIGIN)
    with pytest.raises(CheckpointError):
        verify_checkpoint(note, key=KEY.public_key(), origin="example.org/log")


def test_a_body_of_another_origin_under_our_name_is_refused() -> None:
    foreign = sign_checkpoint(
        Checkpoint(origin="example.org/log", tree_size=1, root_hash=bytes(32)), KEY
    )
    text, _ = split_note(foreign)
    ours = sign_checkpoint(CHECKPOINT, KEY).rpartition("\n\n")[2]
    with pytest.raises(CheckpointError):
        verify_checkpoint(f"{text}\n{ours}", key=KEY.public_key(), origin=ORIGIN)


def test_a_witness_signature_is_ignored_but_none_of_ours_is_refused() -> None:
    note = sign_checkpoint(CHECKPOINT, KEY)
    witness = sign_checkpoint(CHECKPOINT, OTHER_KEY).rpartition("\n\n")[2]
    assert verify_checkpoint(note + witness, key=KEY.public_key(), origin=ORIGIN) == CHECKPOINT
    body = checkpoint_body(CHECKPOINT)
    with pytest.raises(CheckpointError):
        verify_checkpoint(f"{body}\n{witness}", key=KEY.public_key(), origin=ORIGIN)


def test_extension_lines_are_allowed_in_a_body() -> None:
    body = checkpoint_body(CHECKPOINT) + "extension\n"
    line = sign_checkpoint(CHECKPOINT, KEY).rpartition("\n\n")[2]
    assert parse_checkpoint(f"{body}\n{line}") == CHECKPOINT


@pytest.mark.parametrize("size", ["-1", "01", "1.0", "", " 1", "9" * 30, "\u0661"])
def test_odd_tree_sizes_are_refused(size: str) -> None:
    note = sign_checkpoint(CHECKPOINT, KEY).replace("\n7\n", f"\n{size}\n")
    with pytest.raises(CheckpointError):
        parse_checkpoint(note)


@pytest.mark.parametrize("origin", ["", "two words", "plus+sign", "line\nbreak", "bell\x07"])
def test_origins_that_are_no_key_names_cannot_be_signed(origin: str) -> None:
    with pytest.raises(CheckpointError):
        sign_checkpoint(Checkpoint(origin=origin, tree_size=0, root_hash=bytes(32)), KEY)


def test_openssl_verifies_a_checkpoint(tmp_path: Path) -> None:
    text, (signature,) = split_note(sign_checkpoint(CHECKPOINT, KEY))
    (tmp_path / "body").write_text(text)
    (tmp_path / "sig").write_bytes(signature.signature)
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in body -sigfile sig"
    answer = subprocess.run(
        command.split(), cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
