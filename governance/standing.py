# SPDX-License-Identifier: Apache-2.0
"""What a pending proposal still needs, in words for people. Decides nothing: approvals do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.approval_records import list_approvals, list_approvers
from governance.freeze_windows import frozen_until, list_freezes
from governance.proposals import Proposal
from governance.quorum import EXCEPTION_RISK, QuorumRule, required_quorum
from governance.risk_exceptions import RiskException, list_active_exceptions
from kernel.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a proposal stands on its way to an approval."""

    rule: QuorumRule
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
        if self.frozen_until is not None:
            moment = self.frozen_until.strftime("%Y-%m-%d %H:%M UTC")
            missing.append(f"A freeze window is in force until {moment}: nobody can approve now.")
        if self.exception_missing:
            missing.append(
                f"The risk is above {EXCEPTION_RISK:g}: a security reviewer must grant an"
                " exception before anybody can approve."
            )
        if n_given < n_required:
            needed = "approval" if n_required == 1 else "approvals"
            missing.append(f"{n_given} of {n_required} {needed} given.")
        return missing


async def find_standing(connection: Connection, proposal: Proposal, *, now: datetime) -> Standing:
    """Return what a proposal has and needs."""
    decisions = await list_approvals(connection, proposal.proposal_id)
    return Standing(
        rule=required_quorum(
            risk_score=proposal.risk_score,
            board_required=bool(proposal.risk_factors.get("board_reasons")),
            policy_quorum=int(proposal.policy_decision.get("requires_quorum", 1)),
        ),
        approved_by=list_approvers(decisions, now=now),
        exceptions=await list_active_exceptions(connection, proposal.proposal_id, now=now),
        frozen_until=frozen_until(await list_freezes(connection, now=now), now),
    )
