# SPDX-License-Identifier: Apache-2.0
"""A scratch installation for notebooks: the product's own database, registry and evidence.

It lives in one temporary folder and is gone when it is closed or its process ends. Settings of the
environment that lead to a real installation are not read. Its clock starts where it is told, so
that a notebook shows the same weekday whenever it is run.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from api.case_export import export_promotion
from api.ground import (
    DatabaseAddresses,
    Ground,
    migrate_database,
    open_ground,
    open_registry,
)
from api.model_promotion import ComparedVersions, Decision, ModelPromotions
from evidence.signing import public_pem
from evidence.verification import TrustedKeys, VerificationReport, verify_case
from kernel.embedded import EmbeddedPostgres
from kernel.postmaster import Cluster
from kernel.settings import CLAMD_OFF, Settings
from models.fit import Fit
from models.promotion import Promotion, list_champions
from models.registry import ModelRegistry
from models.stages import NoStages
from models.training import Circumstances, TrainedModel, register_fit

SIZE_VARIABLE = "EUCORA_NOTEBOOK_SIZE"
QUICK = "quick"
_DATA = "eucora"


def choose_size(usual: int, *, quick: int) -> int:
    """Return how much of something a notebook makes; `quick` where the environment asks for it."""
    return quick if os.environ.get(SIZE_VARIABLE) == QUICK else usual


class ScratchClock:
    """Runs as fast as the machine's clock, from another moment on."""

    def __init__(self, begins_at: datetime) -> None:
        self._ahead = begins_at - datetime.now(UTC)

    def now(self) -> datetime:
        """Return the present moment of the scratch installation, aware, in UTC."""
        return datetime.now(UTC) + self._ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """An open scratch installation; nothing of it outlives `close`."""

    folder: Path
    ground: Ground
    registry: ModelRegistry
    promotions: ModelPromotions
    _stack: AsyncExitStack

    async def register(self, name: str, fit: Fit, *, seed: int, person: str) -> TrainedModel:
        """Judge a fit beside the champion and register it; the first version becomes the champion.

        Args:
            name: of the model.
            fit: from one of the product's trainings.
            seed: that it was trained with.
            person: who had it trained, as `cli:name`.
        """
        circumstances = Circumstances(
            seed=seed,
            trained_by=person,
            trained_at=self.ground.clock.now(),
            progress=_say_nothing,
        )
        trained = await asyncio.to_thread(
            register_fit, self.registry, name, fit, circumstances=circumstances, stages=NoStages()
        )
        await self.promotions.record_first(name, self._decide(person, ""))
        return trained

    async def compare(self, name: str) -> ComparedVersions:
        """Compare champion and challenger, with latencies measured here and now."""
        return await self.promotions.compare(name, measure=True)

    async def promote(
        self, name: str, version: str, *, person: str, reason: str, override: bool = False
    ) -> Promotion:
        """Make a version the champion by a person's decision, as `eucora models promote` does.

        Raises:
            PromotionRefusedError: the gate forbids it.
        """
        async with self.ground.pool.connection() as connection:
            in_use = (await list_champions(connection)).get(name)
        decision = self._decide(person, reason, override=override)
        if in_use is not None:  # nobody else decides here
            decision = replace(decision, against=in_use.promotion_id)
        return await self.promotions.promote(name, version, decision)

    async def verify(self, promotion: Promotion) -> VerificationReport:
        """Export a promotion's evidence and check it offline, as `eucora verify` does."""
        content = await export_promotion(self.ground, promotion.promotion_id)
        keys = self.ground.key_store
        trusted = TrustedKeys(
            evidence_public_key_pem=public_pem(keys.evidence_key().public_key()),
            log_public_key_pem=public_pem(keys.log_key().public_key()),
        )
        return verify_case(content, trusted)

    async def close(self) -> None:
        """Stop the database and remove the folder."""
        await self._stack.aclose()
        _remove(self.folder)
        atexit.unregister(_remove)

    def _decide(self, person: str, reason: str, *, override: bool = False) -> Decision:
        return Decision(
            actor=person,
            reason=self.ground.masker.mask_value(reason),
            correlation_id=self.ground.ids.new("cor"),
            override=override,
        )


async def open_scratch(begins_at: datetime) -> Scratch:
    """Start a database of its own in a temporary folder, with the product's schema and keys.

    Args:
        begins_at: what its clock shows now, aware.
    """
    folder = Path(tempfile.mkdtemp(prefix="eucora-notebook-"))
    atexit.register(_remove, folder)  # a kernel may be ended before it comes to `close`
    settings = Settings(
        data_dir=folder / _DATA,
        mlruns_dir=folder / "mlruns",
        database_url=None,
        object_store_url=None,
        language_model_url=None,
        clamd=CLAMD_OFF,
    )
    async with AsyncExitStack() as opening:
        # What is thrown away need not survive a power cut: it starts and stops at once.
        server = EmbeddedPostgres(settings.data_dir, durable=False)
        await opening.enter_async_context(server)
        addresses = DatabaseAddresses(
            owner=server.owner_dsn,
            application=server.app_dsn,
            tracking=server.mlflow_dsn.replace("postgresql", "postgresql+psycopg", 1),
        )
        await migrate_database(addresses)
        clock = ScratchClock(begins_at)
        ground = await opening.enter_async_context(open_ground(settings, addresses, clock=clock))
        await ground.directory.require()
        registry = open_registry(ground)
        return Scratch(
            folder=folder,
            ground=ground,
            registry=registry,
            promotions=ModelPromotions(ground, registry),
            _stack=opening.pop_all(),
        )


def list_servers(folder: Path) -> Iterator[int]:
    """Yield the process ids of scratch databases that run below a temporary folder."""
    for scratch in folder.glob("eucora-notebook-*"):
        postmaster = Cluster(scratch / _DATA, durable=False).find_postmaster()
        if postmaster is not None:
            yield postmaster.process_id


def _remove(folder: Path) -> None:
    """Stop what runs in a scratch folder, and remove it."""
    if not folder.exists():
        return
    if (folder / _DATA / "postgres").exists():
        Cluster(folder / _DATA, durable=False).request_immediate_stop()
    shutil.rmtree(folder, ignore_errors=True)


def _say_nothing(step: str) -> None:
    del step
