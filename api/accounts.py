# SPDX-License-Identifier: Apache-2.0
"""Local accounts and their sessions.

Passwords are argon2id hashes; sessions' tokens are stored as SHA-256 only. Failed logins are
throttled by name and by address. Every change is audited; that a session was used is noted without
an event. What an administrator changes of accounts that exist is in `account_changes`.
"""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from api.errors import ForbiddenError, InvalidRequestError, NotAuthenticatedError, ThrottledError
from contracts.canonical import sha256_hex
from governance.roles import DECIDING_ROLES
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "accounts")
THROTTLE_WINDOW = timedelta(minutes=5)
MAX_FAILURES_PER_NAME = 5
MAX_FAILURES_PER_ADDRESS = 30
IDLE_LIMIT = timedelta(minutes=60)
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 512
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
# A hash takes 64 MiB and 50 ms of a core: who floods the login must not stop everything else.
MAX_HASHES_AT_ONCE = 2
MAX_LOGINS_AT_ONCE = 6


class Role(StrEnum):
    """What a person may be."""

    HELPDESK = "helpdesk"
    APPROVER = "approver"
    SECURITY_REVIEWER = "security_reviewer"
    DATA_SCIENTIST = "data_scientist"
    AUDITOR = "auditor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is logged in."""

    username: str
    display_name: str
    roles: frozenset[str]
    csrf_token: str
    authenticated_at: datetime

    @property
    def actor(self) -> str:
        """The name under which this person's deeds are audited."""
        return f"user:{self.username}"

    def require(self, *roles: Role) -> None:
        """Check that the person has one of the roles; an admin counts as any that decides nothing.

        Who gives out roles is neither approver nor security reviewer by that: see
        `governance.roles`.

        Raises:
            ForbiddenError: no.
        """
        allowed = {role.value for role in roles}
        if not allowed <= DECIDING_ROLES:
            allowed.add(Role.ADMIN.value)
        if not self.roles & allowed:
            words = " or ".join(role.replace("_", " ") for role in sorted(allowed))
            raise ForbiddenError(f"this needs the role {words}")


