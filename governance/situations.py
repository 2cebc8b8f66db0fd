# SPDX-License-Identifier: Apache-2.0
"""Reads what a decision on a proposal rests on. Decides nothing: `governance.decision_checks`."""

from datetime import datetime

from governance.approval_records import list_approvals, list_approvers
from governance.decision_checks import Situation
from governance.errors import InvalidRequestError
from governance.freeze_windows import frozen_until, list_freezes
from governance.proposal_history import list_history
from governance.proposals import NO_CONTEXT, ContextGoneError, find_context, lock_proposal
from governance.risk_exceptions import list_active_exceptions
from kernel.database import Connection


async def read_situation(
    connection: Connection, proposal_id: str, *, now: datetime, may_be_gone: bool = False
) -> Situation:
    """Return what is known of a proposal, and hold it until the transaction ends.

    Args:
        connection: whose transaction holds it.
        proposal_id: of the proposal.
        now: aware UTC.
        may_be_gone: whether it is enough to know the proposal, as for saying no to it.

    Raises:
        ProposalNotFoundError: there is none.
        InvalidRequestError: it is an abstention.
        ContextGoneError: its script or its device is gone.
        LogChangedError: the audit log does not hold what its events say.

    """
    proposal = await lock_proposal(connection, proposal_id)
    context = await find_context(connection, proposal_id)
    if proposal.script_id is None:
        raise InvalidRequestError("an abstention has no script: there is nothing to decide")
    if context is None and not may_be_gone:
        raise ContextGoneError
    decisions = await list_approvals(connection, proposal_id)
    freezes = await list_freezes(connection, now=now)
    exceptions = await list_active_exceptions(connection, proposal_id, now=now)
    return Situation(
        proposal=proposal,
        context=context or NO_CONTEXT,
        decided_by=[decision.approver for decision in decisions],
        approved_by=list_approvers(decisions, now=now),
        freeze_active=frozen_until(freezes, now) is not None,
        exception_active=bool(exceptions),
        history=await list_history(connection, proposal_id),
        now=now,
    )
