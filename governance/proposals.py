# SPDX-License-Identifier: Apache-2.0
"""Proposals: one fix for one device, or an abstention, and its life cycle.

Reasoning writes them, people decide on them, dispatch carries them out. The sealed evidence
bundle is the authority on what was proposed; the row is what the bundle is found by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from psycopg.types.json import Jsonb

from contracts.canonical import CanonicalFormError, digest_of
from governance.errors import AlreadyDecidedError, BundleChangedError, ProposalNotFoundError
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "proposals")


class ProposalStatus(StrEnum):
    """Where a proposal stands."""

    PENDING = "pending"
    ABSTAINED = "abstained"
    APPROVED = "approved"
    REJECTED = "rejected"
    OVERRIDDEN = "overridden"
    EXPIRED = "expired"
    DISPATCHED = "dispatched"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_S = ProposalStatus
ALLOWED_TRANSITIONS: Mapping[ProposalStatus, frozenset[ProposalStatus]] = {
    _S.PENDING: frozenset({_S.APPROVED, _S.REJECTED, _S.OVERRIDDEN, _S.EXPIRED}),
    _S.ABSTAINED: frozenset(),
    _S.APPROVED: frozenset({_S.DISPATCHED, _S.EXPIRED, _S.FAILED}),
    _S.REJECTED: frozenset(),
    _S.OVERRIDDEN: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.DISPATCHED: frozenset({_S.SUCCEEDED, _S.FAILED, _S.EXPIRED}),
    _S.SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One row of `proposals`. Scores in [0, 100], confidence in [0, 1], moments in UTC."""

    proposal_id: str
    incident_id: str
    status: ProposalStatus
    diagnosis: str
    confidence: float
    requested_by: str
    correlation_id: str
    created_at: datetime
    expires_at: datetime
    script_id: str | None = None
    script_version: str | None = None
    script_sha256: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    target_device_id: str | None = None
    abstention_reason: str | None = None
    explanation: Sequence[Any] = ()
    candidates: Sequence[Any] = ()
    passages: Sequence[Any] = ()
    risk_score: float = 0.0
    risk_factors: dict[str, Any] = field(default_factory=dict)
    policy_decision: dict[str, Any] = field(default_factory=dict)
    bundle_digest: str | None = None
    parent_proposal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalContext:
    """The script and the target of a proposal, from their own tables.

    `manifest` and `analysis` are as imported; `content_sha256` is the catalogue's digest now;
    `reporters` are all who reported the incident, the merged ones too, in order of their names;
    `incident_status` is where it stands now.
    """

    author: str
    manifest: dict[str, Any]
    analysis: dict[str, Any]
    script_status: str
    content_sha256: str
    business_critical: bool
    device_status: str
    incident_status: str
    reporters: Sequence[str]


GONE: Final = "gone"  # the state of a script and a device of which there is no row
NO_CONTEXT: Final = ProposalContext(
    author="",
    manifest={},
    analysis={},
    script_status=GONE,
    content_sha256="",
    business_critical=True,
    device_status=GONE,
    incident_status="",
    reporters=(),
)


class ContextGoneError(BundleChangedError):
    """Its script or its device is gone: it can be rejected, or expires by itself."""

    code = "context_gone"


class ProposalChangedError(BundleChangedError):
    """The proposal's row is not what was sealed."""

    code = "proposal_changed"

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(f"the proposal differs from its sealed case in {', '.join(columns)}")
        self.columns = tuple(columns)


_JSON_COLUMNS = (
    "parameters",
    "explanation",
    "candidates",
    "passages",
    "risk_factors",
    "policy_decision",
)


def _from_row(row: Mapping[str, Any]) -> Proposal:
    return Proposal(**{**row, "status": ProposalStatus(row["status"])})


