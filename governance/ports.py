# SPDX-License-Identifier: Apache-2.0
"""What governance needs from its siblings, stated by governance."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from contracts.policy import PolicyQuestion
from governance.proposals import Proposal
from kernel.database import Connection


class SealedStatement(Protocol):
    """A sealed statement; `digest` is the SHA-256 (hex) of its bytes."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the statement's bytes."""
        ...


class StatementSealer(Protocol):
    """Signs a statement about a proposal and records it, with its audit event."""

    async def seal_statement(
        self,
        connection: Connection,
        *,
        kind: Literal["approval", "execution", "verification"],
        proposal_id: str,
        bundle_digest: str,
        predicate: dict[str, Any],
        actor: str,
        correlation_id: str,
        device_id: str | None = None,
    ) -> SealedStatement:
        """Seal one statement; its audit event is `<kind>.sealed`."""
        ...


class PolicyAnswer(Protocol):
    """What a policy says, and which one said it."""

    @property
    def allow(self) -> bool:
        """A clear yes."""
        ...

    @property
    def requires_quorum(self) -> int:
        """How many different people must approve."""
        ...

    @property
    def reasons(self) -> tuple[str, ...]:
        """Stable codes; at least one on a denial."""
        ...

    @property
    def policy_digest(self) -> str:
        """SHA-256 (hex) of the policy files."""
        ...


class PolicyPort(Protocol):
    """Decides in bounded time; whatever is not a clear yes is a denial."""

    async def decide(self, connection: Connection, question: PolicyQuestion, /) -> PolicyAnswer:
        """Answer a question with the policy in force in this transaction."""
        ...

    async def preview(self, connection: Connection, question: PolicyQuestion, /) -> PolicyAnswer:
        """Answer as `decide` would, for people to read: nothing rests on it or is kept of it."""
        ...


class IncidentPort(Protocol):
    """Moves the incident of a proposal along its own life cycle."""

    async def move(
        self, connection: Connection, incident_id: str, to: str, *, actor: str, reason: str
    ) -> bool:
        """Make the transition if the life cycle allows it now; tell whether it was made."""
        ...

    async def may_move(self, connection: Connection, incident_id: str, to: str) -> bool:
        """Hold the incident until the transaction ends; tell whether it may be moved there."""
        ...


class ReplacementPort(Protocol):
    """Makes the proposal that a person put in another one's place."""

    async def propose_replacement(
        self,
        connection: Connection,
        *,
        parent: Proposal,
        script_id: str,
        script_version: str | None,
        parameters: Mapping[str, Any],
        requested_by: str,
    ) -> str:
        """Seal and store a pending proposal linked to its parent; return its id."""
        ...
