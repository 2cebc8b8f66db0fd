# SPDX-License-Identifier: Apache-2.0
"""Offline verification of a case file: signatures, files, subjects, log proofs, order.

Trusts nothing in the file. With trusted keys a passed report means: these statements were signed
by that installation and stand in its log. Without, it means only that the file is consistent with
the keys it brought along. That no statement was left out, a case file cannot prove.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.canonical import canonical_json, sha256_hex
from contracts.checkpoint import Checkpoint, checkpoint_body, split_note, verify_checkpoint
from contracts.merkle import hash_leaf, verify_inclusion
from evidence.audit_entry import ENTRY_SCHEMA, LOG_ORIGIN
from evidence.bundles import check_files, decode_files
from evidence.case_file import CaseFile, SealedStatement, parse_case
from evidence.errors import EvidenceError, MalformedCaseError
from evidence.extraction import extract_case
from evidence.signing import key_id_of, load_evidence_key, load_log_key
from evidence.sigstore import open_bundle
from evidence.statement import (
    FIRST_KINDS,
    LONE_KINDS,
    LONE_SUBJECTS,
    MODEL_SUBJECT,
    Statement,
    StatementKind,
    later_subjects,
    parse_statement,
)

__all__ = ["Check", "TrustedKeys", "VerificationReport", "extract_case", "verify_case"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKeys:
    """The public keys (PEM) that the verifier got from a place it trusts."""

    evidence_public_key_pem: str
    log_public_key_pem: str
    log_origin: str = LOG_ORIGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was checked, and what was found."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """All checks; `pinned` says whether keys from outside the file were demanded."""

    checks: tuple[Check, ...]
    pinned: bool

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return bool(self.checks) and all(check.passed for check in self.checks)


@dataclass(slots=True, kw_only=True)
class _Checklist:
    checks: list[Check] = field(default_factory=list)

    def attempt(self, name: str, act: Callable[[], str]) -> bool:
        """Note the detail that `act` returns, or why it refused."""
        try:
            detail, passed = act(), True
        except (EvidenceError, ValueError, KeyError, TypeError) as error:
            detail, passed = str(error) or type(error).__name__, False
        self.checks.append(Check(name=name, passed=passed, detail=detail))
        return passed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    evidence: EllipticCurvePublicKey
    log: Ed25519PublicKey
    origin: str


def verify_case(content: bytes, trusted_keys: TrustedKeys | None = None) -> VerificationReport:
    """Check a case file; never raises on bad content, the report says what is wrong."""
    checklist = _Checklist()
    pinned = trusted_keys is not None
    try:
        case = parse_case(content)
    except MalformedCaseError as error:
        failed = Check(name="format", passed=False, detail=str(error))
        return VerificationReport(checks=(failed,), pinned=pinned)
    checklist.attempt("format", lambda: f"{len(case.statements)} statements, canonical JSON")
    if checklist.attempt("keys", lambda: _describe_keys(case, trusted_keys)):
        _check_content(checklist, case, _keys_of(case))
    return VerificationReport(checks=tuple(checklist.checks), pinned=pinned)


def _keys_of(case: CaseFile) -> _Keys:
    return _Keys(
        evidence=load_evidence_key(case.evidence_public_key_pem),
        log=load_log_key(case.log_public_key_pem),
        origin=case.log_origin,
    )


def _describe_keys(case: CaseFile, trusted: TrustedKeys | None) -> str:
    keys = _keys_of(case)
    prints = f"evidence {key_id_of(keys.evidence)}, log {key_id_of(keys.log)}"
    if trusted is None:
        return f"NOT compared with keys you trust; the file brought {prints}"
    known = _Keys(
        evidence=load_evidence_key(trusted.evidence_public_key_pem),
        log=load_log_key(trusted.log_public_key_pem),
        origin=trusted.log_origin,
    )
    if (key_id_of(known.evidence), key_id_of(known.log), known.origin) != (
        key_id_of(keys.evidence),
        key_id_of(keys.log),
        keys.origin,
    ):
        message = f"signed with keys that you do not trust: {prints}"
        raise EvidenceError(message)
    return f"the trusted ones: {prints}"


def _check_content(checklist: _Checklist, case: CaseFile, keys: _Keys) -> None:
    opened: list[tuple[SealedStatement, Statement]] = []
    for number, sealed in enumerate(case.statements):
        checklist.attempt(f"signature {number}", partial(_open, sealed, keys, opened))
    checkpoint: list[Checkpoint] = []
    checklist.attempt("checkpoint", lambda: _open_checkpoint(case, keys, checkpoint))
    if len(opened) < len(case.statements) or not checkpoint:
        return
    proposal_digest = opened[0][0].digest
    checklist.attempt("subjects", lambda: _check_subjects(case, opened))
    checklist.attempt("files", lambda: _check_files(case, opened[0][1]))
    for number, (sealed, statement) in enumerate(opened):
        checklist.attempt(
            f"log entry {number}", partial(_check_entry, case, sealed, statement, proposal_digest)
        )
        checklist.attempt(f"inclusion {number}", partial(_check_inclusion, sealed, checkpoint[0]))
    checklist.attempt("order", lambda: _check_order(opened))


def _open(
    sealed: SealedStatement, keys: _Keys, opened: list[tuple[SealedStatement, Statement]]
) -> str:
    envelope = open_bundle(sealed.bundle, keys.evidence)
    if sha256_hex(envelope.payload) != sealed.digest:
        message = f"the statement is not {sealed.digest}"
        raise EvidenceError(message)
    statement = parse_statement(envelope.payload)
    opened.append((sealed, statement))
    return f"{statement.kind.value} {sealed.digest}, ECDSA P-256 over the DSSE payload"


def _open_checkpoint(case: CaseFile, keys: _Keys, found: list[Checkpoint]) -> str:
    checkpoint = verify_checkpoint(case.checkpoint, key=keys.log, origin=keys.origin)
    text, signatures = split_note(case.checkpoint)
    if text != checkpoint_body(checkpoint) or len(signatures) != 1:
        message = "the checkpoint holds extensions or signatures that nothing here checks"
        raise EvidenceError(message)
    found.append(checkpoint)
    return f"{checkpoint.origin}, {checkpoint.tree_size} entries, Ed25519"


def _check_subjects(case: CaseFile, opened: Sequence[tuple[SealedStatement, Statement]]) -> str:
    (first, proposal), *later = opened
    kinds = [statement.kind for _, statement in opened]
    if proposal.kind not in FIRST_KINDS or FIRST_KINDS & set(kinds[1:]):
        message = "the case must begin with its one proposal"
        raise EvidenceError(message)
    if proposal.kind in LONE_KINDS and later:
        message = f"a {proposal.kind.value.replace('_', ' ')} stands alone"
        raise EvidenceError(message)
    expected = later_subjects(proposal, first.digest)
    for sealed, statement in later:
        if dict(statement.subjects) != expected:
            message = f"{statement.kind.value} {sealed.digest} is about something else"
            raise EvidenceError(message)
    for _, statement in opened:
        if statement.predicate.get("proposal_id") != case.proposal_id:
            message = "a statement is about another proposal"
            raise EvidenceError(message)
    if proposal.kind is StatementKind.PROMOTION:
        return f"a promotion of the model file {proposal.subjects[MODEL_SUBJECT]}"
    if proposal.kind is StatementKind.SCRIPT_DECISION:
        return f"a decision on script versions, {first.digest}"
    if proposal.kind is StatementKind.POLICY:
        return f"the policy {proposal.subjects[LONE_SUBJECTS[proposal.kind]]}, put in force"
    return f"all about proposal {first.digest}"


def _check_files(case: CaseFile, proposal: Statement) -> str:
    check_files(proposal, decode_files(case.files))
    return f"{len(case.files)} files have the sealed digests"


def _decode_entry(sealed: SealedStatement) -> bytes:
    return decode_files({"entry": sealed.log.entry_base64})["entry"]


def _check_entry(
    case: CaseFile, sealed: SealedStatement, statement: Statement, proposal_digest: str
) -> str:
    entry = _decode_entry(sealed)
    event: dict[str, Any] = json.loads(entry)
    if canonical_json(event) != entry or event["schema"] != ENTRY_SCHEMA:
        message = "the log entry is not a canonical audit event"
        raise EvidenceError(message)
    about = [] if statement.kind in FIRST_KINDS else [proposal_digest]
    named = (event["action"], event["subject_id"], event["evidence"])
    if named != (f"{statement.kind.value}.sealed", case.proposal_id, [sealed.digest, *about]):
        message = "the log entry is about another statement"
        raise EvidenceError(message)
    return f"{event['action']} by {event['actor']} at {event['occurred_at']}"


def _check_inclusion(sealed: SealedStatement, checkpoint: Checkpoint) -> str:
    verify_inclusion(
        leaf_hash=hash_leaf(_decode_entry(sealed)),
        leaf_index=sealed.log.leaf_index,
        tree_size=checkpoint.tree_size,
        proof=[bytes.fromhex(entry) for entry in sealed.log.hashes],
        root=checkpoint.root_hash,
    )
    return f"leaf {sealed.log.leaf_index} of {checkpoint.tree_size}"


def _check_order(opened: Sequence[tuple[SealedStatement, Statement]]) -> str:
    """Each step follows from one before it, going by the log's order.

    An execution rests on a complete approval, a verification on the execution of its job, and a
    rollback on the execution that it undoes.
    """
    places = [sealed.log.leaf_index for sealed, _ in opened]
    if any(later <= earlier for earlier, later in pairwise(places)):
        message = "the statements are not in the order of the log"
        raise EvidenceError(message)
    for number, (sealed, statement) in enumerate(opened):
        missing = _find_missing(statement, opened[:number])
        if missing is not None:
            message = f"{statement.kind.value} {sealed.digest} without {missing} before it"
            raise EvidenceError(message)
    return " -> ".join(statement.kind.value for _, statement in opened)


def _find_missing(
    statement: Statement, earlier: Sequence[tuple[SealedStatement, Statement]]
) -> str | None:
    """Return in words what must stand before this statement and does not."""
    if statement.kind not in (StatementKind.EXECUTION, StatementKind.VERIFICATION):
        return None
    approvals = [
        sealed.digest
        for sealed, each in earlier
        if each.kind is StatementKind.APPROVAL and _completes_approval(each)
    ]
    executions = [each for _, each in earlier if each.kind is StatementKind.EXECUTION]
    named = statement.predicate.get("approval_digest")
    if not approvals or (named is not None and named not in approvals):
        return "an approval" if named is None else f"its approval {named}"
    if statement.kind is StatementKind.EXECUTION:
        undoes = statement.predicate.get("kind") == "rollback"
        return "the execution that it undoes" if undoes and not executions else None
    job_id = statement.predicate.get("job_id")
    known = any(each.predicate.get("job_id") == job_id for each in executions)
    return None if known else "the execution that it judges"


def _completes_approval(statement: Statement) -> bool:
    """Say whether this approval is a yes, and the last that its stated quorum needs."""
    quorum = statement.predicate.get("quorum", {"required": 1, "given": 1})
    decision = statement.predicate.get("decision", "approve")
    return bool(decision == "approve" and quorum["given"] >= quorum["required"])
