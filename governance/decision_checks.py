# SPDX-License-Identifier: Apache-2.0
"""Whether a person may decide on a proposal now: every rule, in one place. Pure.

The policy is asked as well; these rules hold even when somebody weakens the policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from evidence.audit import AuditEvent
from governance.conditions import Conditions
from governance.errors import (
    AlreadyDecidedError,
    AuthorApprovalError,
    BundleChangedError,
    ExceptionRequiredError,
    FreezeWindowError,
    InvalidRequestError,
    ProposalExpiredError,
    SelfApprovalError,
    StaleSessionError,
)
from governance.proposal_history import DECIDED, describe_status, find_status
from governance.proposals import Proposal, ProposalContext, ProposalStatus
from governance.quorum import QuorumRule
from governance.roles import APPROVING_ROLES, require_role
from kernel.person import is_same_person

MAX_REASON_CHARACTERS = 2000


class Decision(StrEnum):
    """What a person can decide."""

    APPROVE = "approve"
    OVERRIDE = "override"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """One person's decision, as it comes from the edge.

    Attributes:
        bundle_digest: of the evidence that the person looked at.
        reason: masked text.
        session_authenticated_at: when this person last proved who they are, aware UTC.

    """

    proposal_id: str
    bundle_digest: str
    approver: str
    roles: frozenset[str]
    session_authenticated_at: datetime
    correlation_id: str = ""
    reason: str = ""
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when a decision arrives."""

    proposal: Proposal
    context: ProposalContext
    decided_by: Sequence[str]
    approved_by: Sequence[str]
    freeze_active: bool
    exception_active: bool
    history: Sequence[AuditEvent]  # of the proposal, from the audit log
    now: datetime


def check_request(
    request: ApprovalRequest, situation: Situation, *, session_lifetime: timedelta
) -> None:
    """Check what every decision needs: a role, a fresh session, a pending, unchanged proposal.

    Raises:
        RoleMissingError, StaleSessionError, AlreadyDecidedError, ProposalExpiredError,
        BundleChangedError, InvalidRequestError.

    """
    proposal, now = situation.proposal, situation.now
    if not request.approver.strip() or len(request.reason) > MAX_REASON_CHARACTERS:
        raise InvalidRequestError("a decision needs a name, and a reason under 2000 characters")
    require_role(request.roles, APPROVING_ROLES)
    age = now - request.session_authenticated_at
    if not timedelta(minutes=-5) <= age <= session_lifetime:
        raise StaleSessionError
    if proposal.status is ProposalStatus.EXPIRED:
        raise ProposalExpiredError
    if proposal.status is not ProposalStatus.PENDING:
        raise AlreadyDecidedError(f"this proposal is {proposal.status} already")
    check_undecided(situation)
    if now >= proposal.expires_at:
        raise ProposalExpiredError
    if is_same_person(request.approver, *situation.decided_by):
        raise AlreadyDecidedError("this person has decided on this proposal already")
    if proposal.bundle_digest is None or request.bundle_digest != proposal.bundle_digest:
        raise BundleChangedError


def check_undecided(situation: Situation) -> None:
    """Check that the audit log knows of no decision: the row alone can be set back.

    Raises:
        AlreadyDecidedError: it knows of one.

    """
    if decided := find_status(situation.history, DECIDED):
        raise AlreadyDecidedError(f"it is decided already: {describe_status(decided)}")


def check_separation(request: ApprovalRequest, situation: Situation) -> None:
    """Check separation of duties: neither requester, any reporter nor author approves.

    Raises:
        SelfApprovalError, AuthorApprovalError.

    """
    proposal, context = situation.proposal, situation.context
    if is_same_person(request.approver, proposal.requested_by, *context.reporters):
        raise SelfApprovalError
    if is_same_person(request.approver, context.author):
        raise AuthorApprovalError


def check_unchanged(situation: Situation) -> None:
    """Check that the script is still what was proposed, and in force.

    Raises:
        BundleChangedError: it is not.

    """
    proposal, context = situation.proposal, situation.context
    if context.content_sha256 != proposal.script_sha256 or context.script_status != "active":
        raise BundleChangedError("the script was changed or retired after it was proposed")


def check_circumstances(situation: Situation, rule: QuorumRule) -> None:
    """Check freeze windows and risk exceptions.

    Raises:
        FreezeWindowError, ExceptionRequiredError.

    """
    if situation.freeze_active:
        raise FreezeWindowError
    if rule.exception_required and not situation.exception_active:
        raise ExceptionRequiredError


def describe_decision(
    request: ApprovalRequest, decision: Decision, situation: Situation
) -> dict[str, Any]:
    """Return a decision as plain data: what is sealed, or digested, about it."""
    return {
        "decision": decision.value,
        "proposal_id": request.proposal_id,
        "bundle_digest": request.bundle_digest,
        "approver": request.approver,
        "roles": sorted(request.roles),
        "reason": request.reason,
        "conditions": request.conditions.as_json(),
        "decided_at": situation.now.isoformat(),
    }
