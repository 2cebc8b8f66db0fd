# SPDX-License-Identifier: Apache-2.0
"""Stored policy versions, the changes that people ask for, and which version is in force.

Rows alone: functions take a connection, the caller owns the transaction. Whether a row may be
believed is `PolicyTrust`'s to say, joined by whoever holds the keys.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from psycopg.errors import UniqueViolation

from guardrails.errors import PolicyChangeError, PolicyNotFoundError
from guardrails.policy_source import PolicySource
from kernel.audit import LOG_DIFFERENCES
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "policies")


class ActivationKind(StrEnum):
    """How a policy version came in force."""

    FIRST = "first"
    ACTIVATION = "activation"
    ROLLBACK = "rollback"


PUT_IN_FORCE = {
    ActivationKind.FIRST: "policy.activated",
    ActivationKind.ACTIVATION: "policy.activated",
    ActivationKind.ROLLBACK: "policy.rolled_back",
}  # what the audit event of an activation is called


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A stored policy version; `envelope` is the signed text, not yet believed."""

    policy_digest: str
    version: int
    envelope: str
    proposed_by: str
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyActivation:
    """A policy version in force since `created_at`, on the evidence of a sealed bundle."""

    activation_id: str
    kind: ActivationKind
    policy_digest: str
    previous_activation_id: str | None
    proposed_by: str
    activated_by: str
    reason: str
    bundle_digest: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A person's wish that a version be put in force in the place of the activation `against`."""

    change_id: str
    kind: ActivationKind
    policy_digest: str
    against: str
    proposed_by: str
    reason: str
    created_at: datetime
    decision: str | None = None
    decided_by: str | None = None
    decision_reason: str | None = None
    decided_at: datetime | None = None


class PolicyTrust(Protocol):
    """Says what of the stored policies may be believed."""

    def open_version(self, version: PolicyVersion) -> PolicySource:
        """Return the text of a version whose signature and digest fit.

        Raises:
            PolicyTrustError: they do not.

        """
        ...

    async def check_newest(
        self, connection: Connection, activation: PolicyActivation | None
    ) -> None:
        """Check that an activation is the last one that the audit log knows.

        Raises:
            PolicyTrustError: it is not.

        """
        ...

    async def check_activation(self, connection: Connection, activation: PolicyActivation) -> None:
        """Check that an activation is what was sealed of it.

        Raises:
            PolicyTrustError: it is not.

        """
        ...


async def lock_policies(connection: Connection) -> None:
    """Let other changes of policies wait until this transaction ends."""
    await connection.execute(QUERIES["lock_policies"])


async def insert_version(connection: Connection, values: dict[str, Any]) -> PolicyVersion:
    """Store a version under the next number, unless its digest is known; return the stored one."""
    await connection.execute(QUERIES["insert_version"], values)
    return await find_version(connection, values["policy_digest"])


async def find_version(connection: Connection, policy_digest: str) -> PolicyVersion:
    """Return a version by its digest.

    Raises:
        PolicyNotFoundError: there is none.

    """
    missing = f"no policy with the digest {policy_digest[:64]!r} is stored"
    row = await _find(connection, "find_version", missing, policy_digest=policy_digest)
    return PolicyVersion(**row)


async def find_numbered_version(connection: Connection, number: int) -> PolicyVersion:
    """Return a version by its number.

    Raises:
        PolicyNotFoundError: there is none.

    """
    missing = f"there is no policy version {number}: eucora policy list"
    return PolicyVersion(
        **await _find(connection, "find_numbered_version", missing, version=number)
    )


async def list_versions(connection: Connection) -> list[PolicyVersion]:
    """Return all versions, the newest first."""
    cursor = await connection.execute(QUERIES["list_versions"])
    return [PolicyVersion(**row) for row in await cursor.fetchall()]


async def insert_activation(connection: Connection, activation: PolicyActivation) -> None:
    """Put a version in force.

    Raises:
        PolicyChangeError: another one followed the same activation first.

    """
    values = {**asdict(activation), "kind": activation.kind.value}
    try:
        await connection.execute(QUERIES["insert_activation"], values)
    except UniqueViolation as error:
        raise PolicyChangeError("another policy was put in force meanwhile; look again") from error


async def find_active(connection: Connection) -> PolicyActivation | None:
    """Return what is in force; None before the first."""
    row = await (await connection.execute(QUERIES["find_active"])).fetchone()
    return None if row is None else _read_activation(row)


async def list_activations(connection: Connection, *, limit: int = 100) -> list[PolicyActivation]:
    """Return which versions were in force, the newest first."""
    cursor = await connection.execute(QUERIES["list_activations"], {"limit": limit})
    return [_read_activation(row) for row in await cursor.fetchall()]


