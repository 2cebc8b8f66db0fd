# SPDX-License-Identifier: Apache-2.0
"""Verification: telemetry newer than the fix decides whether it worked.

A good effect resolves the incident. A bad one, or none shown in time, rolls the device back
where that is possible and hands the incident to people. The outcome becomes a label, and the
verdict a sealed statement. Works once for each job, however often it is called.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from dispatch.effects import Finding, Verdict, judge_effect, parse_effect, parse_recovery
from dispatch.errors import EffectFormatError
from dispatch.incident_moves import IncidentMoves
from dispatch.job_records import (
    QUERIES,
    JobKind,
    JobStatus,
    StoredJob,
    lock_job,
)
from dispatch.jobs import Jobs
from evidence.sealing import Sealer
from governance.errors import ScriptVersionNotFoundError
from governance.labels import LabelKind, Labels
from governance.proposals import (
    ALLOWED_TRANSITIONS,
    Proposal,
    ProposalStatus,
    lock_proposal,
    move_proposal,
)
from governance.script_versions import content_digest, find_version
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.outbox import Outbox
from telemetry.incidents import Incidents
from telemetry.reports import StoredReport, list_window

__all__ = ["Finding", "Verdict", "Verification", "VerificationRules", "judge_effect"]

ACTOR = "service:verification"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRules:
    """How patient verification is.

    Attributes:
        retry_seconds: between two looks at telemetry.
        report_grace: added to the script's own limit, since reports come at intervals.

    """

    retry_seconds: float = 10.0
    report_grace: timedelta = timedelta(minutes=3)


class Verification:
    """Judges reported jobs. Works inside the caller's transaction."""

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        outbox: Outbox,
        *,
        sealer: Sealer,
        incidents: Incidents,
        jobs: Jobs,
        rules: VerificationRules | None = None,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._outbox = outbox
        self._sealer = sealer
        self._incidents = incidents
        self._moves = IncidentMoves(incidents)
        self._jobs = jobs
        self._labels = Labels(clock, ids, outbox)
        self._rules = rules or VerificationRules()

    async def run(
        self, connection: Connection, job_id: str, *, reschedule: bool = True
    ) -> Verdict | None:
        """Judge a job if it can be judged now.

        Args:
            connection: carries the transaction.
            job_id: a reported job.
            reschedule: publish `job.verify` while the verdict is open. False for an extra look,
                for instance when telemetry has just arrived.

        Returns:
            The verdict; `inconclusive` while it is open; None where there is nothing to judge
            (refused, not reported, judged before).

        Raises:
            JobNotFoundError: there is no such job.

        """
        job = await lock_job(connection, job_id)
        if job.status is not JobStatus.REPORTED or job.verified_at is not None:
            return None
        proposal = await lock_proposal(connection, job.proposal_id)
        if job.kind is JobKind.ROLLBACK:
            verdict = _judge_rollback(job)
            await self._store(connection, job, proposal, verdict)
            return verdict
        verdict, deadline = await self._judge(connection, job, proposal)
        now = self._clock.now()
        if verdict.status is Finding.HOLDS or now >= deadline:
            verdict = _close(verdict)
            await self._settle(connection, job, proposal, verdict)
        elif reschedule:
            remaining = (deadline - now).total_seconds()
            await self._outbox.publish(
                connection,
                topic="job.verify",
                payload={"job_id": job_id},
                correlation_id=proposal.correlation_id,
                delay_seconds=min(self._rules.retry_seconds, remaining),
            )
        return verdict

    async def _judge(
        self, connection: Connection, job: StoredJob, proposal: Proposal
    ) -> tuple[Verdict, datetime]:
        """Return what is known, and until when (by our clock) it may still change."""
        reported_at = job.reported_at or self._clock.now()
        receipt = job.receipt or {}
        if not job.succeeded:
            why = receipt.get("deviation") or f"the device reported {receipt.get('outcome')}"
            return Verdict(status=Finding.FAILS, evidence=(), reason=str(why)), reported_at
        script = None
        with suppress(ScriptVersionNotFoundError):
            key = (str(proposal.script_id), str(proposal.script_version))
            script = await find_version(connection, *key)
        if (
            script is None
            or content_digest(script.manifest, script.contents) != proposal.script_sha256
        ):
            reason = "the script in the catalogue is no longer the approved one"
            return Verdict(status=Finding.FAILS, evidence=(), reason=reason), reported_at
        reports = await _reports_since(connection, job, receipt)
        incident = await self._incidents.find(connection, proposal.incident_id)
        expected = script.manifest.get("expected_effect")
        try:
            recovery = parse_recovery(incident.detection if incident else {})
            verdict = judge_effect(expected, proposal.parameters, reports, recovery)
            within = parse_effect(expected, proposal.parameters).within
        except EffectFormatError as error:
            return Verdict(status=Finding.FAILS, evidence=(), reason=str(error)), reported_at
        return verdict, reported_at + within + self._rules.report_grace

    async def _settle(
        self, connection: Connection, job: StoredJob, proposal: Proposal, verdict: Verdict
    ) -> None:
        holds = verdict.status is Finding.HOLDS
        document = await self._store(connection, job, proposal, verdict)
        await self._sealer.seal_statement(
            connection,
            kind="verification",
            proposal_id=job.proposal_id,
            bundle_digest=job.bundle_digest,
            predicate={"job_id": job.job_id, "device_id": job.device_id, **document},
            actor=ACTOR,
            correlation_id=proposal.correlation_id,
            device_id=job.device_id,
        )
        outcome = (job.receipt or {}).get("outcome")
        label = "failed" if not holds else "not_needed" if outcome == "not_needed" else "succeeded"
        await self._labels.add(
            connection, proposal, kind=LabelKind.OUTCOME, label=label, actor=ACTOR
        )
        status = ProposalStatus.SUCCEEDED if holds else ProposalStatus.FAILED
        if status in ALLOWED_TRANSITIONS[proposal.status]:
            await move_proposal(connection, proposal, status)
        await self._moves.move(
            connection,
            proposal.incident_id,
            "resolved" if holds else "escalated",
            actor=ACTOR,
            reason=verdict.reason,
        )
        if not holds and _must_roll_back(job):
            await self._jobs.create(connection, proposal.proposal_id, "rollback")

    async def _store(
        self, connection: Connection, job: StoredJob, proposal: Proposal, verdict: Verdict
    ) -> dict[str, Any]:
        """Keep the verdict with the job and audit it; return it as plain data."""
        document: dict[str, Any] = {
            "kind": job.kind.value,
            "status": verdict.status.value,
            "reason": verdict.reason,
            "observations": [observation.as_json() for observation in verdict.evidence],
        }
        await connection.execute(
            QUERIES["record_verification"],
            {
                "job_id": job.job_id,
                "now": self._clock.now(),
                "verification": Jsonb(document),
            },
        )
        await self._audit.record(
            connection,
            actor=ACTOR,
            action="job.verified",
            subject_kind="job",
            subject_id=job.job_id,
            correlation_id=proposal.correlation_id,
            device_id=job.device_id,
            after={name: document[name] for name in ("kind", "status", "reason")},
            evidence=(job.bundle_digest,),
        )
        return document