class Accounts:
    """Keeps accounts and sessions. The caller owns the transaction."""

    def __init__(self, *, clock: Clock, audit: AuditIntake, session_lifetime: timedelta) -> None:
        self._clock = clock
        self._audit = audit
        self._session_lifetime = session_lifetime
        self._hasher = PasswordHasher()
        self._hashing = asyncio.Semaphore(MAX_HASHES_AT_ONCE)
        self._logins = asyncio.Semaphore(MAX_LOGINS_AT_ONCE)
        # Verified when the name is unknown, so that time does not tell which names exist.
        self._decoy_hash = self._hasher.hash(secrets.token_urlsafe(16))

    async def create(
        self,
        connection: Connection,
        *,
        username: str,
        password: str,
        roles: frozenset[Role],
        display_name: str = "",
        actor: str,
        correlation_id: str,
    ) -> None:
        """Add an account.

        Raises:
            InvalidRequestError: the name is taken or malformed, or the password too short or long.
        """
        check_name("a user name", username)
        password_hash = await self._hash(password)
        row = await (
            await connection.execute(
                QUERIES["insert_account"],
                {
                    "username": username,
                    "display_name": display_name or username,
                    "password_hash": password_hash,
                    "roles": sorted(role.value for role in roles),
                    "now": self._clock.now(),
                },
            )
        ).fetchone()
        if row is None:
            raise InvalidRequestError(f"there is an account {username} already")
        await record_change(
            connection, audit=self._audit, actor=actor, action="account.created",
            subject_id=username, correlation_id=correlation_id,
            after={"roles": sorted(role.value for role in roles)},
        )  # fmt: skip

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise InvalidRequestError(
                f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
            )
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def set_password(
        self,
        connection: Connection,
        *,
        username: str,
        password: str,
        actor: str,
        correlation_id: str,
    ) -> None:
        """Replace a password and end the person's sessions.

        Raises:
            InvalidRequestError: no such account, or the password is too short or too long.
        """
        password_hash = await self._hash(password)
        row = await (
            await connection.execute(
                QUERIES["set_password"],
                {"username": username, "password_hash": password_hash},
            )
        ).fetchone()
        if row is None:
            raise InvalidRequestError(f"there is no account {username}")
        await end_sessions(connection, username)
        await record_change(
            connection, audit=self._audit, actor=actor, action="account.password_changed",
            subject_id=username, correlation_id=correlation_id,
        )  # fmt: skip

    async def count(self, connection: Connection) -> int:
        """Return how many accounts there are."""
        row = await (await connection.execute(QUERIES["count_accounts"])).fetchone()
        return int(row["n_accounts"]) if row else 0

    async def list(self, connection: Connection) -> list[dict[str, Any]]:
        """Return all accounts without their hashes."""
        return await (await connection.execute(QUERIES["list_accounts"])).fetchall()

    async def log_in(
        self,
        connection: Connection,
        *,
        username: str,
        password: str,
        address: str,
        correlation_id: str,
    ) -> str | None:
        """Return a new session's token, or None where name or password is wrong.

        A failed attempt is recorded in the caller's transaction: commit it either way. Attempts
        for one name, and from one address, wait for each other, so that many at once are counted
        as strictly as one after the other.

        Raises:
            ThrottledError: too many failures lately, or too many attempts at once; the password
                was not looked at.
        """
        if self._logins.locked():
            raise ThrottledError("Too many logins at once; try again in a moment.")
        async with self._logins:
            return await self._try_password(connection, username, password, address, correlation_id)

    async def _try_password(
        self,
        connection: Connection,
        username: str,
        password: str,
        address: str,
        correlation_id: str,
    ) -> str | None:
        now = self._clock.now()
        await self._throttle(connection, username, address, now)
        account = await (
            await connection.execute(QUERIES["find_account"], {"username": username})
        ).fetchone()
        stored = account["password_hash"] if account else self._decoy_hash
        known = await self._matches(stored, password) and account is not None
        await connection.execute(
            QUERIES["record_attempt"],
            {
                "username": username if account else _digest_name(username),
                "address": address,
                "succeeded": known,
                "now": now,
            },
        )
        # What is no account's name may be a password typed into the wrong field.
        subject = username if account else "unknown"
        await record_change(
            connection, audit=self._audit, actor=f"user:{subject}",
            action="session.opened" if known else "session.refused",
            subject_id=subject, correlation_id=correlation_id,
        )  # fmt: skip
        if not known:
            return None
        token = secrets.token_urlsafe(32)
        await connection.execute(
            QUERIES["insert_session"],
            {
                "session_sha256": sha256_hex(token.encode()),
                "username": username,
                "csrf_token": secrets.token_urlsafe(32),
                "now": now,
                "expires_at": now + self._session_lifetime,
            },
        )
        return token

    async def _matches(self, stored: str, password: str) -> bool:
        if len(password) > MAX_PASSWORD_LENGTH:
            return False
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, stored, password)
            except (VerifyMismatchError, InvalidHashError):
                return False

    async def _throttle(
        self, connection: Connection, username: str, address: str, now: datetime
    ) -> None:
        attempt = {"username": username, "address": address}
        since = now - THROTTLE_WINDOW
        await connection.execute(QUERIES["lock_attempts"], attempt)
        await connection.execute(QUERIES["forget_attempts"], {"since": since})
        row = await (
            await connection.execute(
                QUERIES["count_failures"],
                {
                    **attempt,
                    "name_digest": _digest_name(username),
                    "since": since,
                },
            )
        ).fetchone()
        if row and (
            row["by_username"] >= MAX_FAILURES_PER_NAME
            or row["by_address"] >= MAX_FAILURES_PER_ADDRESS
        ):
            raise ThrottledError

    async def find_person(self, connection: Connection, token: str) -> Person:
        """Return the person of a live session and note its use.

        Raises:
            NotAuthenticatedError: the session is unknown, idle too long or expired.
        """
        now = self._clock.now()
        digest = sha256_hex(token.encode())
        row = await (
            await connection.execute(
                QUERIES["find_session"],
                {"session_sha256": digest, "now": now, "idle_since": now - IDLE_LIMIT},
            )
        ).fetchone()
        if row is None:
            raise NotAuthenticatedError
        await connection.execute(QUERIES["touch_session"], {"session_sha256": digest, "now": now})
        return Person(
            username=row["username"],
            display_name=row["display_name"],
            roles=frozenset(row["roles"]),
            csrf_token=row["csrf_token"],
            authenticated_at=row["created_at"],
        )

    async def log_out(
        self, connection: Connection, *, token: str, person: Person, correlation_id: str
    ) -> None:
        """End a session."""
        await connection.execute(
            QUERIES["delete_session"], {"session_sha256": sha256_hex(token.encode())}
        )
        await record_change(
            connection, audit=self._audit, actor=person.actor, action="session.closed",
            subject_id=person.username, correlation_id=correlation_id,
        )  # fmt: skip


async def end_sessions(connection: Connection, username: str) -> None:
    """Log a person out everywhere."""
    await connection.execute(QUERIES["delete_sessions"], {"username": username})


async def record_change(
    connection: Connection,
    *,
    audit: AuditIntake,
    actor: str,
    action: str,
    subject_id: str,
    correlation_id: str,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Audit what was done to an account, a session or a token: the action's name begins with it."""
    await audit.record(
        connection,
        actor=actor,
        action=action,
        subject_kind=action.split(".", 1)[0],
        subject_id=subject_id or "-",
        correlation_id=correlation_id,
        after=dict(after or {}),
    )


def _digest_name(username: str) -> str:
    return f"sha256:{sha256_hex(username.encode())}"


def check_name(what: str, name: str) -> None:
    """Check the form of a name.

    Raises:
        InvalidRequestError: it is empty, too long or has other characters.
    """
    if not NAME.fullmatch(name):
        raise InvalidRequestError(f"{what} has 1 to 64 characters: a-z, A-Z, 0-9, '.', '_' and '-'")