async def find_activation(connection: Connection, activation_id: str) -> PolicyActivation:
    """Return an activation by its id.

    Raises:
        PolicyNotFoundError: there is none.

    """
    missing = (
        f"there is no activation of a policy {activation_id[:64]!r}: eucora policy list has them"
    )
    row = await _find(connection, "find_activation", missing, activation_id=activation_id)
    return _read_activation(row)


async def find_replaced(connection: Connection, change: PolicyChange) -> PolicyActivation | None:
    """Return what a change comes, or came, in the place of; None where nothing was in force.

    That is what is in force while nobody has decided, and what was in force when somebody did.
    """
    if change.decided_at is None:
        return await find_active(connection)
    if change.decision == "activated":
        return await find_activation(connection, change.against)
    cursor = await connection.execute(QUERIES["find_active_at"], {"moment": change.decided_at})
    row = await cursor.fetchone()
    return None if row is None else _read_activation(row)


async def find_previous(connection: Connection, active: PolicyActivation) -> PolicyActivation:
    """Return what a rollback goes back to; what was rolled back is passed over.

    Raises:
        PolicyChangeError: there is nothing before the version in force.
    """
    one, has_active = active, False
    sought: list[str] = []  # digests that were gone back to: what lies between was rolled back
    while True:
        if one.kind is ActivationKind.ROLLBACK:
            if not sought or sought[-1] != one.policy_digest:
                sought.append(one.policy_digest)
        elif not sought or sought[-1] == one.policy_digest or one.previous_activation_id is None:
            del sought[-1:]
            if has_active and not sought:
                return one
            has_active = has_active or not sought
        if one.previous_activation_id is None:
            raise PolicyChangeError("there is no earlier policy to go back to")
        one = await find_activation(connection, one.previous_activation_id)


async def list_unlogged(connection: Connection) -> list[str]:
    """Return in plain words how activations in the database and in the audit log differ."""
    parameters = {"actions": sorted(set(PUT_IN_FORCE.values()))}
    cursor = await connection.execute(QUERIES["list_unlogged"], parameters)
    return [
        f"the activation {row['activation_id']} of a policy is {LOG_DIFFERENCES[row['difference']]}"
        for row in await cursor.fetchall()
    ]


async def insert_change(connection: Connection, change: PolicyChange) -> None:
    """Store a change that waits for a decision.

    Raises:
        PolicyChangeError: somebody has asked for the same, and it waits.

    """
    same = {
        "kind": change.kind.value,
        "policy_digest": change.policy_digest,
        "against": change.against,
    }
    waiting = await (await connection.execute(QUERIES["find_waiting_change"], same)).fetchone()
    if waiting is not None:
        raise PolicyChangeError(
            f"{waiting['change_id']} asks for the same since"
            f" {waiting['created_at']:%Y-%m-%d %H:%M} UTC, by {waiting['proposed_by']}, and waits"
            " for another person's decision: eucora policy activate, or reject, with its id"
        )
    await connection.execute(
        QUERIES["insert_change"], {**asdict(change), "kind": change.kind.value}
    )


async def find_change(connection: Connection, change_id: str) -> PolicyChange:
    """Return a change by its id.

    Raises:
        PolicyNotFoundError: there is none.

    """
    missing = f"there is no policy change {change_id[:64]!r}: eucora policy list has them"
    return _read_change(await _find(connection, "find_change", missing, change_id=change_id))


async def list_changes(connection: Connection, *, limit: int = 50) -> list[PolicyChange]:
    """Return changes, those that wait for a decision first, then the newest."""
    cursor = await connection.execute(QUERIES["list_changes"], {"limit": limit})
    return [_read_change(row) for row in await cursor.fetchall()]


async def decide_change(
    connection: Connection,
    change: PolicyChange,
    decision: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Note a decision on a change.

    Raises:
        PolicyChangeError: somebody has decided already.

    """
    cursor = await connection.execute(
        QUERIES["decide_change"],
        {
            "change_id": change.change_id,
            "decision": decision,
            "decided_by": actor,
            "decision_reason": reason,
            "decided_at": now,
        },
    )
    if cursor.rowcount != 1:
        raise PolicyChangeError(f"somebody has decided on {change.change_id} already")


async def _find(connection: Connection, query: str, missing: str, **values: Any) -> dict[str, Any]:
    """Return the row of a query.

    Raises:
        PolicyNotFoundError: there is none, which is said in the words of `missing`.

    """
    row = await (await connection.execute(QUERIES[query], values)).fetchone()
    if row is None:
        raise PolicyNotFoundError(missing)
    return row


def _read_activation(row: dict[str, Any]) -> PolicyActivation:
    return PolicyActivation(**{**row, "kind": ActivationKind(row["kind"])})


def _read_change(row: dict[str, Any]) -> PolicyChange:
    return PolicyChange(**{**row, "kind": ActivationKind(row["kind"])})
