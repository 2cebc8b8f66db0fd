# SPDX-License-Identifier: Apache-2.0
"""The worker goes on after errors, and ends its process when it cannot."""

import asyncio
import subprocess
import sys
import time
from types import SimpleNamespace

import psycopg
import pytest
from structlog.testing import capture_logs

from api import worker
from api.worker import list_handlers, repeat, run_together
from kernel.outbox import OutboxWorker

FAILING_PROCESS = """
import asyncio
from contextlib import asynccontextmanager

from api import serving, worker
from kernel.settings import Settings

@asynccontextmanager
async def nothing(*_, **_options):
    yield None

async def never_ends():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass

async def fails():
    await asyncio.sleep(0.1)
    raise ValueError

async def role(services, stop):
    await worker.run_together([never_ends(), fails()])

serving.open_database = serving.open_ground = serving.open_services = nothing
serving.FAILED_SECONDS = worker.END_SECONDS = 0.5
print("begins", flush=True)
asyncio.run(serving.run_process("worker", Settings(), role))
"""


async def test_periodic_work_goes_on_after_any_error(pool, monkeypatch):
    monkeypatch.setattr(worker, "MAX_BACKOFF_SECONDS", 0.04)
    stop = asyncio.Event()
    turns = []

    async def act():
        turns.append(time.monotonic())
        if len(turns) == 5:
            stop.set()
        async with pool.connection() as connection:
            for _ in range(2):
                await connection.execute("INSERT INTO users (user_id) VALUES ('ada')")

    with capture_logs() as lines:
        await asyncio.wait_for(repeat(act, 0.01, stop, "log.sequence"), 20)
    assert len(turns) == 5
    assert {(line["log_level"], line["action"]) for line in lines} == {("error", "log.sequence")}
    waits = [line["next_try_seconds"] for line in lines]
    assert waits == [0.02, 0.04, 0.04, 0.04, 0.04]


async def test_one_failure_ends_all_even_what_will_not_be_cancelled(pool, monkeypatch):
    monkeypatch.setattr(worker, "END_SECONDS", 0.2)
    release = asyncio.Event()

    async def never_ends():
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def fails():
        async with pool.connection() as connection:
            await connection.execute("SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await asyncio.wait_for(run_together([never_ends(), asyncio.sleep(60), fails()]), 20)
    release.set()


def test_a_failed_role_ends_its_process():
    process = subprocess.run(
        [sys.executable, "-c", FAILING_PROCESS],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert process.stdout == "begins\n", process.stderr
    assert process.returncode == 1
    assert "role failed" in process.stderr


async def test_an_approval_that_has_no_leaf_yet_is_waited_for_without_a_warning(road):
    proposal_id = await road.begin()
    await road.approve(proposal_id)
    handlers = list_handlers(SimpleNamespace(jobs=road.jobs))
    outbox = OutboxWorker(
        road.pool, road.clock, {"proposal.approved": handlers["proposal.approved"]}
    )
    with capture_logs() as lines:
        assert await outbox.run_once() == 1
        await road.sequence()
        road.clock.advance(1)
        assert await outbox.run_once() == 1
    assert [line["log_level"] for line in lines] == ["info"]
    assert "not in the audit log yet" in lines[0]["reason"]
    assert len(await road.query("SELECT 1 FROM jobs")) == 1
