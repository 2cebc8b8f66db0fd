# SPDX-License-Identifier: Apache-2.0
"""Sigstore bundles v0.3 around DSSE envelopes (sigstore protobuf-specs, bundle.proto). Pure.

The verification material is a hint to a public key, which is the key id; trust in the key is the
verifier's business. Log proofs travel beside the bundle: our log is not Rekor.
"""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from contracts.canonical import canonical_json
from contracts.dsse import Envelope, EnvelopeError, open_envelope, seal
from evidence.errors import BundleCorruptError
from evidence.signing import ecdsa_signer, ecdsa_verifier, key_id_of
from evidence.statement import PAYLOAD_TYPE

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def sign_bundle(payload: bytes, key: EllipticCurvePrivateKey) -> bytes:
    """Sign a statement's bytes and return the bundle as canonical JSON."""
    key_id = key_id_of(key.public_key())
    envelope = seal(
        payload_type=PAYLOAD_TYPE, payload=payload, key_id=key_id, sign=ecdsa_signer(key)
    )
    # The envelope is canonical JSON already; it is set in as it is, not decoded and encoded again.
    head = canonical_json({"mediaType": MEDIA_TYPE, "verificationMaterial": _material(key_id)})
    return b'{"dsseEnvelope":' + envelope + b"," + head[1:]


def _material(key_id: str) -> dict[str, Any]:
    return {"publicKey": {"hint": key_id}}


def open_bundle(bundle: Any, key: EllipticCurvePublicKey) -> Envelope:
    """Check a bundle (as a JSON value) and return its envelope.

    Nothing in the bundle is left unchecked: two different bundles never both pass, unless they
    carry two different valid signatures.

    Raises:
        BundleCorruptError: the bundle is malformed or the signature does not verify.
    """
    try:
        content = canonical_json(bundle["dsseEnvelope"])
        envelope = open_envelope(content, verify=ecdsa_verifier(key))
        expected = _rebuild(envelope)
    except (KeyError, TypeError, ValueError, EnvelopeError) as error:
        message = f"the bundle does not verify: {error}"
        raise BundleCorruptError(message) from error
    if bundle != expected or envelope.payload_type != PAYLOAD_TYPE:
        message = "the bundle holds unsigned or non-canonical fields"
        raise BundleCorruptError(message)
    return envelope


def _rebuild(envelope: Envelope) -> dict[str, Any]:
    """Return the one bundle that we would write for this envelope."""
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": _material(envelope.key_id),
        "dsseEnvelope": {
            "payloadType": envelope.payload_type,
            "payload": base64.b64encode(envelope.payload).decode(),
            "signatures": [
                {
                    "keyid": envelope.key_id,
                    "sig": base64.b64encode(envelope.signature).decode(),
                }
            ],
        },
    }
