# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes: the protocol's own example, and what must be refused."""

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from contracts.dsse import (
    EnvelopeError,
    open_envelope,
    parse_envelope,
    pre_authentication_encoding,
    seal,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def verify(key_id: str, signature: bytes, signed: bytes) -> None:
    if key_id != "test":
        raise EnvelopeError("unknown key")
    try:
        KEY.public_key().verify(signature, signed)
    except InvalidSignature as error:
        raise EnvelopeError("bad signature") from error


def sealed(payload_type: str, payload: bytes) -> bytes:
    return seal(payload_type=payload_type, payload=payload, key_id="test", sign=KEY.sign)


def test_the_example_of_the_protocol() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(payload_type=st.text(min_size=1, max_size=40), payload=st.binary(max_size=200))
def test_sealed_opens_to_the_same(payload_type: str, payload: bytes) -> None:
    envelope = open_envelope(sealed(payload_type, payload), verify=verify)
    assert (envelope.payload_type, envelope.payload) == (payload_type, payload)


@given(
    one=st.tuples(st.text(max_size=20), st.binary(max_size=40)),
    other=st.tuples(st.text(max_size=20), st.binary(max_size=40)),
)
def test_the_encoding_is_injective(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    same = pre_authentication_encoding(*one) == pre_authentication_encoding(*other)
    assert same == (one == other)


@given(position=st.integers(0, 20), bit=st.integers(0, 7))
def test_a_flipped_payload_bit_is_refused(position: int, bit: int) -> None:
    document = json.loads(sealed("text/plain", b"run exactly these bytes"))
    payload = bytearray(base64.b64decode(document["payload"]))
    payload[position] ^= 1 << bit
    document["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(EnvelopeError):
        open_envelope(json.dumps(document).encode(), verify=verify)


def test_another_payload_type_is_refused() -> None:
    document = json.loads(sealed("text/plain", b"same bytes"))
    document["payloadType"] = "text/html"
    with pytest.raises(EnvelopeError):
        open_envelope(json.dumps(document).encode(), verify=verify)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"payloadType": "a"}',
        b'{"payloadType": "a", "payload": "!", "signatures": [{"keyid": "", "sig": ""}]}',
        b'{"payloadType": "a", "payload": "", "signatures": []}',
        b'{"payloadType": "a", "payload": "", "signatures": [1]}',
        b'{"payloadType": "a", "payload": 7, "signatures": [{"keyid": "", "sig": ""}]}',
        b'{"payloadType":"a","payload":"","signatures":[{"keyid":"","sig":""},{"keyid":"","sig":""}]}',
    ],
)
def test_malformed_envelopes_are_refused(content: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(content)


@given(content=st.binary(max_size=200))
def test_noise_never_raises_anything_else(content: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse_envelope(content)
