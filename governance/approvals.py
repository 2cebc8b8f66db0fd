# SPDX-License-Identifier: Apache-2.0
"""Decisions of people on proposals: approve, override, reject, and letting time decide.

An approval names the digest of the evidence bundle and is itself a sealed statement; the
proposal becomes approved when the quorum is complete. A refused attempt is audited in a
transaction of its own, so that rolling back the request does not hide it. Free text arrives
masked. Carrying out is dispatch's business.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Literal, Protocol

from contracts.canonical import digest_of
from governance.approval_records import (
    Approval,
    insert_approval,
)
from governance.approval_terms import ApprovalResult, ApprovalRules, Replacement
from governance.conditions import approval_expiry
from governance.decision_checks import (
    ApprovalRequest,
    Decision,
    Situation,
    check_circumstances,
    check_request,
    check_separation,
    check_unchanged,
    describe_decision,
)
from governance.errors import (
    IncidentMovedOnError,
    InvalidRequestError,
    PolicyDeniedError,
    RefusalError,
)
from governance.labels import LabelKind, Labels
from governance.policy_questions import ask_approval
from governance.ports import IncidentPort, PolicyPort, ReplacementPort, StatementSealer
from governance.proposals import (
    Proposal,
    ProposalStatus,
    list_due,
    lock_proposal,
    move_proposal,
)
from governance.quorum import QuorumRule, required_quorum
from governance.sealed_case import CaseOpener, read_sealed_case
from governance.situations import read_situation
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from kernel.outbox import Outbox
from kernel.refusals import RefusalAudit

SERVICE_ACTOR = "service:governance"


class CaseSealer(CaseOpener, StatementSealer, Protocol):
    """Seals decisions, and opens the case that they are about."""


class Approvals:
    """Takes decisions. Methods work inside the caller's transaction.

    Args:
        pool: for the audit events of refusals alone, see `RefusalAudit`.

    """

    def __init__(
        self,
        clock: Clock,
        ids: IdSource,
        audit: AuditIntake,
        outbox: Outbox,
        *,
        sealer: CaseSealer,
        policy: PolicyPort,
        incidents: IncidentPort,
        replacements: ReplacementPort,
        pool: Pool,
        rules: ApprovalRules | None = None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._outbox = outbox
        self._sealer = sealer
        self._policy = policy
        self._incidents = incidents
        self._replacements = replacements
        self._refusals = RefusalAudit(pool, audit)
        self._rules = rules or ApprovalRules()
        self._labels = Labels(clock, ids, outbox)

    async def approve(self, connection: Connection, request: ApprovalRequest) -> ApprovalResult:
        """Record one approval; with the last one needed the proposal becomes approved.

        Raises:
            ProposalNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited.

        """
        async with self._auditing_refusals(request, Decision.APPROVE):
            situation = await read_situation(connection, request.proposal_id, now=self._clock.now())
            check_request(request, situation, session_lifetime=self._rules.session_lifetime)
            check_separation(request, situation)
            check_unchanged(situation)
            case = await read_sealed_case(connection, self._sealer, situation.proposal)
            incident_id = situation.proposal.incident_id
            if not await self._incidents.may_move(connection, incident_id, "approved"):
                raise IncidentMovedOnError
            rule, policy_digest = await self._ask_policy(connection, request, situation, case)
        approval = await self._seal_approval(connection, request, situation, rule, policy_digest)
        await self._store(connection, situation, approval)
        n_approvals = len(situation.approved_by) + 1
        complete = n_approvals >= rule.n_approvers
        if complete:
            await self._complete(connection, request, situation)
        return ApprovalResult(
            approval_id=approval.approval_id,
            approval_digest=approval.approval_digest,
            complete=complete,
            n_approvals=n_approvals,
            n_required=rule.n_approvers,
        )

    async def reject(self, connection: Connection, request: ApprovalRequest) -> ApprovalResult:
        """Reject a proposal, with a reason; its incident goes to people.

        Raises:
            ProposalNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited.

        """
        situation, approval = await self._decide_against(connection, request, Decision.REJECT)
        await self._finish(connection, situation, approval, ProposalStatus.REJECTED)
        await self._incidents.move(
            connection,
            situation.proposal.incident_id,
            "escalated",
            actor=request.approver,
            reason="the proposal was rejected",
        )
        return ApprovalResult(
            approval_id=approval.approval_id,
            approval_digest=approval.approval_digest,
            complete=True,
        )

    async def override(
        self, connection: Connection, request: ApprovalRequest, replacement: Replacement
    ) -> ApprovalResult:
        """Put another script or other parameters in a proposal's place.

        The replacement is a new proposal with its own evidence, requested by this person, who
        therefore cannot approve it.

        Raises:
            ProposalNotFoundError, InvalidRequestError: the request makes no sense.
            RefusalError: one of its kinds; the refusal has been audited.

        """
        situation, approval = await self._decide_against(connection, request, Decision.OVERRIDE)
        await self._finish(connection, situation, approval, ProposalStatus.OVERRIDDEN)
        replacement_id = await self._replacements.propose_replacement(
            connection,
            parent=situation.proposal,
            script_id=replacement.script_id,
            script_version=replacement.script_version,
            parameters=dict(replacement.parameters),
            requested_by=request.approver,
        )
        return ApprovalResult(
            approval_id=approval.approval_id,
            approval_digest=approval.approval_digest,
            complete=True,
            replacement_proposal_id=replacement_id,
        )

    async def expire_due(self, connection: Connection) -> int:
        """Expire what nobody decided or dispatched in time; return how many.

        Their incidents go to people.
        """
        due = await list_due(connection, now=self._clock.now())
        for proposal_id in due:
            proposal = await lock_proposal(connection, proposal_id)
            await move_proposal(connection, proposal, ProposalStatus.EXPIRED)
            await self._record(connection, proposal, "expired", actor=SERVICE_ACTOR)
            await self._incidents.move(
                connection,
                proposal.incident_id,
                "escalated",
                actor=SERVICE_ACTOR,
                reason=f"the {proposal.status} proposal expired",
            )
        return len(due)

    async def _ask_policy(
        self,
        connection: Connection,
        request: ApprovalRequest,
        situation: Situation,
        case: Mapping[str, Any],
    ) -> tuple[QuorumRule, str]:
        """Return how many must approve, and the digest of the policy that allows it."""
        rule = required_quorum(
            risk_score=situation.proposal.risk_score,
            board_required=bool(situation.proposal.risk_factors.get("board_reasons")),
        )
        check_circumstances(situation, rule)
        answer = await self._policy.decide(connection, ask_approval(request, situation, case))
        if not answer.allow:
            raise PolicyDeniedError(answer.reasons)
        n_approvers = max(rule.n_approvers, answer.requires_quorum)
        return replace(rule, n_approvers=n_approvers), answer.policy_digest

    async def _seal_approval(
        self,
        connection: Connection,
        request: ApprovalRequest,
        situation: Situation,
        rule: QuorumRule,
        policy_digest: str,
    ) -> Approval:
        proposal = situation.proposal
        expires_at = approval_expiry(
            request.conditions, now=situation.now, lifetime=self._rules.approval_lifetime
        )
        approved_by = [*situation.approved_by, request.approver]
        sealed = await self._sealer.seal_statement(
            connection,
            kind="approval",
            proposal_id=proposal.proposal_id,
            bundle_digest=request.bundle_digest,
            predicate={
                **describe_decision(request, Decision.APPROVE, situation),
                "expires_at": expires_at.isoformat(),
                "policy_digest": policy_digest,
                "quorum": {"required": rule.n_approvers, "given": len(approved_by)},
                "approved_by": approved_by,
            },
            actor=request.approver,
            correlation_id=proposal.correlation_id,
            device_id=proposal.target_device_id,
        )
        return Approval(
            approval_id=self._ids.new("apr"),
            proposal_id=proposal.proposal_id,
            bundle_digest=request.bundle_digest,
            approver=request.approver,
            decision=Decision.APPROVE,
            reason=request.reason,
            conditions=request.conditions,
            approval_digest=sealed.digest,
            decided_at=situation.now,
            expires_at=expires_at,
        )

    async def _decide_against(
        self,
        connection: Connection,
        request: ApprovalRequest,
        decision: Literal[Decision.REJECT, Decision.OVERRIDE],
    ) -> tuple[Situation, Approval]:
        if not request.reason.strip():
            raise InvalidRequestError("a reason is needed to reject or override")
        async with self._auditing_refusals(request, decision):
            situation = await read_situation(
                connection,
                request.proposal_id,
                now=self._clock.now(),
                may_be_gone=decision is Decision.REJECT,
            )
            check_request(request, situation, session_lifetime=self._rules.session_lifetime)
        # Not a sealed approval statement: nothing in the log may look like one to a device.
        approval = Approval(
            approval_id=self._ids.new("apr"),
            proposal_id=request.proposal_id,
            bundle_digest=request.bundle_digest,
            approver=request.approver,
            decision=decision,
            reason=request.reason,
            conditions=request.conditions,
            approval_digest=digest_of(describe_decision(request, decision, situation)),
            decided_at=situation.now,
            expires_at=situation.now,
        )
        await self._store(connection, situation, approval)
        return situation, approval

    async def _store(
        self, connection: Connection, situation: Situation, approval: Approval
    ) -> None:
        await insert_approval(connection, approval)
        await self._labels.add(
            connection,
            situation.proposal,
            kind=LabelKind.DECISION,
            label=approval.decision.value,
            actor=approval.approver,
        )

    async def _finish(
        self,
        connection: Connection,
        situation: Situation,
        approval: Approval,
        status: ProposalStatus,
    ) -> None:
        await move_proposal(connection, situation.proposal, status)
        await self._record(
            connection,
            situation.proposal,
            status.value,
            actor=approval.approver,
            details={"reason": approval.reason, "approval_id": approval.approval_id},
            evidence=(approval.approval_digest, approval.bundle_digest),
        )

    async def _complete(
        self, connection: Connection, request: ApprovalRequest, situation: Situation
    ) -> None:
        proposal = situation.proposal
        await move_proposal(connection, proposal, ProposalStatus.APPROVED)
        await self._record(
            connection,
            proposal,
            "approved",
            actor=request.approver,
            details={"approved_by": [*situation.approved_by, request.approver]},
            evidence=(request.bundle_digest,),
        )
        await self._incidents.move(
            connection,
            proposal.incident_id,
            "approved",
            actor=request.approver,
            reason="the proposal was approved",
        )
        await self._outbox.publish(
            connection,
            topic="proposal.approved",
            payload={"proposal_id": proposal.proposal_id},
            correlation_id=proposal.correlation_id,
        )

    async def _record(
        self,
        connection: Connection,
        proposal: Proposal,
        status: str,
        *,
        actor: str,
        details: Mapping[str, Any] | None = None,
        evidence: tuple[str, ...] = (),
    ) -> None:
        await self._audit.record(
            connection,
            actor=actor,
            action=f"proposal.{status}",
            subject_kind="proposal",
            subject_id=proposal.proposal_id,
            correlation_id=proposal.correlation_id,
            device_id=proposal.target_device_id,
            before={"status": proposal.status.value},
            after={"status": status, **(details or {})},
            evidence=evidence,
        )

    def _auditing_refusals(
        self, request: ApprovalRequest, decision: Decision
    ) -> AbstractAsyncContextManager[None]:
        return self._refusals.guard(
            {RefusalError: "approval.refused"},
            actor=request.approver,
            subject_kind="proposal",
            subject_id=request.proposal_id,
            correlation_id=request.correlation_id,
            details={"decision": decision.value, "bundle_digest": request.bundle_digest},
        )
