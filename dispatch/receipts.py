# SPDX-License-Identifier: Apache-2.0
"""Receipts: what a device did with a job, recorded exactly once.

Script output is untrusted and may name people: it is shortened at line ends, then masked, before
anything is stored. A receipt that fits no job changes nothing and is audited.
"""

from typing import Any, Protocol

import msgspec
from psycopg.types.json import Jsonb

from contracts.canonical import sha256_hex
from contracts.job import Receipt
from dispatch.errors import JobNotFoundError
from dispatch.incident_moves import IncidentMoves
from dispatch.job_envelope import read_own_job
from dispatch.job_records import QUERIES, JobKind, JobStatus, StoredJob, lock_job
from evidence.sealing import Sealer
from governance.proposals import (
    ALLOWED_TRANSITIONS,
    Proposal,
    ProposalStatus,
    lock_proposal,
    move_proposal,
)
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.outbox import Outbox

MAX_KEPT_CHARACTERS = 4000  # of each output stream, half from its start and half from its end
_GOOD_OUTCOMES = {
    JobKind.REMEDIATE: frozenset({"succeeded", "not_needed"}),
    JobKind.ROLLBACK: frozenset({"succeeded", "rolled_back", "not_needed"}),
}
_ANSWERED = frozenset({JobStatus.REPORTED, JobStatus.REFUSED})


class OutputMasker(Protocol):
    """Masks personal data inside a JSON value with the pseudonyms of an incident."""

    async def mask_on(
        self,
        connection: Connection,
        incident_id: str,
        value: Any,
        *,
        actor: str,
        correlation_id: str,
    ) -> Any:
        """Return the value with its strings masked, in the transaction of the connection."""
        ...


def shorten(text: str, limit: int = MAX_KEPT_CHARACTERS) -> str:
    """Keep the start and the end of a long text, whole lines only.

    Cutting inside a line could leave half a name that no recogniser finds.
    """
    if len(text) <= limit:
        return text
    half = limit // 2
    head = text[:half].rpartition("\n")[0]
    tail = text[-half:].partition("\n")[2]
    n_left_out = len(text) - len(head) - len(tail)
    return f"{head}\n[{n_left_out} characters left out]\n{tail}"


def find_deviation(receipt: Receipt, job: dict[str, Any]) -> str | None:
    """Return how what ran differs from what was sent, or None. `job` is the signed payload."""
    if receipt.script_sha256 not in (None, job["script_sha256"]):
        return "the device names another script"
    for step, digest in receipt.executed_sha256.items():
        sent = job["steps"].get(step)
        if sent is None or sent["sha256"] != digest:
            return f"the device ran other bytes in step {step}"
    return None


