# SPDX-License-Identifier: Apache-2.0
"""May this device run this job? Pure functions of bytes, keys, clock and memory.

The server is not trusted to decide: the device checks signature, addressee, expiry, order, the
digest of every byte it would run, the parameters, that a logged approval is one of this proposal,
device, script and parameters (see `agent.approval`), and that the log only ever grew. Whoever has
the job key alone gets nothing to run. The first check that fails names the refusal.
"""

import base64
import binascii
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.approval import check_approval
from agent.errors import RefusalError
from contracts.canonical import CanonicalFormError, digest_of, sha256_hex
from contracts.checkpoint import Checkpoint, CheckpointError, verify_checkpoint
from contracts.dsse import EnvelopeError, open_envelope, parse_envelope
from contracts.job import JOB_PAYLOAD_TYPE, Job, RefusalReason
from contracts.merkle import ProofError, hash_leaf, verify_consistency, verify_inclusion

MAX_ENVELOPE_BYTES = 8 * 1024 * 1024
MAX_PARAMETER_CHARACTERS = 8192
_PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What enrolment told the device to believe in."""

    device_id: str
    job_key: Ed25519PublicKey
    log_key: Ed25519PublicKey
    log_origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the device remembers of earlier jobs.

    `checkpoint` is the largest signed note it accepted, or None before the first job.
    """

    last_sequence: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedJob:
    """A job that passed every check except the log's consistency (see `consistency_range`)."""

    job: Job
    envelope_sha256: str
    contents: dict[str, bytes]  # step -> the exact bytes to run
    checkpoint: Checkpoint


def check_job(
    envelope: bytes, *, trust: Trust, memory: Memory, now: datetime, interpreters: Sequence[str]
) -> VerifiedJob:
    """Check everything that needs no further question to the server.

    Args:
        envelope: the DSSE envelope as delivered.
        trust: keys, device id and log origin from enrolment.
        memory: the last sequence number this device accepted.
        now: the present, aware.
        interpreters: the interpreters that this device can start.

    Raises:
        RefusalError: the job must not run.

    """
    job = _open_job(envelope, trust)
    _check_order(job, memory.last_sequence, now)
    verified = _check_claims(job, envelope, trust)
    if job.interpreter not in interpreters:
        detail = f"this device cannot start {job.interpreter}"
        raise RefusalError(RefusalReason.UNSUPPORTED_INTERPRETER, detail, job)
    return verified


def restore_job(envelope: bytes, envelope_sha256: str, trust: Trust) -> VerifiedJob:
    """Read back an envelope that was verified before it was journaled, and verify it again.

    A damaged or exchanged copy must not decide what is run to undo a job. Only expiry and order
    are not asked for again: both have passed since.

    Raises:
        RefusalError: the journal's copy is not the job that was taken.

    """
    if sha256_hex(envelope) != envelope_sha256:
        raise RefusalError(RefusalReason.MALFORMED, "the envelope is not the one that was taken")
    return _check_claims(_open_job(envelope, trust), envelope, trust)


def decode_job(payload: bytes) -> Job:
    """Decode a job's payload without trusting it.

    Raises:
        RefusalError: it does not have the shape of a job.

    """
    try:
        return msgspec.json.decode(payload, type=Job)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RefusalError(RefusalReason.MALFORMED, str(error)[:300]) from error


def peek_job(envelope: bytes) -> Job | None:
    """Return the job an envelope claims to hold, unverified: only to name it in a refusal."""
    try:
        return decode_job(parse_envelope(envelope).payload)
    except (EnvelopeError, RefusalError, RecursionError):
        return None


def _check_claims(job: Job, envelope: bytes, trust: Trust) -> VerifiedJob:
    """Check everything that does not depend on the hour or on earlier jobs."""
    contents = _check_contents(job)
    _check_parameters(job)
    entry = _leaf_entry(job)
    checkpoint = _check_inclusion(job, entry, trust)
    check_approval(job, entry)
    return VerifiedJob(
        job=job, envelope_sha256=sha256_hex(envelope), contents=contents, checkpoint=checkpoint
    )


def _open_job(content: bytes, trust: Trust) -> Job:
    if len(content) > MAX_ENVELOPE_BYTES:
        raise RefusalError(RefusalReason.MALFORMED, "the envelope is too large")

    def verify(_key_id: str, signature: bytes, signed: bytes) -> None:
        try:
            trust.job_key.verify(signature, signed)
        except InvalidSignature as error:
            detail = "the signature is not the job key's"
            raise RefusalError(RefusalReason.BAD_SIGNATURE, detail, peek_job(content)) from error

    try:
        envelope = open_envelope(content, verify=verify)
    except (EnvelopeError, RecursionError) as error:
        raise RefusalError(RefusalReason.MALFORMED, str(error)) from error
    if envelope.payload_type != JOB_PAYLOAD_TYPE:
        raise RefusalError(RefusalReason.MALFORMED, "the envelope does not hold a job")
    job = decode_job(envelope.payload)
    if job.device_id != trust.device_id:
        raise RefusalError(RefusalReason.WRONG_DEVICE, f"the job is for {job.device_id}", job)
    return job