async def insert_proposal(connection: Connection, proposal: Proposal) -> None:
    """Store a new proposal.

    Raises:
        psycopg.errors.UniqueViolation: the incident has a pending proposal already.

    """
    values = {column.name: getattr(proposal, column.name) for column in fields(Proposal)}
    for name in _JSON_COLUMNS:
        value = values[name]
        values[name] = Jsonb(list(value) if isinstance(value, tuple) else value)
    await connection.execute(
        QUERIES["insert_proposal"], {**values, "status": proposal.status.value}
    )


async def find_proposal(connection: Connection, proposal_id: str) -> Proposal | None:
    """Return one proposal, or None."""
    cursor = await connection.execute(QUERIES["find_proposal"], {"proposal_id": proposal_id})
    row = await cursor.fetchone()
    return None if row is None else _from_row(row)


async def lock_proposal(connection: Connection, proposal_id: str) -> Proposal:
    """Return one proposal and hold it until the transaction ends.

    Raises:
        ProposalNotFoundError: there is none.

    """
    cursor = await connection.execute(QUERIES["lock_proposal"], {"proposal_id": proposal_id})
    row = await cursor.fetchone()
    if row is None:
        raise ProposalNotFoundError(proposal_id)
    return _from_row(row)


async def list_proposals(
    connection: Connection,
    *,
    status: ProposalStatus | None = None,
    incident_id: str | None = None,
    limit: int = 100,
) -> list[Proposal]:
    """Return proposals, newest first."""
    cursor = await connection.execute(
        QUERIES["list_proposals"],
        {
            "status": None if status is None else status.value,
            "incident_id": incident_id,
            "limit": limit,
        },
    )
    return [_from_row(row) for row in await cursor.fetchall()]


async def find_context(connection: Connection, proposal_id: str) -> ProposalContext | None:
    """Return what a decision needs to know of script and target; None when either is gone."""
    cursor = await connection.execute(QUERIES["find_context"], {"proposal_id": proposal_id})
    row = await cursor.fetchone()
    return None if row is None else ProposalContext(**row)


async def list_due(connection: Connection, *, now: datetime, limit: int = 100) -> list[str]:
    """Return and hold the ids of proposals whose time is over."""
    cursor = await connection.execute(QUERIES["list_due"], {"now": now, "limit": limit})
    return [row["proposal_id"] for row in await cursor.fetchall()]


async def move_proposal(connection: Connection, proposal: Proposal, to: ProposalStatus) -> None:
    """Change a proposal's status.

    Raises:
        AlreadyDecidedError: the life cycle does not allow it, or somebody was faster.

    """
    allowed = to in ALLOWED_TRANSITIONS[proposal.status]
    if allowed:
        cursor = await connection.execute(
            QUERIES["update_status"],
            {
                "proposal_id": proposal.proposal_id,
                "from_status": proposal.status.value,
                "to_status": to.value,
            },
        )
        allowed = cursor.rowcount == 1
    if not allowed:
        message = f"proposal {proposal.proposal_id} is {proposal.status}, it cannot become {to}"
        raise AlreadyDecidedError(message)


def find_differences(proposal: Proposal, case: Mapping[str, Any]) -> list[str]:
    """Return the columns that decisions rest on and that differ from the sealed `case.json`.

    What the case does not state differs.
    """
    script, risk = _part(case, "script"), _part(case, "risk")
    sealed = {
        "proposal_id": case.get("proposal_id"),
        "requested_by": case.get("requested_by"),
        "script_id": script.get("script_id"),
        "script_version": script.get("version"),
        "script_sha256": script.get("sha256"),
        "parameters": case.get("parameters"),
        "target_device_id": case.get("target_device_id"),
        "risk_score": risk.get("score"),
        "risk_factors": risk,
    }
    return [name for name, value in sealed.items() if not _equal(getattr(proposal, name), value)]


def _part(case: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = case.get(name)
    return part if isinstance(part, Mapping) else {}


def _equal(stored: object, sealed: object) -> bool:
    try:
        return digest_of(stored) == digest_of(sealed)
    except CanonicalFormError:
        return False
