# SPDX-License-Identifier: Apache-2.0
"""Risk exceptions: what a proposal above risk 75 needs besides its quorum.

An exception has an expiry and names the controls that make up for the risk. Whoever requested
the change or wrote the script cannot grant it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.errors import (
    AuthorApprovalError,
    InvalidRequestError,
    ProposalNotFoundError,
    RoleMissingError,
    SelfApprovalError,
)
from governance.proposals import find_context, find_proposal
from governance.separation import same_person
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.ids import IdSource
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "risk_exceptions")
GRANTING_ROLES = frozenset({"approver", "admin"})
MAX_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskException:
    """One granted exception."""

    exception_id: str
    proposal_id: str
    granted_by: str
    compensating_controls: str
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
    """Grants risk exceptions."""

    def __init__(self, clock: Clock, ids: IdSource, audit: AuditIntake) -> None:
        self._clock = clock
        self._ids = ids
        self._audit = audit

    async def grant(
        self,
        connection: Connection,
        *,
        proposal_id: str,
        granted_by: str,
        roles: frozenset[str],
        compensating_controls: str,
        expires_at: datetime,
    ) -> RiskException:
        """Grant an exception. `compensating_controls` must be masked.

        Raises:
            ProposalNotFoundError: there is no such proposal, or its script is gone.
            SelfApprovalError, AuthorApprovalError, RoleMissingError: separation of duties.
            InvalidRequestError: no controls named, or an expiry in the past or over 30 days away.

        """
        proposal = await find_proposal(connection, proposal_id)
        context = await find_context(connection, proposal_id)
        if proposal is None or context is None:
            raise ProposalNotFoundError(proposal_id)
        if not roles & GRANTING_ROLES:
            raise RoleMissingError
        if same_person(granted_by, proposal.requested_by, context.reported_by):
            raise SelfApprovalError
        if same_person(granted_by, context.author):
            raise AuthorApprovalError
        self._check_terms(compensating_controls, expires_at)
        exception = RiskException(
            exception_id=self._ids.new("exc"),
            proposal_id=proposal_id,
            granted_by=granted_by,
            compensating_controls=compensating_controls,
            expires_at=expires_at,
        )
        terms = {
            "compensating_controls": compensating_controls,
            "expires_at": expires_at,
        }
        await connection.execute(
            QUERIES["insert_exception"],
            {
                "exception_id": exception.exception_id,
                "proposal_id": proposal_id,
                "granted_by": granted_by,
                **terms,
            },
        )
        await self._audit.record(
            connection,
            actor=granted_by,
            action="risk_exception.granted",
            subject_kind="proposal",
            subject_id=proposal_id,
            correlation_id=proposal.correlation_id,
            device_id=proposal.target_device_id,
            after={**terms, "expires_at": expires_at.isoformat()},
            evidence=[proposal.bundle_digest] if proposal.bundle_digest else [],
        )
        return exception

    def _check_terms(self, compensating_controls: str, expires_at: datetime) -> None:
        if not compensating_controls.strip():
            raise InvalidRequestError("an exception needs compensating controls")
        now = self._clock.now()
        if expires_at.tzinfo is None or not now < expires_at <= now + MAX_LIFETIME:
            raise InvalidRequestError("an exception expires within 30 days from now")
