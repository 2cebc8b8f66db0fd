# SPDX-License-Identifier: Apache-2.0
"""The case file: one self-contained JSON file with all evidence of a proposal. Format 1. Pure.

It carries public keys for convenience; whoever verifies decides which keys to trust.
"""

import json
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from contracts.canonical import canonical_json
from contracts.job import Digest
from evidence.errors import MalformedCaseError

CASE_FORMAT: Literal["https://eucora.dev/case/v1"] = "https://eucora.dev/case/v1"
MAX_CASE_BYTES = 64 * 1024 * 1024


class LogProof(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the audit event of a statement stands in the log of the case's checkpoint."""

    leaf_index: Annotated[int, Meta(ge=0)]
    entry_base64: str
    hashes: tuple[Digest, ...]  # siblings, leaf first


class SealedStatement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signed statement with its log proof."""

    digest: Digest  # of the statement's bytes
    bundle: dict[str, Any]  # sigstore bundle v0.3
    log: LogProof


class CaseFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything about one proposal; statements in the order of the log."""

    format: Literal["https://eucora.dev/case/v1"] = CASE_FORMAT
    proposal_id: str
    files: dict[str, str]  # name -> base64
    statements: Annotated[tuple[SealedStatement, ...], Meta(min_length=1)]
    checkpoint: str  # C2SP signed note
    log_origin: str
    evidence_public_key_pem: str
    log_public_key_pem: str


def encode_case(case: CaseFile) -> bytes:
    """Return the case file as canonical JSON."""
    return canonical_json(
        {name: msgspec.to_builtins(getattr(case, name)) for name in case.__struct_fields__}
    )


def parse_case(content: bytes) -> CaseFile:
    """Read a case file without trusting it.

    Raises:
        MalformedCaseError: too large, not of this format, or not in canonical form.
    """
    if len(content) > MAX_CASE_BYTES:
        message = f"larger than {MAX_CASE_BYTES} bytes"
        raise MalformedCaseError(message)
    try:
        case = msgspec.convert(json.loads(content), CaseFile)
        canonical = encode_case(case)
    except (ValueError, RecursionError) as error:  # msgspec.ValidationError is a ValueError
        message = f"not a case file: {error}"
        raise MalformedCaseError(message) from error
    if canonical != content:
        message = "not in canonical form: something was added or rewritten"
        raise MalformedCaseError(message)
    return case
