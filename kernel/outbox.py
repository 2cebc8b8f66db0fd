# SPDX-License-Identifier: Apache-2.0
"""The transactional outbox: work is written in the transaction that makes it necessary.

PostgreSQL holds the truth; NOTIFY is a hint that spares the workers their poll interval. A
handler runs in the same transaction that marks its message done, so its effects in the database
happen exactly once, whatever is killed in between.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from kernel.clock import Clock
from kernel.database import Connection, Pool
from kernel.errors import KernelError
from kernel.logs import bind_correlation, get_logger
from kernel.queries import load_queries

QUERIES = load_queries(__file__, "outbox")
MAX_ATTEMPTS = 20
FIRST_BACKOFF_SECONDS = 0.2
MAX_BACKOFF_SECONDS = 300.0
POLL_SECONDS = 1.0
CANCEL_AGAIN_SECONDS = 0.5
_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One piece of work. `attempts` counts the earlier, failed ones."""

    message_id: int
    topic: str
    payload: dict[str, Any]
    correlation_id: str
    attempts: int


Handler = Callable[[Connection, OutboxMessage], Awaitable[None]]


class NotReadyError(KernelError):
    """A handler waits for what will be there soon: no fault, the message is tried again.

    `reason` goes to the log, so it holds nothing personal.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer than so many seconds.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes as the event is set.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Outbox:
    """Publishes messages inside the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def publish(
        self,
        connection: Connection,
        *,
        topic: str,
        payload: Mapping[str, Any],
        correlation_id: str,
        delay_seconds: float = 0.0,
    ) -> int:
        """Write one message and return its id; it is delivered not before the delay is over."""
        now = self._clock.now()
        cursor = await connection.execute(
            QUERIES["insert_message"],
            {
                "topic": topic,
                "payload": Jsonb(dict(payload)),
                "correlation_id": correlation_id,
                "created_at": now,
                "available_at": now + timedelta(seconds=delay_seconds),
            },
        )
        row = await cursor.fetchone()
        await connection.execute(QUERIES["notify"], {"topic": topic})
        return int(row["message_id"]) if row else 0


def backoff_seconds(attempts: int) -> float:
    """Return how long to wait after so many failed attempts (at least one)."""
    return min(FIRST_BACKOFF_SECONDS * 2.0 ** (attempts - 1), MAX_BACKOFF_SECONDS)


class OutboxWorker:
    """Hands messages to the handler of their topic, one transaction each."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        handlers: Mapping[str, Handler],
        *,
        concurrency: int = 2,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._handlers = dict(handlers)
        self._concurrency = concurrency
        self._wake = [asyncio.Event() for _ in range(concurrency)]

    async def run_once(self) -> int:
        """Handle at most one due message; return 1 if there was one, else 0.

        A handler's failure is recorded with the class of the error alone, since its text may hold
        personal data. Errors of the database itself are raised when recording fails too.
        """
        message: OutboxMessage | None = None
        try:
            async with self._pool.connection() as connection:
                message = await self._claim(connection)
                if message is None:
                    return 0
                with bind_correlation(message.correlation_id):
                    await self._handlers[message.topic](connection, message)
                await connection.execute(
                    QUERIES["mark_done"],
                    {"message_id": message.message_id, "now": self._clock.now()},
                )
        except Exception as error:
            if message is None:
                raise
            await self._record_failure(message, error)
        return 1

    async def run(self, stop: asyncio.Event) -> None:
        """Handle messages until `stop` is set; outlives restarts of the database.

        Raises whatever ended a worker before that, when the others have ended as well.
        """
        ending = asyncio.Event()
        workers = [asyncio.create_task(self._work(wake, ending)) for wake in self._wake]
        listener = asyncio.create_task(self._listen(ending))
        stopper = asyncio.create_task(stop.wait())
        tasks = {*workers, listener, stopper}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            ending.set()
            self._wake_all()
            await asyncio.gather(*(workers if stop.is_set() else done))
        finally:
            ending.set()
            await _cancel_all(tasks)

    async def _claim(self, connection: Connection) -> OutboxMessage | None:
        cursor = await connection.execute(
            QUERIES["claim_message"],
            {
                "topics": list(self._handlers),
                "now": self._clock.now(),
                "max_attempts": MAX_ATTEMPTS,
            },
        )
        row = await cursor.fetchone()
        return OutboxMessage(**row) if row else None

    async def _record_failure(self, message: OutboxMessage, error: Exception) -> None:
        attempts = message.attempts + 1
        wait = timedelta(seconds=backoff_seconds(attempts))
        async with self._pool.connection() as connection:
            await connection.execute(
                QUERIES["mark_failed"],
                {
                    "message_id": message.message_id,
                    "attempts": message.attempts,
                    "last_error": type(error).__name__,
                    "available_at": self._clock.now() + wait,
                },
            )
        with bind_correlation(message.correlation_id):
            _log_failure(message, error, attempts)

    async def _work(self, wake: asyncio.Event, ending: asyncio.Event) -> None:
        while not ending.is_set():
            wake.clear()
            try:
                while not ending.is_set() and await self.run_once():
                    pass
            except (psycopg.OperationalError, PoolTimeout) as error:
                _logger.warning("database unreachable", decision="retry", exc_info=error)
                await pause(ending, POLL_SECONDS)
                continue
            if not ending.is_set():
                await pause(wake, POLL_SECONDS)

    async def _listen(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            try:
                async with self._pool.connection() as connection:
                    await connection.set_autocommit(True)
                    try:
                        await connection.execute("LISTEN eucora_outbox")
                        while not ending.is_set():
                            async for _ in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                                self._wake_all()
                    finally:
                        await connection.close()
            except (psycopg.OperationalError, PoolTimeout):
                await pause(ending, POLL_SECONDS)

    def _wake_all(self) -> None:
        for wake in self._wake:
            wake.set()


async def _cancel_all(tasks: set[asyncio.Task[Any]]) -> None:
    """End tasks, also those in which a handler or a library swallows a first cancellation."""
    while waiting := {task for task in tasks if not task.done()}:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=CANCEL_AGAIN_SECONDS)


def _log_failure(message: OutboxMessage, error: Exception, attempts: int) -> None:
    facts = {
        "action": message.topic,
        "message_id": message.message_id,
        "attempts": attempts,
    }
    if attempts >= MAX_ATTEMPTS:
        _logger.error("outbox message given up", decision="give_up", exc_info=error, **facts)
    elif isinstance(error, NotReadyError):
        _logger.info("outbox message waits", decision="retry", reason=error.reason, **facts)
    else:
        _logger.warning("outbox handler failed", decision="retry", exc_info=error, **facts)
