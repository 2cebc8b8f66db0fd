# SPDX-License-Identifier: Apache-2.0
"""Risk exceptions: what a proposal above risk 75 needs besides its quorum.

An exception has an expiry and names the controls that make up for the risk. A security reviewer
grants it; whoever requested the change, reported the incident or wrote
the script cannot. Refusals are audited.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from governance.errors import (
    AlreadyDecidedError,
    AuthorApprovalError,
    InvalidRequestError,
    ProposalExpiredError,
    RefusalError,
    SelfApprovalError,
)
from governance.proposals import (
    ContextGoneError,
    Proposal,
    ProposalContext,
    ProposalStatus,
    find_context,
    lock_proposal,
)
from governance.quorum import EXCEPTION_RISK
from governance.roles import REVIEWING_ROLES, require_role
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.ids import IdSource
from kernel.person import is_same_person
from kernel.queries import load_queries
from kernel.refusals import RefusalAudit

QUERIES = load_queries(__file__, "risk_exceptions")
NOTHING_TO_RUN = "an abstention has no script: there is no risk to except"
MAX_LIFETIME = timedelta(days=30)
MAX_TEXT_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionRequest:
    """What a security reviewer wants to grant; texts arrive masked."""

    proposal_id: str
    granted_by: str
    roles: frozenset[str]
    compensating_controls: str
    reason: str
    expires_at: datetime
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskException:
    """One granted exception."""

    exception_id: str
    proposal_id: str
    granted_by: str
    compensating_controls: str
    reason: str
    granted_at: datetime | None
    expires_at: datetime


async def list_active_exceptions(
    connection: Connection, proposal_id: str, *, now: datetime
) -> list[RiskException]:
    """Return the unexpired exceptions of a proposal."""
    cursor = await connection.execute(
        QUERIES["list_active"], {"proposal_id": proposal_id, "now": now}
    )
    return [RiskException(**row) for row in await cursor.fetchall()]


class RiskExceptions:
    """Grants risk exceptions.

    Args:
        pool: for the audit events of refusals alone, see `RefusalAudit`.

    """

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake, *, pool: Pool) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._refusals = RefusalAudit(pool, audit)

    async def grant(self, connection: Connection, request: ExceptionRequest) -> RiskException:
        """Grant an exception in the caller's transaction.

        Raises:
            ProposalNotFoundError: there is no such proposal.
            ContextGoneError: its script or its device is gone.
            RefusalError: separation of duties, or the proposal is decided or has expired; the
                refusal has been audited.
            InvalidRequestError: it is an abstention, the risk needs none, no controls or reason
                are named, or the expiry lies in the past or over 30 days away.

        """
        proposal = await lock_proposal(connection, request.proposal_id)
        context = await find_context(connection, request.proposal_id)
        if context is None:
            raise ContextGoneError if proposal.script_id else InvalidRequestError(NOTHING_TO_RUN)
        async with self._refusals.guard(
            {RefusalError: "risk_exception.refused"},
            actor=request.granted_by,
            subject_kind="proposal",
            subject_id=request.proposal_id,
            correlation_id=request.correlation_id,
        ):
            _check_right(request, proposal, context, now=self._clock.now())
        self._check_terms(request, proposal)
        exception = RiskException(
            exception_id=self._ids.new("exc"),
            proposal_id=request.proposal_id,
            granted_by=request.granted_by,
            compensating_controls=request.compensating_controls.strip(),
            reason=request.reason.strip(),
            granted_at=self._clock.now(),
            expires_at=request.expires_at,
        )
        await connection.execute(QUERIES["insert_exception"], asdict(exception))
        await self._audit.record(
            connection,
            actor=request.granted_by,
            action="risk_exception.granted",
            subject_kind="proposal",
            subject_id=request.proposal_id,
            correlation_id=proposal.correlation_id,
            device_id=proposal.target_device_id,
            after={
                "exception_id": exception.exception_id,
                "compensating_controls": exception.compensating_controls,
                "reason": exception.reason,
                "expires_at": exception.expires_at.isoformat(),
            },
            evidence=[proposal.bundle_digest] if proposal.bundle_digest else [],
        )
        return exception

    def _check_terms(self, request: ExceptionRequest, proposal: Proposal) -> None:
        if proposal.risk_score <= EXCEPTION_RISK:
            raise InvalidRequestError(
                f"a risk of {proposal.risk_score:g} needs no exception: only one above"
                f" {EXCEPTION_RISK:g} does"
            )
        if not request.compensating_controls.strip() or not request.reason.strip():
            raise InvalidRequestError("an exception needs compensating controls and a reason")
        if max(len(request.compensating_controls), len(request.reason)) > MAX_TEXT_CHARACTERS:
            raise InvalidRequestError("controls and reason have at most 2000 characters each")
        now = self._clock.now()
        if request.expires_at.tzinfo is None or not (
            now < request.expires_at <= now + MAX_LIFETIME
        ):
            raise InvalidRequestError("an exception expires within 30 days from now")


def _check_right(
    request: ExceptionRequest, proposal: Proposal, context: ProposalContext, *, now: datetime
) -> None:
    require_role(request.roles, REVIEWING_ROLES)
    if is_same_person(request.granted_by, proposal.requested_by, *context.reporters):
        raise SelfApprovalError
    if is_same_person(request.granted_by, context.author):
        raise AuthorApprovalError
    if proposal.status is ProposalStatus.EXPIRED or now >= proposal.expires_at:
        raise ProposalExpiredError
    if proposal.status is not ProposalStatus.PENDING:
        raise AlreadyDecidedError(f"this proposal is {proposal.status} already")
