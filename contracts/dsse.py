# SPDX-License-Identifier: Apache-2.0
"""Dead Simple Signing Envelope, protocol v1.0 (https://github.com/secure-systems-lab/dsse).

Pure: the signing function is handed in. Which keys are trusted is the caller's business.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.canonical import canonical_json


class EnvelopeError(ValueError):
    """The envelope is malformed or its signature does not verify."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One payload with one signature, as received."""

    payload_type: str
    payload: bytes
    signature: bytes
    key_id: str


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return PAE(type, body), the bytes that are signed (DSSE v1.0, section Protocol)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(
    *, payload_type: str, payload: bytes, key_id: str, sign: Callable[[bytes], bytes]
) -> bytes:
    """Sign a payload and return the envelope as canonical JSON bytes."""
    signature = sign(pre_authentication_encoding(payload_type, payload))
    return canonical_json(
        {
            "payloadType": payload_type,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"keyid": key_id, "sig": base64.b64encode(signature).decode()}],
        }
    )


def parse_envelope(content: bytes) -> Envelope:
    """Read an envelope without trusting it.

    Raises:
        EnvelopeError: not JSON, a field is missing or of the wrong type, or there is not
            exactly one signature.
    """
    try:
        document: dict[str, Any] = json.loads(content)
        (signature,) = document["signatures"]
        return Envelope(
            payload_type=str(document["payloadType"]),
            payload=base64.b64decode(document["payload"], validate=True),
            signature=base64.b64decode(signature["sig"], validate=True),
            key_id=str(signature["keyid"]),
        )
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        message = "not a DSSE envelope with exactly one signature"
        raise EnvelopeError(message) from error


def open_envelope(content: bytes, *, verify: Callable[[str, bytes, bytes], None]) -> Envelope:
    """Parse an envelope and check its signature.

    Args:
        content: the envelope's JSON.
        verify: called with (key id, signature, signed bytes); raises EnvelopeError when the
            key is unknown or the signature is wrong.
    """
    envelope = parse_envelope(content)
    signed = pre_authentication_encoding(envelope.payload_type, envelope.payload)
    verify(envelope.key_id, envelope.signature, signed)
    return envelope
