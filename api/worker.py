# SPDX-License-Identifier: Apache-2.0
"""The worker: handles outbox topics, sequences the audit log, lets time expire things.

Any number may run against one database. Handlers are exactly-once in the database; whatever is
killed runs again. What fails here is tried again, ever more slowly; a worker that cannot go on
raises within seconds, so that its process ends and is started anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from api.bootstrap import Services
from api.drift_upkeep import compare_features, finish_retraining
from api.ranking_labels import learn_from
from dispatch.errors import NotSequencedYetError
from governance.proposals import find_proposal
from kernel.allocator import keep_freed_memory
from kernel.database import Connection
from kernel.logs import get_logger
from kernel.outbox import Handler, NotReadyError, OutboxMessage, OutboxWorker, pause
from models.fleet_detector import compile_loops
from models.online_learning import learn_label
from reasoning.graph import proposal_id_for
from retrieval.dominance import raise_flags
from telemetry.incidents import IncidentStatus

EXPIRY_SECONDS = 5.0
DRIFT_SECONDS = 10.0
DRIFT_UPKEEP_SECONDS = 3600.0
DOMINANCE_SECONDS = 600.0
ATTRIBUTES_SECONDS = 600.0
CHANGES_SECONDS = 600.0
MAX_BACKOFF_SECONDS = 60.0
END_SECONDS = 5.0  # for the others, when one of a worker's tasks has failed
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
        proposal_id = proposal_id_for(incident_id, f"message:{message.message_id}")
        begun = await find_proposal(connection, proposal_id)
        if incident is None or (incident.status is not IncidentStatus.OPEN and begun is None):
            _logger.info("nothing to reason about", action="reason", incident_id=incident_id)
            return
        if incident.part_of is not None and begun is None:  # one proposal for all, not one for each
            _logger.info("part of a fleet incident", action="reason", incident_id=incident_id)
            return
        await services.reasoner.propose(
            proposal_id=proposal_id,
            incident_id=incident_id,
            requested_by=incident.reported_by,
            correlation_id=incident.correlation_id,
        )

    async def dispatch(connection: Connection, message: OutboxMessage) -> None:
        try:
            await services.jobs.create(connection, message.payload["proposal_id"])
        except NotSequencedYetError as error:
            raise NotReadyError(str(error)) from error

    async def verify(connection: Connection, message: OutboxMessage) -> None:
        await services.verification.run(connection, message.payload["job_id"])

    async def learn(connection: Connection, message: OutboxMessage) -> None:
        await learn_from(
            connection,
            message.payload["label_id"],
            ground=services.ground,
            embedder=services.embedder,
        )
        await learn_label(
            connection,
            message.payload["label_id"],
            model=services.models.current("recommender"),
            clock=services.ground.clock,
            audit=services.ground.audit,
        )

    return {
        "telemetry.stored": score,
        "incident.opened": reason,
        "proposal.approved": dispatch,
        "job.reported": verify,
        "job.verify": verify,
        "case.labelled": learn,
    }


async def run_worker(services: Services, stop: asyncio.Event) -> None:
    """Work until `stop` is set.

    Raises whatever ended one of its tasks before that.
    """
    keep_freed_memory()
    await asyncio.to_thread(compile_loops)
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
        async with ground.pool.connection() as connection:
            await services.fleets.settle(connection, correlation_id=ground.ids.new("cor"))

    async def count_attributes() -> None:
        async with ground.pool.connection() as connection:
            await services.fleets.count_attributes(connection)

    async def watch_drift() -> None:
        async with ground.pool.connection() as connection:
            await services.drift.observe_answers(connection, correlation_id=ground.ids.new("cor"))

    async def look_after_drift() -> None:
        await compare_features(services)
        await finish_retraining(services)

    async def watch_dominance() -> None:
        async with ground.pool.connection() as connection:
            await raise_flags(
                connection,
                ground.clock,
                ground.ids,
                ground.audit,
                correlation_id=ground.ids.new("cor"),
            )

    await run_together(
        [
            services.embedder.embed(["loaded now, not for the first incident"]),
            outbox.run(stop),
            services.model_watch.run(stop),
            ground.directory.run(stop),
            repeat(sequence, ground.settings.sequencing_interval_seconds, stop, "log.sequence"),
            repeat(expire, EXPIRY_SECONDS, stop, "expiry"),
            repeat(watch_drift, DRIFT_SECONDS, stop, "drift.watch"),
            repeat(look_after_drift, DRIFT_UPKEEP_SECONDS, stop, "drift.upkeep"),
            repeat(count_attributes, ATTRIBUTES_SECONDS, stop, "attributes.count"),
            repeat(watch_dominance, DOMINANCE_SECONDS, stop, "dominance.watch"),
            repeat(ground.directory.forget_changes, CHANGES_SECONDS, stop, "directory.changes"),
        ]
    )


async def run_together(works: Iterable[Awaitable[Any]]) -> None:
    """Run all until all have ended; when one fails, cancel the others and raise its error.

    Unlike a task group this does not wait for ever for a task that will not be cancelled.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        waiting = {task for task in tasks if not task.done()}
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=END_SECONDS)
            if not all(task.done() for task in waiting):
                _logger.error("tasks do not end", action="worker", decision="abandon")


async def repeat(
    act: Callable[[], Awaitable[None]], seconds: float, stop: asyncio.Event, action: str
) -> None:
    """Act every so many seconds until `stop` is set, whatever goes wrong.

    After errors other than an unreachable database the pauses grow, to a minute at most.
    """
    wait = seconds
    while not stop.is_set():
        try:
            await act()
            wait = seconds
        except (psycopg.OperationalError, PoolTimeout) as error:
            _logger.warning("database unreachable", action=action, decision="retry", exc_info=error)
            wait = seconds
        except Exception:
            wait = min(max(wait, seconds) * 2, max(seconds, MAX_BACKOFF_SECONDS))
            _logger.exception(
                "periodic work failed", action=action, decision="retry", next_try_seconds=wait
            )
        await pause(stop, wait)
