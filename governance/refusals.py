# SPDX-License-Identifier: Apache-2.0
"""Audits refused attempts, so that rolling back the request does not hide them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from governance.errors import RefusalError
from kernel.audit import AuditIntake
from kernel.database import Pool


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
        action: str,
        *,
        actor: str,
        proposal_id: str,
        correlation_id: str,
        details: Mapping[str, Any],
        subject_kind: str = "proposal",
    ) -> AsyncIterator[None]:
        """Audit a `RefusalError` of the block under `action`, and let it pass on.

        What is no proposal's says so in `subject_kind`; its id takes the place of a proposal's.
        """
        try:
            yield
        except RefusalError as refusal:
            async with self._pool.connection() as connection:
                await self._audit.record(
                    connection,
                    actor=actor,
                    action=action,
                    subject_kind=subject_kind,
                    subject_id=proposal_id,
                    correlation_id=correlation_id or proposal_id,
                    after={"refusal": refusal.code, "detail": str(refusal), **details},
                )
            raise