def _check_order(job: Job, last_sequence: int, now: datetime) -> None:
    if job.expires_at <= now or job.expires_at <= job.issued_at:
        detail = f"the job expired at {job.expires_at.isoformat()}"
        raise RefusalError(RefusalReason.EXPIRED, detail, job)
    if job.sequence <= last_sequence:
        detail = f"sequence {job.sequence} is not after {last_sequence}"
        raise RefusalError(RefusalReason.REPLAYED, detail, job)


def _check_contents(job: Job) -> dict[str, bytes]:
    if job.kind not in job.steps:
        raise RefusalError(RefusalReason.MALFORMED, f"the job has no {job.kind} step", job)
    contents: dict[str, bytes] = {}
    for name, step in job.steps.items():
        try:
            content = base64.b64decode(step.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            detail = f"step {name} is not base64"
            raise RefusalError(RefusalReason.MALFORMED, detail, job) from error
        if sha256_hex(content) != step.sha256:
            detail = f"the bytes of step {name} do not have the stated digest"
            raise RefusalError(RefusalReason.DIGEST_MISMATCH, detail, job)
        contents[name] = content
    return contents


def _check_parameters(job: Job) -> None:
    def refuse(detail: str) -> RefusalError:
        return RefusalError(RefusalReason.PARAMETERS_MISMATCH, detail, job)

    for name, value in job.parameters.items():
        if not _PARAMETER_NAME.fullmatch(name):
            raise refuse("a parameter has an unusable name")
        if isinstance(value, str) and ("\0" in value or len(value) > MAX_PARAMETER_CHARACTERS):
            raise refuse(f"parameter {name} cannot be handed to a process")
        if isinstance(value, float) and not math.isfinite(value):
            raise refuse(f"parameter {name} is not a finite number")
    try:
        digest = digest_of(job.parameters)
    except CanonicalFormError as error:
        raise refuse(str(error)) from error
    if digest != job.parameters_sha256:
        raise refuse("the parameters do not have the stated digest")


def _leaf_entry(job: Job) -> bytes:
    try:
        return base64.b64decode(job.inclusion.leaf_entry_base64, validate=True)
    except (binascii.Error, ValueError) as error:
        detail = "the log entry is not base64"
        raise RefusalError(RefusalReason.NOT_IN_LOG, detail, job) from error


def _check_inclusion(job: Job, entry: bytes, trust: Trust) -> Checkpoint:
    proof = job.inclusion
    try:
        checkpoint = verify_checkpoint(proof.checkpoint, key=trust.log_key, origin=trust.log_origin)
        if checkpoint.tree_size != proof.tree_size:
            raise RefusalError(RefusalReason.NOT_IN_LOG, "proof and checkpoint differ in size", job)
        verify_inclusion(
            leaf_hash=hash_leaf(entry),
            leaf_index=proof.leaf_index,
            tree_size=proof.tree_size,
            proof=[bytes.fromhex(value) for value in proof.hashes],
            root=checkpoint.root_hash,
        )
    except (CheckpointError, ProofError) as error:
        raise RefusalError(RefusalReason.NOT_IN_LOG, str(error), job) from error
    return checkpoint


def consistency_range(memory: Memory, seen: Checkpoint, trust: Trust) -> tuple[int, int] | None:
    """Return the (smaller, larger) tree sizes to prove consistent; None if no proof is needed.

    A job may carry an older checkpoint than the remembered one (it waited while the log grew),
    so the proof is asked for in whichever direction is forward.

    Raises:
        CheckpointError: the remembered checkpoint is damaged.

    """
    if memory.checkpoint is None:
        return None
    known = verify_checkpoint(memory.checkpoint, key=trust.log_key, origin=trust.log_origin)
    if known.tree_size == seen.tree_size:
        return None
    return min(known.tree_size, seen.tree_size), max(known.tree_size, seen.tree_size)


def check_consistency(
    memory: Memory, verified: VerifiedJob, trust: Trust, proof: Sequence[bytes]
) -> str:
    """Check that the job's log and the remembered one are the same log; return the newer note.

    Args:
        memory: holds the checkpoint accepted last.
        verified: a job that passed `check_job`.
        trust: log key and origin.
        proof: the consistency proof for `consistency_range`, empty if none is needed.

    Raises:
        RefusalError: history was rewritten, or the proof is wrong.

    """
    seen, note = verified.checkpoint, verified.job.inclusion.checkpoint
    if memory.checkpoint is None:
        return note
    try:
        known = verify_checkpoint(memory.checkpoint, key=trust.log_key, origin=trust.log_origin)
        first, second = sorted((known, seen), key=lambda checkpoint: checkpoint.tree_size)
        verify_consistency(
            first_size=first.tree_size,
            second_size=second.tree_size,
            first_root=first.root_hash,
            second_root=second.root_hash,
            proof=proof,
        )
    except (CheckpointError, ProofError) as error:
        raise RefusalError(RefusalReason.INCONSISTENT_LOG, str(error), verified.job) from error
    return note if seen.tree_size > known.tree_size else memory.checkpoint
