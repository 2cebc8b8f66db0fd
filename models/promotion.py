# SPDX-License-Identifier: Apache-2.0
"""Promotion: a person makes a registered version the champion, and PostgreSQL remembers who.

MLflow's alias is in another database than the audit trail, so the attempt is audited before it
is made and its end after it: a `model.promotion_started` without an end was killed in between, and
MLflow shows whether the alias moved. Who may is decided at the way in; a version that was judged
beside the champion must be better by `models.gate`.
"""

import asyncio
from dataclasses import dataclass

from kernel.audit import AuditIntake
from kernel.database import Pool
from kernel.queries import load_queries
from models.errors import ModelError, PromotionRefusedError, UnknownModelError
from models.gate import explain_refusal
from models.registry import CHAMPION, ModelRegistry, ModelVersion

QUERIES = load_queries(__file__, "promotion")


async def promote(
    pool: Pool,
    *,
    registry: ModelRegistry,
    audit: AuditIntake,
    name: str,
    version: str,
    actor: str,
    correlation_id: str,
) -> str | None:
    """Make a version the champion; return the version that was the champion before.

    Takes two connections of the pool. Promotions of one model take turns.

    Raises:
        UnknownModelError: no such version.
        PromotionRefusedError: it is not known to be better than the champion.
        ModelArtifactError: its file cannot be loaded safely.
        RegistryError: MLflow cannot be reached.

    """
    trail = _Trail(pool=pool, audit=audit, name=name, actor=actor, correlation_id=correlation_id)
    async with pool.connection() as turn:
        await turn.execute(QUERIES["lock_model"], {"name": name})
        versions = await asyncio.to_thread(registry.list_versions, name)
        before = next((item for item in versions if CHAMPION in item.aliases), None)
        after = next((item for item in versions if item.version == version), None)
        if after is None:
            raise UnknownModelError(f"no model {name!r} with version {version!r}")
        if CHAMPION not in after.aliases and (refusal := explain_refusal(after.metrics)):
            await trail.record("model.promotion_refused", before, after, failure=refusal)
            raise PromotionRefusedError(f"{name} {version}: {refusal}")
        await trail.record("model.promotion_started", before, after)
        try:
            await asyncio.to_thread(registry.promote, name, version)
        except ModelError as error:
            await trail.record("model.promotion_failed", before, after, failure=str(error))
            raise
        await trail.record("model.promoted", before, after)
    return None if before is None else before.version


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trail:
    """Audits the steps of one promotion, each in a transaction of its own."""

    pool: Pool
    audit: AuditIntake
    name: str
    actor: str
    correlation_id: str

    async def record(
        self, action: str, before: ModelVersion | None, after: ModelVersion, *, failure: str = ""
    ) -> None:
        async with self.pool.connection() as connection:
            await self.audit.record(
                connection,
                actor=self.actor,
                action=action,
                subject_kind="model",
                subject_id=self.name,
                correlation_id=self.correlation_id,
                before=_describe(before),
                after=_describe(after) | ({"failure": failure} if failure else {}),
            )


def _describe(item: ModelVersion | None) -> dict[str, object]:
    if item is None:
        return {"champion": None}
    return {"champion": item.version, "digest": item.digest, "metrics": dict(item.metrics)}
