# SPDX-License-Identifier: Apache-2.0
"""Signs a job: canonical JSON of `contracts.job.Job` in a DSSE envelope (Ed25519). Pure."""

import base64
import json
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.canonical import canonical_json, sha256_hex
from contracts.dsse import parse_envelope, seal
from contracts.job import JOB_PAYLOAD_TYPE, ApprovedEvidence, Job, ScriptStep
from evidence.bundles import OpenedBundle
from evidence.statement import CASE_FILE, encode_statement


def script_step(content: bytes) -> ScriptStep:
    """Return a step's bytes with their digest."""
    return ScriptStep(content_base64=_base64(content), sha256=sha256_hex(content))


def approved_evidence(approval: OpenedBundle, proposal: OpenedBundle) -> ApprovedEvidence:
    """Return what was approved in the bytes whose digests the log, and each other, name."""
    return ApprovedEvidence(
        approval_base64=_base64(encode_statement(approval.statement)),
        proposal_base64=_base64(encode_statement(proposal.statement)),
        case_base64=_base64(proposal.files[CASE_FILE]),
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def sign_job(job: Job, key: Ed25519PrivateKey) -> bytes:
    """Return the signed envelope.

    The job is decoded again with every bound of the contract, so that nothing is signed which a
    device would call malformed. The key id is the SHA-256 (hex) of the public key in DER.

    Raises:
        msgspec.ValidationError: a field is out of bounds.

    """
    payload = canonical_json(msgspec.to_builtins(job))
    msgspec.json.decode(payload, type=Job)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return seal(
        payload_type=JOB_PAYLOAD_TYPE, payload=payload, key_id=sha256_hex(der), sign=key.sign
    )


def read_own_job(envelope: bytes) -> dict[str, Any]:
    """Return the payload of an envelope that we signed and stored."""
    payload: dict[str, Any] = json.loads(parse_envelope(envelope).payload)
    return payload
