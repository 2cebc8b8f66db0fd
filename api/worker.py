# SPDX-License-Identifier: Apache-2.0
"""The worker: handles outbox topics, sequences the audit log, lets time expire things.

Any number may run against one database. Handlers are exactly-once in the database; whatever is
killed runs again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import psycopg
from psycopg_pool import PoolTimeout

from api.bootstrap import Services
from kernel.database import Connection
from kernel.logs import get_logger
from kernel.outbox import Handler, OutboxMessage, OutboxWorker
from reasoning.graph import proposal_id_for

EXPIRY_SECONDS = 5.0
DRIFT_SECONDS = 10.0
_logger = get_logger(__name__)


def list_handlers(services: Services) -> Mapping[str, Handler]:
    """Return the handler of each outbox topic."""

    async def score(connection: Connection, message: OutboxMessage) -> None:
        await services.scoring.score_batch(
            connection, message.payload["reports"], correlation_id=message.correlation_id
        )

    async def reason(connection: Connection, message: OutboxMessage) -> None:
        incident_id = message.payload["incident_id"]
        incident = await services.ground.incidents.find(connection, incident_id)
        if incident is None:
            return
        await services.reasoner.propose(
            proposal_id=proposal_id_for(incident_id, f"message:{message.message_id}"),
            incident_id=incident_id,
            requested_by=incident.reported_by,
            correlation_id=incident.correlation_id,
        )

    async def dispatch(connection: Connection, message: OutboxMessage) -> None:
        await services.jobs.create(connection, message.payload["proposal_id"])

    async def verify(connection: Connection, message: OutboxMessage) -> None:
        await services.verification.run(connection, message.payload["job_id"])

    return {
        "telemetry.stored": score,
        "incident.opened": reason,
        "proposal.approved": dispatch,
        "job.reported": verify,
        "job.verify": verify,
    }


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Work until `stop` is set."""
    ground = services.ground
    outbox = OutboxWorker(ground.pool, ground.clock, list_handlers(services), concurrency=3)

    async def sequence() -> None:
        async with ground.pool.connection() as connection:
            while await ground.log.sequence_pending(connection):
                await connection.commit()

    async def expire() -> None:
        async with ground.pool.connection() as connection:
            await services.approvals.expire_due(connection)
        async with ground.pool.connection() as connection:
            await services.jobs.expire_due(connection)

    async def watch_drift() -> None:
        async with ground.pool.connection() as connection:
            await services.drift.observe_answers(connection, correlation_id=ground.ids.new("cor"))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(services.embedder.embed(["loaded now, not for the first incident"]))
        tasks.create_task(outbox.run(stop))
        tasks.create_task(
            _repeat(sequence, ground.settings.sequencing_interval_seconds, stop, "log.sequence")
        )
        tasks.create_task(_repeat(expire, EXPIRY_SECONDS, stop, "expiry"))
        tasks.create_task(_repeat(watch_drift, DRIFT_SECONDS, stop, "drift.watch"))


async def _repeat(
    act: Callable[[], Awaitable[None]], seconds: float, stop: asyncio.Event, action: str
) -> None:
    while not stop.is_set():
        try:
            await act()
        except (psycopg.OperationalError, PoolTimeout) as error:
            _logger.warning("database unreachable", action=action, decision="retry", exc_info=error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
