# SPDX-License-Identifier: Apache-2.0
"""Joins models and evidence where a version is put to use: compare, promote, roll back, export.

One transaction holds the row that names the champion, its audit event and its sealed bundle; when
it commits, running servers and workers are told. MLflow's alias is moved after that; where that
fails, who watches for promotions moves it later.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from api.ground import Ground, open_registry
from api.model_comparison import ModelComparison
from api.promotion_case import Decision, compose_case, describe_comparison
from evidence.statement import StatementKind
from kernel.database import Connection
from kernel.logs import get_logger
from kernel.refusals import RefusalAudit
from models.errors import ModelError, PromotionRefusedError, UnknownModelError
from models.gate import Comparison
from models.mlflow_runs import CARD_FILE
from models.promotion import (
    Promotion,
    PromotionKind,
    check_in_use,
    check_promotion,
    check_rollback,
    find_previous,
    insert_promotion,
    list_champions,
    list_promotions,
    lock_model,
)
from models.registered_versions import ModelVersion
from models.registry import CHALLENGER, CHAMPION, ModelRegistry
from models.training import JUDGEMENTS_FILE

__all__ = ["ComparedVersions", "Decision", "ModelPromotions", "describe_comparison"]

_logger = get_logger(__name__)
SUBJECT = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedVersions:
    """Two versions of a model and the gate's answer; `before` is None without a champion.

    `in_use` is the newest promotion at that moment: what a decision on this comparison is against.
    """

    in_use: Promotion | None
    before: ModelVersion | None
    after: ModelVersion
    comparison: Comparison

    @property
    def is_with_champion(self) -> bool:
        """Whether what is compared is the champion, if there is one, with another version."""
        return self.in_use is None or (
            self.before is not None
            and _names_version(self.in_use, self.before)
            and not _names_version(self.in_use, self.after)
        )


class ModelPromotions:
    """Puts versions to use, on evidence."""

    def __init__(self, ground: Ground, registry: ModelRegistry | None = None) -> None:
        self._ground = ground
        self._registry = registry or open_registry(ground)
        self._comparison = ModelComparison(self._registry)

    async def compare(
        self, name: str, before: str | None = None, after: str | None = None, *, measure: bool
    ) -> ComparedVersions:
        """Compare two versions; by default the champion, and the challenger or the newest.

        Args:
            name: of the model.
            before: version that is in use; the champion if None.
            after: version that might be.
            measure: time single answers of both now, here, instead of trusting the training's.

        Raises:
            UnknownModelError: no such version, or none to compare with.
            RegistryError: MLflow did not answer.
        """
        async with self._ground.pool.connection() as connection:
            in_use = (await list_champions(connection)).get(name)
        versions = await asyncio.to_thread(self._registry.list_versions, name)
        if not versions:
            raise UnknownModelError(f"no model {name!r}; train it first")
        versions = _name_promoted(versions, in_use)
        champion = before or (in_use.version if in_use else None) or _find_alias(versions, CHAMPION)
        challenger = after or _find_alias(versions, CHALLENGER) or versions[0].version
        first = None if champion is None else _pick(versions, name, champion)
        if before is None and first is not None and first.version == challenger:
            if after is None:
                raise UnknownModelError(
                    f"version {challenger} of {name} is the champion, and there is no challenger:"
                    f" eucora train {name} makes one"
                )
            first = None
        second = _pick(versions, name, challenger)
        comparison = await asyncio.to_thread(
            self._comparison.compare, first, second, measure=measure
        )
        return ComparedVersions(in_use=in_use, before=first, after=second, comparison=comparison)

    async def is_in_use(self, name: str, version: str) -> bool:
        """Tell whether a version is the champion, with the very file that was promoted.

        Raises:
            UnknownModelError: no such version.
            RegistryError: MLflow did not answer.
        """
        async with self._ground.pool.connection() as connection:
            in_use = (await list_champions(connection)).get(name)
        versions = await asyncio.to_thread(self._registry.list_versions, name)
        return _names_version(in_use, _pick(versions, name, version))

    async def promote(self, name: str, version: str, decision: Decision) -> Promotion:
        """Make a version the champion. Promotions of one model take turns.

        Raises:
            UnknownModelError: no such version.
            PromotionRefusedError: the gate or the circumstances forbid it, or the champion is
                another than the one that was decided against; audited.
            ModelArtifactError: its file cannot be loaded safely; audited.
            RegistryError: MLflow cannot be reached.
        """
        async with self._ground.pool.connection() as connection:
            await lock_model(connection, name)
            versions = await asyncio.to_thread(self._registry.list_versions, name)
            after = _pick(versions, name, version)
            async with self._auditing_refusals(name, decision, _describe(after)):
                in_use = (await list_champions(connection)).get(name)
                check_in_use(in_use, decision.against, name=name)
                before = await self._find_in_use(connection, name, versions, decision)
                _refuse_what_is_in_use(before, after)
                comparison = await asyncio.to_thread(
                    self._comparison.compare, _match(versions, before), after,
                    measure=False, has_champion=before is not None,
                )  # fmt: skip
                check_promotion(
                    comparison.verdict, actor=decision.actor, reason=decision.reason,
                    override=decision.override, label=f"{name} {version}",
                )  # fmt: skip
                await asyncio.to_thread(
                    self._registry.load_version, name, version, digest=after.digest
                )
                promotion = await self._record(
                    connection, PromotionKind.PROMOTION, after, before, comparison, decision
                )
        await mirror_newest(self._ground, self._registry, name)
        return promotion

    async def roll_back(self, name: str, decision: Decision) -> Promotion:
        """Go back to the champion before the present one.

        Raises:
            PromotionRefusedError: there is none, no person decides, or gives no reason, or the
                champion is another than the one that was decided against; audited.
            UnknownModelError, ModelArtifactError, RegistryError: it cannot be loaded any more;
                audited.
        """
        async with self._ground.pool.connection() as connection:
            await lock_model(connection, name)
            history = await list_promotions(connection, name, limit=None)
            target_facts = _describe(None)
            async with self._auditing_refusals(name, decision, target_facts):
                check_rollback(actor=decision.actor, reason=decision.reason, label=name)
                check_in_use(history[0] if history else None, decision.against, name=name)
                target = find_previous(history)
                versions = await asyncio.to_thread(self._registry.list_versions, name)
                after = replace(_pick(versions, name, target.version), digest=target.digest)
                target_facts |= _describe(after)
                comparison = await asyncio.to_thread(
                    self._comparison.compare, _match(versions, history[0]), after, measure=False
                )
                await asyncio.to_thread(
                    self._registry.load_version, name, target.version, digest=target.digest
                )
                promotion = await self._record(
                    connection, PromotionKind.ROLLBACK, after, history[0], comparison, decision,
                    restored=target,
                )  # fmt: skip
        await mirror_newest(self._ground, self._registry, name)
        return promotion

    async def record_first(self, name: str, decision: Decision) -> Promotion | None:
        """Record the champion that MLflow knows, where no promotion names one yet.

        Returns None where there is nothing to record.
        """
        async with self._ground.pool.connection() as connection:
            await lock_model(connection, name)
            if name in await list_champions(connection):
                return None
            versions = await asyncio.to_thread(self._registry.list_versions, name)
            return await self._find_in_use(connection, name, versions, decision)

    async def _find_in_use(
        self,
        connection: Connection,
        name: str,
        versions: list[ModelVersion],
        decision: Decision,
    ) -> Promotion | None:
        """Return the promotion that names the champion; records a first one that has none."""
        known = (await list_champions(connection)).get(name)
        alias = _find_alias(versions, CHAMPION)
        if known is not None or alias is None:
            return known
        first = _pick(versions, name, alias)
        comparison = await asyncio.to_thread(self._comparison.compare, None, first, measure=False)
        noted = replace(decision, reason="the first version, in use since it was trained")
        return await self._record(connection, PromotionKind.FIRST, first, None, comparison, noted)

    async def _record(
        self,
        connection: Connection,
        kind: PromotionKind,
        after: ModelVersion,
        before: Promotion | None,
        comparison: Comparison,
        decision: Decision,
        restored: Promotion | None = None,
    ) -> Promotion:
        """Seal, store and audit a promotion in the caller's transaction."""
        promotion = Promotion(
            promotion_id=self._ground.ids.new("mpr"),
            name=after.name,
            version=after.version,
            digest=after.digest,
            previous_version=before.version if before else None,
            previous_digest=before.digest if before else None,
            kind=kind,
            verdict=comparison.verdict.outcome,
            actor=decision.actor,
            reason=decision.reason,
            bundle_digest="",
            created_at=self._ground.clock.now(),
            previous_id=before.promotion_id if before else None,
            restored_id=restored.promotion_id if restored else None,
        )
        sealed = await self._seal(connection, promotion, after, comparison, decision)
        promotion = replace(promotion, bundle_digest=sealed)
        await insert_promotion(connection, promotion)
        await self._audit(connection, promotion, decision)
        return promotion

    async def _seal(
        self,
        connection: Connection,
        promotion: Promotion,
        after: ModelVersion,
        comparison: Comparison,
        decision: Decision,
    ) -> str:
        """Seal what speaks for a promotion; return the bundle's digest."""
        files = await asyncio.to_thread(self._read_files, after)
        sealed = await self._ground.sealer.seal_lone(
            connection,
            kind=StatementKind.PROMOTION,
            lone_id=promotion.promotion_id,
            digest=promotion.digest,
            case=compose_case(promotion, after, comparison, decision, files),
            files=files,
            actor=decision.actor,
            correlation_id=decision.correlation_id,
        )
        return sealed.digest

    async def _audit(
        self, connection: Connection, promotion: Promotion, decision: Decision
    ) -> None:
        is_rollback = promotion.kind is PromotionKind.ROLLBACK
        await self._ground.audit.record(
            connection,
            actor=promotion.actor,
            action="model.rolled_back" if is_rollback else "model.promoted",
            subject_kind=SUBJECT,
            subject_id=promotion.name,
            correlation_id=decision.correlation_id,
            before={
                "champion": promotion.previous_version,
                "promotion_id": promotion.previous_id,
            },
            after={
                "champion": promotion.version,
                "digest": promotion.digest,
                "promotion_id": promotion.promotion_id,
                "verdict": promotion.verdict.value,
                "reason": promotion.reason,
            },
            evidence=(promotion.bundle_digest,),
        )

    def _auditing_refusals(
        self, name: str, decision: Decision, facts: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[None]:
        return RefusalAudit(self._ground.refusals, self._ground.audit).guard(
            {
                PromotionRefusedError: "model.promotion_refused",
                ModelError: "model.promotion_failed",
            },
            actor=decision.actor,
            subject_kind=SUBJECT,
            subject_id=name,
            correlation_id=decision.correlation_id,
            details=facts,
        )

    def _read_files(self, version: ModelVersion) -> dict[str, bytes]:
        found = {
            name: self._registry.read_evaluation(version.name, version.version, name)
            for name in (CARD_FILE, JUDGEMENTS_FILE)
        }
        return {name: content for name, content in found.items() if content is not None}


def _describe(version: ModelVersion | None) -> dict[str, Any]:
    return {"version": version and version.version, "digest": version and version.digest}


async def mirror_newest(ground: Ground, registry: ModelRegistry, name: str) -> None:
    """Let MLflow's alias follow the newest promotion; where that fails, somebody does it later.

    In turn with promotions, so that one which was overtaken never moves the alias back.
    """
    try:
        async with ground.pool.connection() as connection:
            await lock_model(connection, name)
            newest = (await list_champions(connection)).get(name)
            if newest is not None:
                await asyncio.to_thread(registry.mirror_champion, name, newest.version)
    except (ModelError, psycopg.OperationalError, PoolTimeout) as error:
        _logger.warning(
            "MLflow's alias is behind", action="model.mirror", decision="later", exc_info=error
        )


def _refuse_what_is_in_use(before: Promotion | None, after: ModelVersion) -> None:
    """Raise PromotionRefusedError where this version, with this very file, is the champion."""
    if _names_version(before, after):
        raise PromotionRefusedError(f"{after.name} {after.version} is the champion already")


def _names_version(promotion: Promotion | None, version: ModelVersion) -> bool:
    return promotion is not None and (
        (promotion.version, promotion.digest) == (version.version, version.digest)
    )


def _name_promoted(versions: list[ModelVersion], in_use: Promotion | None) -> list[ModelVersion]:
    """Return the versions, the champion's with the digest that it was promoted with."""
    champion = _match(versions, in_use)
    return [champion if champion and one.version == champion.version else one for one in versions]


def _find_alias(versions: list[ModelVersion], alias: str) -> str | None:
    return next((one.version for one in versions if alias in one.aliases), None)


def _pick(versions: list[ModelVersion], name: str, version: str) -> ModelVersion:
    for one in versions:
        if one.version == version:
            return one
    raise UnknownModelError(f"no model {name!r} with version {version!r}")


def _match(versions: list[ModelVersion], promotion: Promotion | None) -> ModelVersion | None:
    """Return the version that a promotion names, with the digest that it was promoted with."""
    if promotion is None:
        return None
    for one in versions:
        if one.version == promotion.version:
            return replace(one, digest=promotion.digest)
    return None
