# SPDX-License-Identifier: Apache-2.0
"""In-toto Statements (https://in-toto.io/Statement/v1) about a case: build and read. Pure.

A case begins with what is proposed, or stands alone: the promotion of a model or a policy put in
force, whose subjects `model` and `policy` are digests of what is not a file of the bundle; or a
decision on script versions.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.canonical import canonical_json, sha256_hex
from evidence.errors import EvidenceError, UnsafeFileNameError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
CASE_FILE = "case.json"
PROPOSAL_SUBJECT = "proposal"
MODEL_SUBJECT = "model"
POLICY_SUBJECT = "policy"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StatementKind(StrEnum):
    """What a statement attests; those of one proposal in the order in which they happen."""

    PROPOSAL = "proposal"
    APPROVAL = "approval"
    EXECUTION = "execution"
    VERIFICATION = "verification"
    PROMOTION = "promotion"
    SCRIPT_DECISION = "script_decision"
    POLICY = "policy"

    @property
    def predicate_type(self) -> str:
        """The predicate type's URI."""
        return f"https://eucora.dev/attestations/{self.value}/v1"


LONE_KINDS = frozenset(
    {StatementKind.PROMOTION, StatementKind.SCRIPT_DECISION, StatementKind.POLICY}
)
FIRST_KINDS = LONE_KINDS | {StatementKind.PROPOSAL}
# The subject that a statement names by its digest alone.
LONE_SUBJECTS = {
    StatementKind.PROMOTION: MODEL_SUBJECT,
    StatementKind.POLICY: POLICY_SUBJECT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One attestation: subjects as {name: sha256 hex} and a predicate."""

    kind: StatementKind
    subjects: Mapping[str, str]
    predicate: Mapping[str, Any]


def check_file_name(name: str) -> str:
    """Return a name that is safe as a file of its own in a directory.

    Raises:
        UnsafeFileNameError: it is not.
    """
    if not _FILE_NAME.fullmatch(name):
        message = f"not a safe file name: {name[:100]!r}"
        raise UnsafeFileNameError(message)
    return name


def encode_statement(statement: Statement) -> bytes:
    """Return the statement as canonical JSON, subjects sorted by name."""
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(statement.subjects.items())
            ],
            "predicateType": statement.kind.predicate_type,
            "predicate": dict(statement.predicate),
        }
    )


def parse_statement(content: bytes) -> Statement:
    """Read one of our statements.

    Raises:
        EvidenceError: it is not a Statement v1 of a known kind in canonical form.
    """
    try:
        document = json.loads(content)
        kind = _kind_of(document["predicateType"])
        subjects = {entry["name"]: entry["digest"]["sha256"] for entry in document["subject"]}
        predicate = document["predicate"]
        well_formed = isinstance(predicate, dict) and all(
            isinstance(name, str) and isinstance(digest, str) and _DIGEST.fullmatch(digest)
            for name, digest in subjects.items()
        )
        statement = Statement(kind=kind, subjects=subjects, predicate=predicate)
        if not well_formed or encode_statement(statement) != content:
            message = "the statement is not in canonical form"
            raise EvidenceError(message)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        message = "not an in-toto Statement v1 of a known kind"
        raise EvidenceError(message) from error
    return statement


def _kind_of(predicate_type: str) -> StatementKind:
    for kind in StatementKind:
        if kind.predicate_type == predicate_type:
            return kind
    message = "unknown predicate type"
    raise ValueError(message)


def file_subjects(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return {file name: sha256 hex}.

    Raises:
        UnsafeFileNameError: a name could leave its directory.
    """
    return {check_file_name(name): sha256_hex(content) for name, content in files.items()}


def later_subjects(proposal: Statement, bundle_digest: str) -> dict[str, str]:
    """Return the subjects of an approval, execution or verification of this proposal."""
    scripts = {name: digest for name, digest in proposal.subjects.items() if name != CASE_FILE}
    return {PROPOSAL_SUBJECT: bundle_digest, **scripts}
