# SPDX-License-Identifier: Apache-2.0
"""The outbox delivers each message once, survives failing handlers, and wakes at once."""

import asyncio

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from structlog.testing import capture_logs

from kernel.clock import SystemClock
from kernel.database import connect
from kernel.logs import correlation_id
from kernel.outbox import (
    MAX_ATTEMPTS,
    MAX_BACKOFF_SECONDS,
    NotReadyError,
    Outbox,
    OutboxWorker,
    backoff_seconds,
    pause,
)


async def publish(pool, clock, *payloads, delay_seconds=0.0, topic="thing"):
    async with pool.connection() as connection:
        for payload in payloads:
            await Outbox(clock).publish(
                connection,
                topic=topic,
                payload=payload,
                correlation_id="req_1",
                delay_seconds=delay_seconds,
            )


def name_of(dsn):
    return conninfo_to_dict(dsn)["dbname"]


async def ignore(connection, message):
    pass


async def rows(pool):
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT * FROM outbox ORDER BY message_id")
        return await cursor.fetchall()


async def test_a_message_is_handled_once_with_its_correlation(pool, clock):
    seen = []

    async def handle(connection, message):
        seen.append((message.topic, message.payload, message.attempts, correlation_id.get()))

    await publish(pool, clock, {"n": 1})
    worker = OutboxWorker(pool, clock, {"thing": handle})
    assert [await worker.run_once(), await worker.run_once()] == [1, 0]
    assert seen == [("thing", {"n": 1}, 0, "req_1")]
    (row,) = await rows(pool)
    assert row["done_at"] == clock.now()


async def test_a_rolled_back_publication_never_happened(pool, clock):
    async with pool.connection() as connection:
        await Outbox(clock).publish(connection, topic="thing", payload={}, correlation_id="req_1")
        await connection.rollback()
    assert await rows(pool) == []


async def test_delay_and_foreign_topics(pool, clock):
    seen = []

    async def handle(connection, message):
        seen.append(message.payload["n"])

    await publish(pool, clock, {"n": 1}, delay_seconds=30)
    await publish(pool, clock, {"n": 2}, topic="other")
    worker = OutboxWorker(pool, clock, {"thing": handle})
    assert await worker.run_once() == 0
    clock.advance(31)
    assert await worker.run_once() == 1
    assert seen == [1]


async def test_a_failure_rolls_back_the_effects_and_backs_off(pool, clock):
    async def handle(connection, message):
        await connection.execute(
            "INSERT INTO users (user_id) VALUES (%s)", [f"u{message.attempts}"]
        )
        if message.attempts < 2:
            raise ValueError("jane.doe@example.org")

    await publish(pool, clock, {})
    worker = OutboxWorker(pool, clock, {"thing": handle})
    assert await worker.run_once() == 1
    (row,) = await rows(pool)
    assert (row["attempts"], row["last_error"], row["done_at"]) == (1, "ValueError", None)
    assert await worker.run_once() == 0, "it waits"
    for _ in range(2):
        clock.advance(MAX_BACKOFF_SECONDS)
        assert await worker.run_once() == 1
    (row,) = await rows(pool)
    assert row["done_at"] is not None
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT user_id FROM users")
        assert await cursor.fetchall() == [{"user_id": "u2"}]


async def test_a_handler_that_breaks_its_transaction_is_a_failure(pool, clock):
    async def handle(connection, message):
        await connection.execute("SELECT 1 / 0")

    await publish(pool, clock, {})
    assert await OutboxWorker(pool, clock, {"thing": handle}).run_once() == 1
    (row,) = await rows(pool)
    assert row["last_error"] == "DivisionByZero"


async def test_a_poisonous_message_is_given_up_but_stays(pool, clock):
    calls = []

    async def handle(connection, message):
        calls.append(1)
        raise ValueError

    await publish(pool, clock, {})
    worker = OutboxWorker(pool, clock, {"thing": handle})
    for _ in range(MAX_ATTEMPTS + 3):
        clock.advance(MAX_BACKOFF_SECONDS)
        await worker.run_once()
    assert len(calls) == MAX_ATTEMPTS
    (row,) = await rows(pool)
    assert (row["done_at"], row["attempts"]) == (None, MAX_ATTEMPTS)


