# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes and digests: RFC 8785 JSON and SHA-256.

Everything that is signed, hashed or compared goes through here, so that two
processes on two machines see the same bytes for the same value.
"""

import hashlib
from typing import Any

import rfc8785


class CanonicalFormError(ValueError):
    """The value has no canonical JSON form."""


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        CanonicalFormError: the value holds something that JSON cannot carry.
    """
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CanonicalFormError(str(error)) from error


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of bytes as 64 lower-case hex digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 (hex) of a value's canonical JSON."""
    return sha256_hex(canonical_json(value))
