# SPDX-License-Identifier: Apache-2.0
"""Takes up promoted models in a running process: told by NOTIFY, and looking every few seconds.

PostgreSQL says which version and which bytes; the file is read beside the event loop, its digest
checked, and one reference is replaced. What begins after that uses the new model, what has begun
ends with the old one. A file that cannot be used changes nothing: it is logged, audited once, and
shown on the models page until another version is promoted or the file can be read. So it is with
errors that nobody foresaw: one model's never stop the others, nor the process.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from api.ground import Ground
from api.model_promotion import mirror_newest
from kernel.logs import get_logger
from kernel.outbox import pause
from models.champions import Champions, Trouble
from models.errors import ModelError
from models.promotion import CHANNEL, Promotion, list_champions
from models.registry import LoadedModel, ModelRegistry

POLL_SECONDS = 2.0
RETRY_SECONDS = 30.0  # until a file that could not be used is tried again
Prepare = Callable[[LoadedModel], Callable[[], None]]
_logger = get_logger(__name__)


class ModelWatch:
    """Keeps the champions of one process up to date.

    Args:
        ground: where the promotions are, and the audit.
        registry: where the files are.
        champions: what is kept up to date.
        prepare: by name, for models that others hold too: turns a loaded one into what they hold
            (in a thread; raises ModelError where it cannot), and returns how to hand it over.

    """

    def __init__(
        self,
        ground: Ground,
        registry: ModelRegistry,
        champions: Champions,
        prepare: Mapping[str, Prepare],
    ) -> None:
        self._ground = ground
        self._registry = registry
        self._champions = champions
        self._prepare = dict(prepare)
        self._retry_at: dict[str, float] = {}
        self._audited: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set; outlives restarts of the database."""
        listener = asyncio.create_task(self._listen(stop))
        stopper = asyncio.create_task(self._wake_at(stop))
        try:
            while not stop.is_set():
                self._wake.clear()
                try:
                    await self.look()
                except (psycopg.OperationalError, PoolTimeout) as error:
                    _logger.warning(
                        "database unreachable", action="model.watch", decision="retry",
                        exc_info=error,
                    )  # fmt: skip
                except Exception:
                    _logger.exception(
                        "models not looked after", action="model.watch", decision="retry"
                    )
                if not stop.is_set():
                    await pause(self._wake, POLL_SECONDS)
        finally:
            for task in (listener, stopper):
                task.cancel()
            await asyncio.gather(listener, stopper, return_exceptions=True)

    async def look(self) -> list[str]:
        """Take up what was promoted; return the names of the models that were replaced."""
        async with self._ground.pool.connection() as connection:
            promoted = await list_champions(connection)
        replaced = []
        for name, promotion in promoted.items():
            model = self._champions.get(name)
            if model is None or _is_taken_up(model, promotion):
                continue
            try:
                if await self._take_up(promotion):
                    replaced.append(name)
            except (psycopg.OperationalError, PoolTimeout):
                raise
            except Exception:
                _logger.exception(
                    "model not looked after", action="model.watch", decision="retry", model=name
                )
        return replaced

    async def _take_up(self, promotion: Promotion) -> bool:
        now = asyncio.get_running_loop().time()
        if self._retry_at.get(promotion.promotion_id, now) > now:
            return False
        try:
            loaded, hand_over = await asyncio.to_thread(self._load, promotion)
        except Exception as error:  # noqa: BLE001 - logged, audited and shown; the old one stays
            self._retry_at[promotion.promotion_id] = now + RETRY_SECONDS
            await self._keep(promotion, error)
            return False
        self._champions.replace(loaded)  # and no await in between: both or neither
        hand_over()
        _logger.info(
            "model taken up", action="model.watch", decision="replace", model=loaded.name,
            version=loaded.version, digest=loaded.digest,
        )  # fmt: skip
        if promotion.promotion_id in self._audited:
            await self._tell("model.taken_up", promotion, {"version": promotion.version})
            self._audited.discard(promotion.promotion_id)
        # Where whoever promoted was stopped before they could.
        await mirror_newest(self._ground, self._registry, promotion.name)
        return True

    def _load(self, promotion: Promotion) -> tuple[LoadedModel, Callable[[], None]]:
        loaded = self._registry.load_version(
            promotion.name, promotion.version, digest=promotion.digest
        )
        prepare = self._prepare.get(promotion.name)
        return loaded, (_hand_over_nothing if prepare is None else prepare(loaded))

    async def _keep(self, promotion: Promotion, error: Exception) -> None:
        """Go on with the model in use, and say so where people look."""
        reason = str(error) if isinstance(error, ModelError) else _describe_unforeseen(error)
        trouble = Trouble(version=promotion.version, reason=reason, since=self._ground.clock.now())
        self._champions.keep_despite(promotion.name, trouble)
        _logger.error(
            "promoted model not taken up", action="model.watch", decision="keep",
            model=promotion.name, version=promotion.version, exc_info=error,
        )  # fmt: skip
        if promotion.promotion_id in self._audited:
            return
        told = {"version": promotion.version, "failure": reason}
        await self._tell("model.not_taken_up", promotion, told)
        self._audited.add(promotion.promotion_id)

    async def _tell(self, action: str, promotion: Promotion, after: Mapping[str, Any]) -> None:
        """Audit what became of a promotion here, for the models page of every server."""
        async with self._ground.pool.connection() as connection:
            await self._ground.audit.record(
                connection,
                actor="system:models",
                action=action,
                subject_kind="model",
                subject_id=promotion.name,
                correlation_id=self._ground.ids.new("cor"),
                after=after,
                evidence=(promotion.bundle_digest,),
            )

    async def _listen(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                async with self._ground.pool.connection() as connection:
                    await connection.set_autocommit(True)
                    try:
                        await connection.execute(f"LISTEN {CHANNEL}")
                        while not stop.is_set():
                            async for _ in connection.notifies(timeout=1.0, stop_after=1):
                                self._wake.set()
                    finally:
                        await connection.close()
            except (psycopg.OperationalError, PoolTimeout):
                await pause(stop, POLL_SECONDS)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._wake.set()


def _is_taken_up(model: LoadedModel, promotion: Promotion) -> bool:
    return (model.version, model.digest) == (promotion.version, promotion.digest)


def _describe_unforeseen(error: Exception) -> str:
    """Name the error without its text, which may quote anything; the log has it."""
    return f"an error that nobody foresaw ({type(error).__name__}); the log says more"


def _hand_over_nothing() -> None:
    """For models that are asked for where they are used."""


def prepare_of(act: Callable[[LoadedModel], Any], hand_over: Callable[[Any], None]) -> Prepare:
    """Return how a model becomes what somebody holds, and how it is handed over."""

    def prepare(loaded: LoadedModel) -> Callable[[], None]:
        return partial(hand_over, act(loaded))

    return prepare
