# SPDX-License-Identifier: Apache-2.0
"""Signed catalogue entries of scripts: what was imported, by whom, under our evidence key. Pure.

An entry is a JSON object in canonical form inside a DSSE envelope. It names the bytes of each step
by digest; whether stored bytes still are those is for its reader to compare.
"""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from contracts.canonical import canonical_json
from contracts.dsse import EnvelopeError, open_envelope, seal
from evidence.errors import EntryUnverifiedError
from evidence.signing import ecdsa_signer, ecdsa_verifier, key_id_of

PAYLOAD_TYPE = "application/vnd.eucora.script-entry.v1+json"


def sign_entry(entry: Mapping[str, Any], key: EllipticCurvePrivateKey) -> bytes:
    """Return the entry in a signed envelope (canonical JSON).

    Raises:
        CanonicalFormError: the entry is not a JSON value.
    """
    return seal(
        payload_type=PAYLOAD_TYPE,
        payload=canonical_json(dict(entry)),
        key_id=key_id_of(key.public_key()),
        sign=ecdsa_signer(key),
    )


def open_entry(envelope: bytes, key: EllipticCurvePublicKey) -> dict[str, Any]:
    """Return what was signed.

    Raises:
        EntryUnverifiedError: malformed, of another kind, or signed by another key.
    """
    try:
        opened = open_envelope(envelope, verify=ecdsa_verifier(key))
        entry = json.loads(opened.payload)
    except (EnvelopeError, ValueError) as error:
        message = f"the signed entry does not verify: {error}"
        raise EntryUnverifiedError(message) from error
    if opened.payload_type != PAYLOAD_TYPE or not isinstance(entry, dict):
        message = "the envelope holds no catalogue entry"
        raise EntryUnverifiedError(message)
    return entry
