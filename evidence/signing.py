# SPDX-License-Identifier: Apache-2.0
"""ECDSA P-256 with SHA-256, the signature of evidence: signing, key ids, verification. Pure.

P-256 and not Ed25519, because cosign and stock tools verify it in bundles as it is.
"""

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from contracts.dsse import EnvelopeError
from evidence.errors import EvidenceError


def public_pem(key: EllipticCurvePublicKey | Ed25519PublicKey) -> str:
    """Return a public key as PEM (SubjectPublicKeyInfo)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_id_of(key: EllipticCurvePublicKey | Ed25519PublicKey) -> str:
    """Return the SHA-256 (hex) of the key's SubjectPublicKeyInfo in DER."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def ecdsa_signer(key: EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    """Return the function that signs bytes (DER-encoded signature)."""
    return lambda content: key.sign(content, ECDSA(SHA256()))


def ecdsa_verifier(key: EllipticCurvePublicKey) -> Callable[[str, bytes, bytes], None]:
    """Return the check that `contracts.dsse.open_envelope` asks for: exactly this key."""
    expected = key_id_of(key)

    def verify(key_id: str, signature: bytes, signed: bytes) -> None:
        if key_id != expected:
            message = f"signed by an unknown key {key_id[:64]!r}"
            raise EnvelopeError(message)
        try:
            key.verify(signature, signed, ECDSA(SHA256()))
        except InvalidSignature as error:
            message = "the signature does not verify"
            raise EnvelopeError(message) from error

    return verify


def load_evidence_key(pem: str) -> EllipticCurvePublicKey:
    """Read a P-256 public key; only the canonical PEM spelling is accepted.

    Raises:
        EvidenceError: it is not one.
    """
    key = _load(pem)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        message = "the evidence key is not a P-256 public key"
        raise EvidenceError(message)
    return key


def load_log_key(pem: str) -> Ed25519PublicKey:
    """Read an Ed25519 public key; only the canonical PEM spelling is accepted.

    Raises:
        EvidenceError: it is not one.
    """
    key = _load(pem)
    if not isinstance(key, Ed25519PublicKey):
        message = "the log key is not an Ed25519 public key"
        raise EvidenceError(message)
    return key


def _load(pem: str) -> EllipticCurvePublicKey | Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        message = "not a PEM public key"
        raise EvidenceError(message) from error
    if not isinstance(key, EllipticCurvePublicKey | Ed25519PublicKey) or public_pem(key) != pem:
        message = "not a PEM public key in canonical form"
        raise EvidenceError(message)
    return key
