# SPDX-License-Identifier: Apache-2.0
"""Stored decisions: what one person decided about one proposal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from governance.conditions import Conditions, parse_conditions
from governance.decision_checks import Decision
from governance.errors import AlreadyDecidedError
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "approvals")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One row of `approvals`.

    `approval_digest` is that of the sealed statement for an approval, and of the canonical
    decision record for a rejection or an override, which are never sealed as approvals.
    """

    approval_id: str
    proposal_id: str
    bundle_digest: str
    approver: str
    decision: Decision
    reason: str
    conditions: Conditions
    approval_digest: str
    decided_at: datetime
    expires_at: datetime


async def insert_approval(connection: Connection, approval: Approval) -> None:
    """Store one decision.

    Raises:
        AlreadyDecidedError: this person has decided on this proposal already.

    """
    try:
        await connection.execute(
            QUERIES["insert_approval"],
            {
                "approval_id": approval.approval_id,
                "proposal_id": approval.proposal_id,
                "bundle_digest": approval.bundle_digest,
                "approver": approval.approver,
                "decision": approval.decision.value,
                "reason": approval.reason,
                "conditions": Jsonb(approval.conditions.as_json()),
                "approval_digest": approval.approval_digest,
                "decided_at": approval.decided_at,
                "expires_at": approval.expires_at,
            },
        )
    except UniqueViolation as error:
        raise AlreadyDecidedError from error


async def list_approvals(connection: Connection, proposal_id: str) -> list[Approval]:
    """Return all decisions about a proposal, oldest first."""
    cursor = await connection.execute(QUERIES["list_approvals"], {"proposal_id": proposal_id})
    return [
        Approval(
            **{
                **row,
                "decision": Decision(row["decision"]),
                "conditions": parse_conditions(row["conditions"]),
            }
        )
        for row in await cursor.fetchall()
    ]


def list_approvers(decisions: Iterable[Approval], *, now: datetime) -> list[str]:
    """Return who approved and whose approval has not expired, oldest first."""
    return [
        decision.approver
        for decision in decisions
        if decision.decision is Decision.APPROVE and decision.expires_at > now
    ]
