# SPDX-License-Identifier: Apache-2.0
"""The server says whether any worker lives, by the sessions that workers keep."""

import httpx
import pytest

from api import worker_presence
from api.public_app import create_public_app
from api.worker_presence import (
    MAX_NAME_BYTES,
    NONE_AT_WORK,
    PREFIX,
    count_workers,
    name_sessions,
)
from kernel.database import open_pool


@pytest.fixture
async def operator(services):
    transport = httpx.ASGITransport(create_public_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        yield client


async def test_readiness_tells_of_workers(services, operator):
    address = services.ground.addresses.application
    answer = await operator.get("/readyz")
    assert (answer.status_code, answer.json()["workers"]) == (200, NONE_AT_WORK)
    async with (
        open_pool(address, min_size=2, name=f"{PREFIX}here:1") as first,
        open_pool(address, name=f"{PREFIX}here:2"),
        open_pool(address, name="something else"),
    ):
        assert (await operator.get("/readyz")).json()["workers"] == "2 at work"
        assert "\neucora_workers 2.0\n" in (await operator.get("/metrics")).text
        async with first.connection() as connection:
            assert await count_workers(connection) == 2
    assert (await operator.get("/readyz")).json()["workers"] == NONE_AT_WORK


async def test_a_worker_that_does_nothing_any_more_does_not_count(services, monkeypatch):
    address = services.ground.addresses.application
    monkeypatch.setattr(worker_presence, "SILENT_SECONDS", 0.0)
    async with (
        open_pool(address, name=f"{PREFIX}here:1"),
        services.ground.pool.connection() as connection,
    ):
        assert await count_workers(connection) == 0


def test_the_name_of_a_process_is_not_cut(monkeypatch):
    monkeypatch.setattr(worker_presence.socket, "gethostname", lambda: "ä-long-name." * 20)
    monkeypatch.setattr(worker_presence.os, "getpid", lambda: 4194304)
    name = name_sessions()
    assert len(name.encode()) <= MAX_NAME_BYTES
    assert name.startswith(PREFIX)
    assert name.endswith(":4194304")
