# SPDX-License-Identifier: Apache-2.0
"""Promotion: a person makes a registered version the champion, and PostgreSQL remembers who.

The audit event is written first and committed last: an alias that moved has its event, unless
the process is killed in between, and then MLflow still shows the move. Who may is decided at the
way in; a comparison gate is not here yet.
"""

import asyncio

from kernel.audit import AuditIntake
from kernel.database import Connection
from models.errors import UnknownModelError
from models.registry import CHAMPION, ModelRegistry, ModelVersion


async def promote(
    connection: Connection,
    *,
    registry: ModelRegistry,
    audit: AuditIntake,
    name: str,
    version: str,
    actor: str,
    correlation_id: str,
) -> str | None:
    """Make a version the champion; return the version that was the champion before.

    Raises:
        UnknownModelError: no such version.
        ModelArtifactError: its file cannot be loaded safely.

    """
    versions = await asyncio.to_thread(registry.list_versions, name)
    before = next((item for item in versions if CHAMPION in item.aliases), None)
    after = next((item for item in versions if item.version == version), None)
    if after is None:
        message = f"no model {name!r} with version {version!r}"
        raise UnknownModelError(message)
    await audit.record(
        connection,
        actor=actor,
        action="model.promoted",
        subject_kind="model",
        subject_id=name,
        correlation_id=correlation_id,
        before=_describe(before),
        after=_describe(after),
    )
    await asyncio.to_thread(registry.promote, name, version)
    return None if before is None else before.version


def _describe(item: ModelVersion | None) -> dict[str, object]:
    if item is None:
        return {"champion": None}
    return {"champion": item.version, "digest": item.digest, "metrics": dict(item.metrics)}
