# SPDX-License-Identifier: Apache-2.0
"""What administrators change of others' accounts: roles, disabling, enabling. Each is audited.

Nobody changes their own, and one administrator is always left who can log in.
"""

from typing import Any

from api.accounts import Role, end_sessions, record_change
from api.errors import InvalidRequestError
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "account_changes")


class AccountChanges:
    """Changes accounts. The caller owns the transaction."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def change_roles(
        self,
        connection: Connection,
        *,
        username: str,
        roles: frozenset[Role],
        actor: str,
        correlation_id: str,
    ) -> None:
        """Give an account other roles, which count from the next request on.

        Raises:
            InvalidRequestError: no such account, one's own, or no administrator would be left.
        """
        account = await self._lock_other(
            connection, username, actor, keeps_admin=Role.ADMIN in roles
        )
        words = sorted(role.value for role in roles)
        await connection.execute(QUERIES["set_roles"], {"username": username, "roles": words})
        await record_change(
            connection, audit=self._audit, actor=actor, action="account.roles_changed",
            subject_id=username, correlation_id=correlation_id,
            after={"roles": words, "before": sorted(account["roles"])},
        )  # fmt: skip

    async def disable(
        self, connection: Connection, *, username: str, actor: str, correlation_id: str
    ) -> None:
        """End a person's sessions and let them log in no more. What they decided stays decided.

        Raises:
            InvalidRequestError: no such account, one's own, it is disabled already, or no
                administrator would be left.
        """
        account = await self._lock_other(connection, username, actor, keeps_admin=False)
        if account["disabled_at"] is not None:
            raise InvalidRequestError(f"the account {username} is disabled already")
        await connection.execute(
            QUERIES["set_disabled"], {"username": username, "disabled_at": self._clock.now()}
        )
        await end_sessions(connection, username)
        await record_change(
            connection, audit=self._audit, actor=actor, action="account.disabled",
            subject_id=username, correlation_id=correlation_id,
        )  # fmt: skip

    async def enable(
        self, connection: Connection, *, username: str, actor: str, correlation_id: str
    ) -> None:
        """Let a disabled account log in again, with the password and the roles it had.

        Raises:
            InvalidRequestError: no such account, one's own, or it is not disabled.
        """
        account = await self._lock_other(connection, username, actor)
        if account["disabled_at"] is None:
            raise InvalidRequestError(f"the account {username} is not disabled")
        await connection.execute(
            QUERIES["set_disabled"], {"username": username, "disabled_at": None}
        )
        await record_change(
            connection, audit=self._audit, actor=actor, action="account.enabled",
            subject_id=username, correlation_id=correlation_id,
        )  # fmt: skip

    async def _lock_other(
        self, connection: Connection, username: str, actor: str, *, keeps_admin: bool = True
    ) -> dict[str, Any]:
        if actor == f"user:{username}":
            raise InvalidRequestError(
                "you cannot change your own account: ask another administrator"
            )
        cursor = await connection.execute(QUERIES["lock_accounts"], {"username": username})
        held = {row["username"]: row for row in await cursor.fetchall()}
        if username not in held:
            raise InvalidRequestError(f"there is no account {username}")
        if not keeps_admin and held.keys() == {username} and Role.ADMIN in held[username]["roles"]:
            raise InvalidRequestError(
                f"{username} is the only administrator: make another one first"
            )
        return held[username]
