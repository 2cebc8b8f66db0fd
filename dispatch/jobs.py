# SPDX-License-Identifier: Apache-2.0
"""Jobs: made of an approved proposal, handed to one device under a lease, answered by a receipt.

A job is made once for each proposal and kind, after everything the approval promised was checked
again. Whatever differs is refused and audited in the same transaction. Devices get their jobs in
order of sequence, and no further ones while a lease runs.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.canonical import CanonicalFormError, digest_of
from contracts.job import ApprovedEvidence, InclusionProof, Job, Receipt
from dispatch.errors import JobRefusedError
from dispatch.incident_moves import IncidentMoves
from dispatch.job_approval import ApprovalGate, ApprovedCase
from dispatch.job_envelope import approved_evidence, script_step, sign_job
from dispatch.job_records import QUERIES, JobKind
from dispatch.receipts import OutputMasker, Receipts
from evidence.log import MerkleLog
from evidence.sealing import Sealer
from governance.freeze_windows import frozen_until, list_freezes
from governance.ports import PolicyPort
from governance.proposals import (
    ALLOWED_TRANSITIONS,
    Proposal,
    ProposalStatus,
    find_proposal,
    lock_proposal,
    move_proposal,
)
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.outbox import Outbox
from telemetry.incidents import Incidents

ACTOR = "service:dispatch"
ROLLBACK_LIFETIME = timedelta(hours=24)
SILENCE = timedelta(hours=1)  # a leased job may still run, at most so long (Job.timeout_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """A job about to be made."""

    proposal: Proposal
    kind: JobKind
    now: datetime


class Jobs:
    """Makes, hands out, and closes jobs. Methods work inside the caller's transaction."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        outbox: Outbox,
        *,
        job_key: Ed25519PrivateKey,
        log: MerkleLog,
        sealer: Sealer,
        policy: PolicyPort,
        incidents: Incidents,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._outbox = outbox
        self._job_key = job_key
        self._sealer = sealer
        self._moves = IncidentMoves(incidents)
        self._gate = ApprovalGate(sealer=sealer, policy=policy, log=log)
        self._receipts = Receipts(clock, audit, outbox, sealer=sealer, moves=self._moves)

    async def create(
        self,
        connection: Connection,
        proposal_id: str,
        kind: Literal["remediate", "rollback"] = "remediate",
    ) -> str | None:
        """Make the job of a proposal; return its id, also when it was made before.

        Returns:
            None when the job was refused (audited; proposal failed, incident escalated), or put
            off to the end of a freeze window or to the approval's `not_before`.

        Raises:
            ProposalNotFoundError: there is no such proposal.
            NotSequencedYetError: the approval is not in the log yet; try again.

        """
        order = _Order(
            proposal=await lock_proposal(connection, proposal_id),
            kind=JobKind(kind),
            now=self._clock.now(),
        )
        cursor = await connection.execute(
            QUERIES["find_job_of_proposal"], {"proposal_id": proposal_id, "kind": kind}
        )
        existing = await cursor.fetchone()
        if existing is not None:
            return str(existing["job_id"])
        try:
            case = await self._gate.check_case(
                connection, order.proposal, kind=order.kind, now=order.now
            )
            start = await self._earliest_start(connection, order, case)
            if start > order.now:
                await self._put_off(connection, order, start)
                return None
            proof = await self._gate.prove_approval(
                connection, order.proposal, case, kind=order.kind, now=order.now
            )
            return await self._queue(connection, order, case, proof)
        except JobRefusedError as refusal:
            await self._refuse(connection, order, refusal)
            return None

    async def lease(
        self, connection: Connection, device_id: str, limit: int, lease_seconds: float = 60
    ) -> list[bytes]:
        """Hand out the next signed jobs of a device, in order; they return when the lease ends.

        Nothing is handed out while a lease of this device runs, so that order is kept, nor in a
        freeze window (rollbacks excepted).
        """
        await connection.execute(QUERIES["lock_device_queue"], {"device_id": device_id})
        now = self._clock.now()  # not before the lock: a lease must not be old when it is given
        cursor = await connection.execute(
            QUERIES["lease_jobs"],
            {
                "device_id": device_id,
                "limit": max(0, min(limit, 100)),
                "now": now,
                "leased_until": now + timedelta(seconds=lease_seconds),
            },
        )
        rows = sorted(await cursor.fetchall(), key=lambda row: int(row["sequence"]))
        for row in rows:
            proposal = await find_proposal(connection, row["proposal_id"])
            await self._audit.record(
                connection,
                actor=f"device:{device_id}",
                action="job.leased",
                subject_kind="job",
                subject_id=row["job_id"],
                correlation_id=proposal.correlation_id if proposal else row["job_id"],
                device_id=device_id,
                evidence=(row["approval_digest"], row["bundle_digest"]),
            )
        return [bytes(row["envelope"]) for row in rows]

    async def record_receipt(
        self, connection: Connection, device_id: str, receipt: Receipt, masker: OutputMasker
    ) -> bool:
        """Record a device's answer once; False for a repeated one, or one that fits no job."""
        return await self._receipts.record(connection, device_id, receipt, masker)

    async def expire_due(self, connection: Connection, limit: int = 100) -> int:
        """End jobs that were not fetched in time, or fetched and never answered; count them."""
        now = self._clock.now()
        cursor = await connection.execute(
            QUERIES["expire_jobs"],
            {"now": now, "silent_since": now - SILENCE, "limit": limit},
        )
        rows = await cursor.fetchall()
        for row in rows:
            proposal = await lock_proposal(connection, row["proposal_id"])
            await self._audit.record(
                connection,
                actor=ACTOR,
                action="job.expired",
                subject_kind="job",
                subject_id=row["job_id"],
                correlation_id=proposal.correlation_id,
                device_id=row["device_id"],
                after={"status": "expired", "kind": row["kind"]},
            )
            if row["kind"] == JobKind.REMEDIATE:
                reason = "the device did not answer in time"
                await self._end(connection, proposal, ProposalStatus.EXPIRED, reason)
        return len(rows)

    async def _earliest_start(
        self, connection: Connection, order: _Order, case: ApprovedCase
    ) -> datetime:
        """Return from when on the job may be made; a rollback never waits."""
        if order.kind is JobKind.ROLLBACK:
            return order.now
        starts = [each.conditions.not_before for each in case.approvals]
        freezes = await list_freezes(connection, now=order.now)
        return max(
            order.now,
            frozen_until(freezes, order.now) or order.now,
            *(start for start in starts if start is not None),
        )

    async def _put_off(self, connection: Connection, order: _Order, start: datetime) -> None:
        proposal = order.proposal
        await self._outbox.publish(
            connection,
            topic="proposal.approved",
            payload={"proposal_id": proposal.proposal_id},
            correlation_id=proposal.correlation_id,
            delay_seconds=(start - order.now).total_seconds(),
        )
        await self._record(connection, proposal, "job.put_off", {"until": start.isoformat()})

    async def _queue(
        self, connection: Connection, order: _Order, case: ApprovedCase, proof: InclusionProof
    ) -> str:
        proposal = order.proposal
        device_id = case.sealed.target_device_id
        if order.kind is JobKind.REMEDIATE and not await self._moves.may_move(
            connection, proposal.incident_id, "remediating"
        ):
            raise JobRefusedError(
                "incident_moved_on", "the incident does not wait for this proposal any more"
            )
        cursor = await connection.execute(QUERIES["next_sequence"], {"device_id": device_id})
        row = await cursor.fetchone()
        if row is None:
            raise JobRefusedError("target_changed", "the target device is gone")
        evidence = await self._collect_evidence(connection, case)
        try:
            job = self._compose(order, case, proof, evidence, sequence=int(row["job_sequence"]))
            envelope = sign_job(job, self._job_key)
        except (KeyError, CanonicalFormError, msgspec.ValidationError) as error:
            raise JobRefusedError("script_unusable", str(error)) from error
        await connection.execute(
            QUERIES["insert_job"],
            {
                "job_id": job.job_id,
                "proposal_id": proposal.proposal_id,
                "device_id": device_id,
                "kind": order.kind.value,
                "sequence": job.sequence,
                "bundle_digest": job.bundle_digest,
                "approval_digest": job.approval_digest,
                "envelope": envelope,
                "created_at": order.now,
                "expires_at": job.expires_at,
            },
        )
        if order.kind is JobKind.REMEDIATE:
            await move_proposal(connection, proposal, ProposalStatus.DISPATCHED)
            reason = f"job {job.job_id} was made"
            await self._moves.move(
                connection, proposal.incident_id, "remediating", actor=ACTOR, reason=reason
            )
        details = {"job_id": job.job_id, "kind": order.kind.value, "sequence": job.sequence}
        await self._record(
            connection,
            proposal,
            "job.created",
            details,
            evidence=(job.approval_digest, job.bundle_digest),
        )
        await connection.execute(QUERIES["notify_device"], {"device_id": device_id})
        return job.job_id

    async def _collect_evidence(
        self, connection: Connection, case: ApprovedCase
    ) -> ApprovedEvidence:
        """Return the sealed bytes by which the device checks for itself what was approved."""
        approval = await self._sealer.open(connection, case.approval.approval_digest)
        proposal = await self._sealer.open(connection, case.approval.bundle_digest)
        return approved_evidence(approval, proposal)

    def _compose(
        self,
        order: _Order,
        case: ApprovedCase,
        proof: InclusionProof,
        evidence: ApprovedEvidence,
        *,
        sequence: int,
    ) -> Job:
        sealed, manifest = case.sealed, case.script.manifest
        expires_at = (
            order.now + ROLLBACK_LIFETIME
            if order.kind is JobKind.ROLLBACK
            else min(each.expires_at for each in case.approvals)
        )
        return Job(
            job_id=self._ids.new("job"),
            kind=order.kind.value,
            device_id=sealed.target_device_id,
            sequence=sequence,
            nonce=secrets.token_hex(16),
            issued_at=order.now,
            expires_at=expires_at,
            correlation_id=order.proposal.correlation_id,
            proposal_id=order.proposal.proposal_id,
            bundle_digest=case.approval.bundle_digest,
            approval_digest=case.approval.approval_digest,
            script_id=sealed.script_id,
            script_version=sealed.script_version,
            script_sha256=sealed.script_sha256,
            interpreter=case.script.interpreter,  # type: ignore[arg-type]  # checked by sign_job
            steps={step: script_step(content) for step, content in sealed.contents.items()},  # type: ignore[misc]  # closed by read_sealed_case
            parameters=sealed.parameters,
            parameters_sha256=digest_of(sealed.parameters),
            timeout_seconds=manifest["timeout_seconds"],
            inclusion=proof,
            evidence=evidence,
        )

    async def _refuse(
        self, connection: Connection, order: _Order, refusal: JobRefusedError
    ) -> None:
        details = {"refusal": refusal.code, "detail": refusal.detail, "kind": order.kind.value}
        await self._record(connection, order.proposal, "job.refused", details)
        if order.kind is JobKind.REMEDIATE:
            reason = f"no job was made: {refusal.detail}"
            await self._end(connection, order.proposal, ProposalStatus.FAILED, reason)

    async def _end(
        self, connection: Connection, proposal: Proposal, status: ProposalStatus, reason: str
    ) -> None:
        if status not in ALLOWED_TRANSITIONS[proposal.status]:
            return
        await move_proposal(connection, proposal, status)
        await self._record(connection, proposal, f"proposal.{status}", {"reason": reason})
        await self._moves.move(
            connection, proposal.incident_id, "escalated", actor=ACTOR, reason=reason
        )

    async def _record(
        self,
        connection: Connection,
        proposal: Proposal,
        action: str,
        details: dict[str, Any],
        evidence: tuple[str, ...] = (),
    ) -> None:
        await self._audit.record(
            connection,
            actor=ACTOR,
            action=action,
            subject_kind="proposal",
            subject_id=proposal.proposal_id,
            correlation_id=proposal.correlation_id,
            device_id=proposal.target_device_id,
            after=details,
            evidence=evidence,
        )