class Receipts:
    """Records receipts. Works inside the caller's transaction."""

    def __init__(
        self,
        clock: Clock,
        audit: AuditIntake,
        outbox: Outbox,
        *,
        sealer: Sealer,
        moves: IncidentMoves,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._outbox = outbox
        self._sealer = sealer
        self._moves = moves

    async def record(
        self, connection: Connection, device_id: str, receipt: Receipt, masker: OutputMasker
    ) -> bool:
        """Record an answer; False for a repeated one, or one that fits no job of this device."""
        job = await self._match(connection, device_id, receipt)
        if job is None or job.status in _ANSWERED:
            return False
        proposal = await lock_proposal(connection, job.proposal_id)
        document = await _mask_receipt(connection, receipt, proposal, masker)
        deviation = find_deviation(receipt, read_own_job(job.envelope))
        document["deviation"] = deviation
        document["receipt_sha256"] = _digest(receipt)
        succeeded = deviation is None and receipt.outcome in _GOOD_OUTCOMES[job.kind]
        status = JobStatus.REFUSED if receipt.outcome == "refused" else JobStatus.REPORTED
        await connection.execute(
            QUERIES["record_receipt"],
            {
                "job_id": job.job_id,
                "status": status.value,
                "receipt": Jsonb(document),
                "succeeded": succeeded,
                "now": self._clock.now(),
            },
        )
        await self._seal(connection, job, proposal, document)
        await self._record_event(connection, job, proposal, document, status)
        await self._move(connection, job, proposal, receipt, status)
        await self._outbox.publish(
            connection,
            topic="job.reported",
            payload={"job_id": job.job_id},
            correlation_id=proposal.correlation_id,
        )
        return True

    async def _match(
        self, connection: Connection, device_id: str, receipt: Receipt
    ) -> StoredJob | None:
        """Return the job that a receipt answers, held; None (audited) if it answers none."""
        try:
            job = await lock_job(connection, receipt.job_id)
        except JobNotFoundError:
            job = None
        mismatch = None
        if job is None:
            mismatch = "unknown job"
        elif not device_id == receipt.device_id == job.device_id:
            mismatch = "job of another device"
        elif receipt.envelope_sha256 != sha256_hex(job.envelope):
            mismatch = "another envelope than the one sent"
        elif receipt.outcome != "refused" and receipt.sequence != job.sequence:
            mismatch = "another sequence number"
        elif job.status in _ANSWERED and not _repeats(receipt, job):
            mismatch = "the job was answered before"  # for instance when it was replayed
        if mismatch is None:
            return job
        await self._audit.record(
            connection,
            actor=f"device:{device_id}",
            action="receipt.unmatched",
            subject_kind="job",
            subject_id=receipt.job_id,
            correlation_id=receipt.job_id,
            device_id=device_id,
            after={
                "mismatch": mismatch,
                "outcome": receipt.outcome,
                "refusal": receipt.refusal,
                "envelope_sha256": receipt.envelope_sha256,
            },
        )
        return None

    async def _seal(
        self,
        connection: Connection,
        job: StoredJob,
        proposal: Proposal,
        document: dict[str, Any],
    ) -> None:
        await self._sealer.seal_statement(
            connection,
            kind="execution",
            proposal_id=job.proposal_id,
            bundle_digest=job.bundle_digest,
            predicate={
                "job_id": job.job_id,
                "kind": job.kind.value,
                "device_id": job.device_id,
                "approval_digest": job.approval_digest,
                "receipt": document,
            },
            actor=f"device:{job.device_id}",
            correlation_id=proposal.correlation_id,
            device_id=job.device_id,
        )

    async def _record_event(
        self,
        connection: Connection,
        job: StoredJob,
        proposal: Proposal,
        document: dict[str, Any],
        status: JobStatus,
    ) -> None:
        await self._audit.record(
            connection,
            actor=f"device:{job.device_id}",
            action=f"job.{status}",
            subject_kind="job",
            subject_id=job.job_id,
            correlation_id=proposal.correlation_id,
            device_id=job.device_id,
            before={"status": job.status.value},
            after={
                "status": status.value,
                **{name: document[name] for name in ("outcome", "refusal", "deviation")},
            },
            evidence=(job.approval_digest, job.bundle_digest),
        )

    async def _move(
        self,
        connection: Connection,
        job: StoredJob,
        proposal: Proposal,
        receipt: Receipt,
        status: JobStatus,
    ) -> None:
        if job.kind is JobKind.ROLLBACK:
            return
        actor = f"device:{job.device_id}"
        if status is JobStatus.REPORTED:
            reason = f"the device reported {receipt.outcome.replace('_', ' ')}"
            await self._moves.move(
                connection, proposal.incident_id, "verifying", actor=actor, reason=reason
            )
            return
        if ProposalStatus.FAILED in ALLOWED_TRANSITIONS[proposal.status]:
            await move_proposal(connection, proposal, ProposalStatus.FAILED)
        reason = f"the device refused the job: {receipt.refusal}"
        await self._moves.move(
            connection, proposal.incident_id, "escalated", actor=actor, reason=reason
        )


async def _mask_receipt(
    connection: Connection, receipt: Receipt, proposal: Proposal, masker: OutputMasker
) -> dict[str, Any]:
    """Return the receipt as JSON, output shortened and masked.

    Only output is free text; everything else has a closed form and must not be altered.
    """
    document: dict[str, Any] = msgspec.to_builtins(receipt)
    masked = await masker.mask_on(
        connection,
        proposal.incident_id,
        [
            [_plain(shorten(step["stdout"])), _plain(shorten(step["stderr"]))]
            for step in document["steps"]
        ],
        actor=f"device:{receipt.device_id}",
        correlation_id=proposal.correlation_id,
    )
    for step, (stdout, stderr) in zip(document["steps"], masked, strict=True):
        step["stdout"], step["stderr"] = stdout, stderr
    document.pop("correlation_id")  # the device's copy; ours is in the proposal
    return document


def _digest(receipt: Receipt) -> str:
    """Return the digest of a receipt as it came, before anything was masked."""
    return sha256_hex(msgspec.json.encode(receipt, order="deterministic"))


def _repeats(receipt: Receipt, job: StoredJob) -> bool:
    return job.receipt is not None and job.receipt.get("receipt_sha256") == _digest(receipt)


def _plain(text: str) -> str:
    """Drop what PostgreSQL cannot store and a terminal would obey; keep lines and tabs."""
    kept = (each for each in text if each in "\n\t" or each.isprintable())
    return "".join(kept)
