# SPDX-License-Identifier: Apache-2.0
"""Documents signed under our evidence key, such as catalogue entries and policy versions. Pure.

A document is a JSON object in canonical form inside a DSSE envelope, whose payload type says what
it is. What it states, and whether what is stored still is that, is for its reader to compare.
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
from evidence.errors import DocumentUnverifiedError
from evidence.signing import ecdsa_signer, ecdsa_verifier, key_id_of


def sign_document(
    payload_type: str, document: Mapping[str, Any], key: EllipticCurvePrivateKey
) -> bytes:
    """Return the document in a signed envelope (canonical JSON).

    Args:
        payload_type: a media type of its own for each kind of document, with its version.
        document: a JSON object.
        key: of our evidence.

    Raises:
        CanonicalFormError: the document is not a JSON value.
    """
    return seal(
        payload_type=payload_type,
        payload=canonical_json(dict(document)),
        key_id=key_id_of(key.public_key()),
        sign=ecdsa_signer(key),
    )


def open_document(
    payload_type: str, envelope: bytes, key: EllipticCurvePublicKey
) -> dict[str, Any]:
    """Return what was signed.

    Raises:
        DocumentUnverifiedError: malformed, of another type, or signed by another key.
    """
    try:
        opened = open_envelope(envelope, verify=ecdsa_verifier(key))
        document = json.loads(opened.payload)
    except (EnvelopeError, ValueError, RecursionError) as error:
        message = f"the signed document does not verify: {error}"
        raise DocumentUnverifiedError(message) from error
    if opened.payload_type != payload_type or not isinstance(document, dict):
        message = f"the envelope holds no {payload_type}"
        raise DocumentUnverifiedError(message)
    return document
