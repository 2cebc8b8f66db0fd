# SPDX-License-Identifier: Apache-2.0
"""What a pending proposal still needs, in words for people. Decides nothing: approvals do.

The policy in force is asked what it would tell an approver who had no part in the proposal, as if
freeze and risk exception, which stand in sentences of their own, were settled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.approval_records import list_approvals, list_approvers
from governance.decision_checks import (
    ApprovalRequest,
    Situation,
    check_unchanged,
    check_undecided,
)
from governance.errors import BundleChangedError, IncidentMovedOnError, RefusalError
from governance.freeze_windows import frozen_until, list_freezes
from governance.policy_questions import ask_approval
from governance.ports import PolicyAnswer, PolicyPort
from governance.proposal_history import list_history
from governance.proposals import ContextGoneError, Proposal, find_context
from governance.quorum import EXCEPTION_RISK, QuorumRule, required_quorum
from governance.risk_exceptions import RiskException, list_active_exceptions
from governance.roles import APPROVING_ROLES
from governance.sealed_case import CaseOpener, read_sealed_case
from kernel.clock import Clock
from kernel.database import Connection

AWAITING = "proposed"  # where an incident waits for an approval
ANY_APPROVER = "user:(any approver)"  # no account can have this name


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a proposal stands on its way to an approval.

    Attributes:
        obstacle: why nobody can approve, whoever it is and whatever the policy says: script,
            device or sealed case is gone or changed, the incident has moved on, or the audit log
            knows of a decision.
        policy: what the policy in force says to an approver; None where there is an obstacle.

    """

    rule: QuorumRule
    obstacle: str | None
    policy: PolicyAnswer | None
    approved_by: Sequence[str]
    exceptions: Sequence[RiskException]
    frozen_until: datetime | None

    @property
    def exception_missing(self) -> bool:
        """Whether nobody can approve before an exception is granted."""
        return self.rule.exception_required and not self.exceptions

    def list_missing(self) -> list[str]:
        """Return a sentence for each thing that is still missing."""
        n_given, n_required = len(self.approved_by), self.rule.n_approvers
        missing = []
        if self.obstacle is not None:
            why = self.obstacle[:1].lower() + self.obstacle[1:].rstrip(".")
            missing.append(f"Nobody can approve this proposal: {why}.")
        if self.frozen_until is not None:
            moment = self.frozen_until.strftime("%Y-%m-%d %H:%M UTC")
            missing.append(f"A freeze window is in force until {moment}: nobody can approve now.")
        if self.exception_missing:
            missing.append(
                f"The risk is above {EXCEPTION_RISK:g}: a security reviewer must grant an"
                " exception before anybody can approve."
            )
        if self.policy is not None and not self.policy.allow:
            missing.append(
                f"The policy in force refuses every approval now: {', '.join(self.policy.reasons)}."
            )
        given = f"{n_given} of {n_required} {'approval' if n_required == 1 else 'approvals'} given"
        if n_given < n_required:
            missing.append(f"{given}.")
        elif self.policy is not None and self.policy.allow:
            missing.append(
                f"{given}, which was too few at that time: one more person must approve."
            )
        return missing


class Standings:
    """Finds where proposals stand. Methods work inside the caller's transaction."""

    def __init__(self, clock: Clock, *, opener: CaseOpener, policy: PolicyPort) -> None:
        self._clock = clock
        self._opener = opener
        self._policy = policy

    async def find(self, connection: Connection, proposal: Proposal) -> Standing:
        """Return what a proposal has and needs, by the policy that is in force now."""
        now = self._clock.now()
        approved_by = list_approvers(
            await list_approvals(connection, proposal.proposal_id), now=now
        )
        answer, obstacle = None, None
        try:
            answer = await self._ask_policy(connection, proposal, approved_by, now)
        except RefusalError as refusal:
            obstacle = str(refusal)
        return Standing(
            rule=required_quorum(
                risk_score=proposal.risk_score,
                board_required=bool(proposal.risk_factors.get("board_reasons")),
                policy_quorum=answer.requires_quorum if answer else 1,
            ),
            obstacle=obstacle,
            policy=answer,
            approved_by=approved_by,
            exceptions=await list_active_exceptions(connection, proposal.proposal_id, now=now),
            frozen_until=frozen_until(await list_freezes(connection, now=now), now),
        )

    async def _ask_policy(
        self,
        connection: Connection,
        proposal: Proposal,
        approved_by: Sequence[str],
        now: datetime,
    ) -> PolicyAnswer:
        """Return what the policy would say.

        Raises:
            RefusalError: one of its kinds, which every approver would meet.

        """
        context = await find_context(connection, proposal.proposal_id)
        if context is None:
            raise ContextGoneError
        if proposal.bundle_digest is None:
            raise BundleChangedError("it was never sealed")
        case = await read_sealed_case(connection, self._opener, proposal)
        request = ApprovalRequest(
            proposal_id=proposal.proposal_id,
            bundle_digest=proposal.bundle_digest,
            approver=ANY_APPROVER,
            roles=frozenset(APPROVING_ROLES),
            session_authenticated_at=now,
        )
        situation = Situation(
            proposal=proposal,
            context=context,
            decided_by=(),
            approved_by=approved_by,
            freeze_active=False,
            exception_active=True,
            history=await list_history(connection, proposal.proposal_id),
            now=now,
        )
        check_undecided(situation)
        check_unchanged(situation)
        if context.incident_status != AWAITING:
            raise IncidentMovedOnError(
                f"its incident is {context.incident_status} now and waits for no approval of it"
            )
        return await self._policy.preview(connection, ask_approval(request, situation, case))