def _judge_rollback(job: StoredJob) -> Verdict:
    outcome = (job.receipt or {}).get("outcome")
    status = Finding.HOLDS if job.succeeded else Finding.FAILS
    return Verdict(status=status, evidence=(), reason=f"the rollback ended as {outcome}")


def _close(verdict: Verdict) -> Verdict:
    """Return the final verdict: what was not shown in time counts as failed."""
    if verdict.status is not Finding.INCONCLUSIVE:
        return verdict
    reason = f"not shown in time: {verdict.reason}"
    return Verdict(status=Finding.FAILS, evidence=verdict.evidence, reason=reason)


def _must_roll_back(job: StoredJob) -> bool:
    """Tell whether the fix may have changed something that the device has not undone itself."""
    receipt = job.receipt or {}
    ran = set(receipt.get("executed_sha256", {})) | {
        step["step"] for step in receipt.get("steps", ())
    }
    steps = {"remediate", "rollback"}
    return ran & steps == {"remediate"}


async def _reports_since(
    connection: Connection, job: StoredJob, receipt: dict[str, Any]
) -> Sequence[StoredReport]:
    """Return reports made after the fix (device's clock) and received after the job was made."""
    finished_at = datetime.fromisoformat(str(receipt["finished_at"]))
    return [
        report
        for report in await list_window(connection, job.device_id, finished_at)
        if report.observed_at > finished_at and report.received_at > job.created_at
    ]
