# SPDX-License-Identifier: Apache-2.0
"""`jobs` and `device`: the product's own servers and a real agent process, once a module."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.refusals.approved_jobs import ApprovedJobs
from tests.refusals.device import Device
from tests.stack.copies import open_copy
from tests.stack.served import Served, find_free_port, serve


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    prepared, prepared_postgres, champions, embedder, tmp_path_factory
) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("refusals")
    ports = {"port": find_free_port(), "device_port": find_free_port()}
    async with (
        open_copy(
            prepared, prepared_postgres, champions, embedder, folder, lease_seconds=2, **ports
        ) as services,
        serve(services, folder) as opened,
    ):
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def jobs(served) -> ApprovedJobs:
    made = ApprovedJobs(served)
    await made.prepare()
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def device(served, tmp_path_factory) -> AsyncIterator[Device]:
    made = Device(served, tmp_path_factory.mktemp("device"))
    async with served.services.ground.pool.connection() as connection:
        token = await served.services.ground.tokens.create_enrolment_token(
            connection, actor="user:ada", correlation_id="cor_enrol"
        )
    await asyncio.to_thread(made.enrol, token)
    made.device_id = json.loads((made.state / "identity.json").read_text())["device_id"]
    made.start()
    yield made
    await asyncio.to_thread(made.stop)
