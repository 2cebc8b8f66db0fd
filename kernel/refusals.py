# SPDX-License-Identifier: Apache-2.0
"""Audits refused attempts, so that rolling back the request does not hide them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from kernel.audit import AuditIntake
from kernel.database import Pool

MAX_DETAIL_CHARACTERS: Final = 2000


class RefusalAudit:
    """Writes each refusal in a transaction of its own.

    Args:
        pool: a small one of its own: a request that is refused holds its own connection
            meanwhile, so a shared pool could run dry.

    """

    def __init__(self, pool: Pool, audit: AuditIntake) -> None:
        self._pool = pool
        self._audit = audit

    @asynccontextmanager
    async def guard(
        self,
        actions: Mapping[type[Exception], str],
        *,
        actor: str,
        subject_kind: str,
        subject_id: str,
        correlation_id: str,
        details: Mapping[str, Any] | None = None,
        mask: Callable[[str], Awaitable[str]] | None = None,
    ) -> AsyncIterator[None]:
        """Audit an error of the block that is a refusal, and let it pass on.

        Args:
            actions: what the event is called, by the kind of error; the first that fits.
            actor: who was refused.
            subject_kind: what kind of thing was to be changed.
            subject_id: which one.
            correlation_id: of the request; the subject's id stands for an empty one.
            details: what else the event says, read when it is written.
            mask: makes of the error's words what may be kept; without it they are kept as they are.

        """
        try:
            yield
        except tuple(actions) as refusal:
            action = next(name for kind, name in actions.items() if isinstance(refusal, kind))
            detail = str(refusal) if mask is None else await mask(str(refusal))
            async with self._pool.connection() as connection:
                await self._audit.record(
                    connection,
                    actor=actor,
                    action=action,
                    subject_kind=subject_kind,
                    subject_id=subject_id,
                    correlation_id=correlation_id or subject_id,
                    after={
                        "refusal": getattr(refusal, "code", type(refusal).__name__),
                        "detail": detail[:MAX_DETAIL_CHARACTERS],
                        **(details or {}),
                    },
                )
            raise
