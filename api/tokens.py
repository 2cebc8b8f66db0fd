# SPDX-License-Identifier: Apache-2.0
"""Tokens of services and for the enrolment of devices; only their SHA-256 is stored.

Every change is audited.
"""

import secrets
from datetime import timedelta
from typing import Any

from api.accounts import check_name, record_change
from api.errors import ForbiddenError, InvalidRequestError, NotAuthenticatedError
from api.scopes import Scope
from contracts.canonical import sha256_hex
from kernel.audit import AuditIntake
from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "tokens")
ENROLMENT_LIFETIME = timedelta(hours=1)


class Tokens:
    """Keeps tokens. The caller owns the transaction."""

    def __init__(self, *, clock: Clock, audit: AuditIntake) -> None:
        self._clock = clock
        self._audit = audit

    async def create_service_token(
        self,
        connection: Connection,
        *,
        name: str,
        scopes: frozenset[str],
        actor: str,
        correlation_id: str,
    ) -> str:
        """Return a new token for a service; an older one of that name stops working.

        Raises:
            InvalidRequestError: the name is malformed.
        """
        check_name("a service's name", name)
        token = secrets.token_urlsafe(32)
        await connection.execute(
            QUERIES["insert_service_token"],
            {
                "token_sha256": sha256_hex(token.encode()),
                "name": name,
                "scopes": sorted(scopes),
                "now": self._clock.now(),
                "created_by": actor,
            },
        )
        await record_change(
            connection,
            audit=self._audit,
            actor=actor,
            action="service_token.created",
            subject_id=name,
            correlation_id=correlation_id,
            after={"scopes": sorted(scopes)},
        )
        return token

    async def revoke_service_token(
        self, connection: Connection, *, name: str, actor: str, correlation_id: str
    ) -> None:
        """Take a service's token out of use at once.

        Raises:
            InvalidRequestError: the service has no token that works.
        """
        cursor = await connection.execute(
            QUERIES["revoke_service_token"], {"name": name, "now": self._clock.now()}
        )
        if await cursor.fetchone() is None:
            raise InvalidRequestError(
                f"no service {name} has a token in use; eucora account list shows those that do"
            )
        await record_change(
            connection,
            audit=self._audit,
            actor=actor,
            action="service_token.revoked",
            subject_id=name,
            correlation_id=correlation_id,
        )

    async def list_services(self, connection: Connection) -> list[dict[str, Any]]:
        """Return the services with a token in use: name, scopes, who made it and when."""
        return await (await connection.execute(QUERIES["list_service_tokens"])).fetchall()

    async def find_service(self, connection: Connection, token: str, scope: Scope) -> str:
        """Return the service's name if its token carries the scope.

        Raises:
            NotAuthenticatedError: the token is unknown or revoked.
            ForbiddenError: it lacks the scope.
        """
        row = await (
            await connection.execute(
                QUERIES["find_service_token"], {"token_sha256": sha256_hex(token.encode())}
            )
        ).fetchone()
        if row is None:
            raise NotAuthenticatedError("the token is unknown or revoked")
        if scope not in row["scopes"]:
            raise ForbiddenError(f"the token lacks the scope {scope}")
        return str(row["name"])

    async def create_enrolment_token(
        self, connection: Connection, *, actor: str, correlation_id: str
    ) -> str:
        """Return a token with which one device may enrol within the hour."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        await connection.execute(
            QUERIES["insert_enrolment_token"],
            {
                "token_sha256": sha256_hex(token.encode()),
                "created_by": actor,
                "now": now,
                "expires_at": now + ENROLMENT_LIFETIME,
            },
        )
        await record_change(
            connection,
            audit=self._audit,
            actor=actor,
            action="enrolment_token.created",
            subject_id=sha256_hex(token.encode())[:12],
            correlation_id=correlation_id,
        )
        return token

    async def use_enrolment_token(
        self, connection: Connection, *, token: str, device_id: str, correlation_id: str
    ) -> str:
        """Spend a token and return who made it.

        Raises:
            NotAuthenticatedError: it is unknown, spent or expired.
        """
        row = await (
            await connection.execute(
                QUERIES["use_enrolment_token"],
                {
                    "token_sha256": sha256_hex(token.encode()),
                    "device_id": device_id,
                    "now": self._clock.now(),
                },
            )
        ).fetchone()
        if row is None:
            raise NotAuthenticatedError("the enrolment token is unknown, spent or expired")
        await record_change(
            connection,
            audit=self._audit,
            actor=str(row["created_by"]),
            action="enrolment_token.spent",
            subject_id=sha256_hex(token.encode())[:12],
            correlation_id=correlation_id,
            after={"device_id": device_id},
        )
        return str(row["created_by"])


async def find_token_maker(connection: Connection, actor: str) -> str:
    """Return who made the token of a `service:NAME`; "" for a person or an unknown service."""
    kind, _, name = actor.partition(":")
    if kind != "service":
        return ""
    cursor = await connection.execute(QUERIES["find_token_maker"], {"name": name})
    row = await cursor.fetchone()
    return str(row["created_by"]) if row else ""
