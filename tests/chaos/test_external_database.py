# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of somebody else, by `EUCORA_DATABASE_URL`: schema, a step of the road, a crash."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from psycopg import OperationalError

from api.bootstrap import Services, open_services
from api.ground import migrate_database, open_database, open_ground
from api.worker import run_worker
from kernel.embedded import EmbeddedPostgres
from kernel.settings import Settings
from telemetry.devices import register_device
from telemetry.ingestion import decode_reports

pytestmark = pytest.mark.timeout(300)
PATIENCE_SECONDS = 120
DEVICE = "dev_external"


@pytest.fixture
async def somebody_elses_server() -> AsyncIterator[EmbeddedPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="eucora-external-"))
    server = EmbeddedPostgres(folder / "data")
    await server.start()
    yield server
    await server.stop()
    shutil.rmtree(folder)


async def wait_until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.05)


async def report(services: Services, report_id: str) -> None:
    """Store a report as the device API does."""
    now = datetime.now(UTC).isoformat()
    body = (
        f'{{"report_id": "{report_id}", "device_id": "{DEVICE}", "timestamp": "{now}",'
        ' "hardware": {"cpu_percent": 10.0}, "software": {"os_family": "linux"},'
        ' "network": {}, "agent": {"version": "1.0"}}'
    )
    summary = await services.ingestion.ingest(
        decode_reports(body.encode()),
        submitted_by=f"device:{DEVICE}",
        device_id=DEVICE,
        correlation_id=f"cor_{report_id}",
    )
    assert summary.accepted == (report_id,)


async def count_scored(services: Services) -> int:
    """Return how many batches of reports the worker has scored; 0 while nobody answers."""
    try:
        async with services.ground.pool.connection(timeout=5) as connection:
            cursor = await connection.execute(
                "SELECT count(*) AS n FROM outbox"
                " WHERE topic = 'telemetry.stored' AND done_at IS NOT NULL"
            )
            row = await cursor.fetchone()
    except OperationalError:
        return 0
    assert row is not None
    return int(row["n"])


async def test_the_worker_outlives_a_crash_of_an_external_server(
    somebody_elses_server, champions, embedder, monkeypatch, tmp_path
):
    monkeypatch.setenv("EUCORA_DATABASE_URL", somebody_elses_server.owner_dsn)
    settings = Settings(data_dir=tmp_path / "eucora", mlruns_dir=tmp_path / "mlruns")
    settings.data_dir.mkdir()
    stop = asyncio.Event()
    async with open_database(settings) as addresses:
        assert addresses.application == somebody_elses_server.owner_dsn
        await migrate_database(addresses)
        await migrate_database(addresses)  # a second start changes nothing
        async with (
            open_ground(settings, addresses) as ground,
            open_services(ground, loaded=champions, embedder=embedder) as services,
        ):
            async with ground.pool.connection() as connection:
                await register_device(
                    connection,
                    audit=ground.audit,
                    actor="user:ada",
                    correlation_id="cor_device",
                    device_id=DEVICE,
                    hostname="h",
                    os_family="linux",
                    enrolled_at=ground.clock.now(),
                )
            working = asyncio.create_task(run_worker(services, stop))
            await report(services, "r1")
            await wait_until(lambda: scored(services, 1), "the first report's score")
            await crash(somebody_elses_server)
            await report(services, "r2")
            await wait_until(lambda: scored(services, 2), "the second report's score")
            stop.set()
            await asyncio.wait_for(working, PATIENCE_SECONDS)
    assert not (settings.data_dir / "postgres").exists()  # no server of our own was made


async def scored(services: Services, n_batches: int) -> bool:
    return await count_scored(services) == n_batches


async def crash(server: EmbeddedPostgres) -> None:
    """Kill the server and bring it back, as its owner would."""
    assert server.process_id is not None
    os.kill(server.process_id, signal.SIGKILL)
    await server.start()