def test_backoff_grows_to_its_bound():
    waits = [backoff_seconds(attempts) for attempts in range(1, MAX_ATTEMPTS)]
    assert waits == sorted(waits)
    assert waits[0] < 1
    assert waits[-1] == MAX_BACKOFF_SECONDS


async def test_concurrent_workers_share_the_messages(pool, clock):
    seen = []

    async def handle(connection, message):
        await asyncio.sleep(0)
        seen.append(message.payload["n"])

    await publish(pool, clock, *({"n": n} for n in range(40)))

    async def drain(worker):
        while await worker.run_once():
            pass

    await asyncio.gather(*(drain(OutboxWorker(pool, clock, {"thing": handle})) for _ in range(4)))
    assert sorted(seen) == list(range(40))


async def test_run_wakes_on_notify_survives_lost_connections_and_stops(pool, dsn, postgres):
    clock = SystemClock()
    handled: asyncio.Queue[int] = asyncio.Queue()

    async def handle(connection, message):
        handled.put_nowait(message.payload["n"])

    stop = asyncio.Event()
    running = asyncio.create_task(OutboxWorker(pool, clock, {"thing": handle}).run(stop))
    await publish(pool, clock, {"n": 1})
    assert await asyncio.wait_for(handled.get(), 10) == 1
    async with pool.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user"
        )
    await publish(pool, clock, {"n": 2})
    assert await asyncio.wait_for(handled.get(), 10) == 2
    stop.set()
    await asyncio.wait_for(running, 10)


@pytest.mark.parametrize("n_turns", range(4))
async def test_a_cancellation_is_not_lost_when_the_event_comes_with_it(n_turns):
    event = asyncio.Event()

    async def work():
        while True:
            event.clear()
            await pause(event, 30)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    event.set()
    for _ in range(n_turns):
        await asyncio.sleep(0)
    working.cancel()
    done, _ = await asyncio.wait({working}, timeout=2)
    working.cancel()
    assert done
    assert working.cancelled()


async def test_run_ends_when_it_is_cancelled_though_a_handler_swallows_that(pool):
    clock = SystemClock()
    started = asyncio.Event()

    async def handle(connection, message):
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise ValueError("swallowed") from None

    await publish(pool, clock, {})
    running = asyncio.create_task(OutboxWorker(pool, clock, {"thing": handle}).run(asyncio.Event()))
    await asyncio.wait_for(started.wait(), 10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)


async def test_run_raises_an_unexpected_error_of_the_database(pool, dsn, postgres):
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
    async with await connect(make_conninfo(postgres.owner_dsn, dbname=name_of(dsn))) as owner:
        await owner.execute("ALTER TABLE outbox RENAME COLUMN topic TO subject")
    running = OutboxWorker(pool, SystemClock(), {"thing": ignore}).run(asyncio.Event())
    with pytest.raises(psycopg.errors.UndefinedColumn):
        await asyncio.wait_for(running, 10)


async def test_waiting_for_what_will_be_there_soon_is_no_warning(pool, clock):
    async def handle(connection, message):
        if message.attempts == 0:
            raise NotReadyError("not in the log yet")
        raise ValueError

    await publish(pool, clock, {})
    worker = OutboxWorker(pool, clock, {"thing": handle})
    with capture_logs() as lines:
        await worker.run_once()
        clock.advance(MAX_BACKOFF_SECONDS)
        await worker.run_once()
    waits, fails = lines
    assert (waits["log_level"], waits["reason"]) == ("info", "not in the log yet")
    assert (fails["log_level"], fails["decision"]) == ("warning", "retry")
    (row,) = await rows(pool)
    assert (row["attempts"], row["done_at"]) == (2, None)
