# SPDX-License-Identifier: Apache-2.0
"""Whether a person may ask for a change of policies, or decide on one: every rule. Pure.

A freeze window stops none of it: a change of policies runs nothing, and freezes hold beside every
policy.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from governance.errors import (
    AlreadyDecidedError,
    BundleChangedError,
    InvalidRequestError,
    SelfApprovalError,
    StaleSessionError,
)
from governance.roles import DECIDING_ROLES, require_role
from kernel.person import PREFIXES, is_same_person

MAX_REASON_CHARACTERS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyActor:
    """Who does something about policies, why (masked), under which correlation id."""

    actor: str
    reason: str
    correlation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecider(PolicyActor):
    """A person who decides.

    Attributes:
        authenticated_at: when this person last proved who they are, aware UTC.

    """

    roles: frozenset[str]
    authenticated_at: datetime


class ChangeFacts(Protocol):
    """A change that a person asked for."""

    @property
    def change_id(self) -> str:
        """Its id."""
        ...

    @property
    def proposed_by(self) -> str:
        """The actor who asked."""
        ...

    @property
    def against(self) -> str:
        """The activation in whose place it is to come."""
        ...

    @property
    def decision(self) -> str | None:
        """What was decided; None while nothing was."""
        ...

    @property
    def decided_by(self) -> str | None:
        """The actor who decided."""
        ...


class ActivationFacts(Protocol):
    """What is in force."""

    @property
    def activation_id(self) -> str:
        """Its id."""
        ...

    @property
    def created_at(self) -> datetime:
        """Since when, aware."""
        ...


def check_asking(did: PolicyActor) -> None:
    """Check that a person asks, and says why.

    Raises:
        InvalidRequestError: not so.
    """
    if not did.actor.startswith(PREFIXES):
        raise InvalidRequestError(f"people change policies, and {did.actor} is none")
    if not did.reason.strip() or len(did.reason) > MAX_REASON_CHARACTERS:
        raise InvalidRequestError(f"say why, in at most {MAX_REASON_CHARACTERS} characters")


def check_decider(did: PolicyDecider, *, now: datetime, session_lifetime: timedelta) -> None:
    """Check what every decision needs: a person, a reason, a role, a fresh session.

    Raises:
        InvalidRequestError, RoleMissingError, StaleSessionError.
    """
    check_asking(did)
    require_role(did.roles, DECIDING_ROLES)
    if not timedelta(minutes=-5) <= now - did.authenticated_at <= session_lifetime:
        raise StaleSessionError


def check_open(change: ChangeFacts) -> None:
    """Check that nobody has decided on a change yet.

    Raises:
        AlreadyDecidedError: somebody has.
    """
    if change.decision is not None:
        raise AlreadyDecidedError(
            f"{change.change_id} was {change.decision} by {change.decided_by}"
        )


def check_activation(did: PolicyActor, change: ChangeFacts, in_force: ActivationFacts) -> None:
    """Check that a change waits, was looked at against what is in force, and by another person.

    Raises:
        AlreadyDecidedError, BundleChangedError, SelfApprovalError.
    """
    check_open(change)
    if change.against != in_force.activation_id:
        raise BundleChangedError(
            f"{change.change_id} was proposed against another policy than the one in force since"
            f" {in_force.created_at:%Y-%m-%d %H:%M:%S} UTC; reject it and propose it again"
        )
    if is_same_person(did.actor, change.proposed_by):
        raise SelfApprovalError("another person than the one who proposed it puts it in force")
