# SPDX-License-Identifier: Apache-2.0
"""One embedded PostgreSQL for the whole run, one migrated template, a database per test."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kernel.database import Connection, Pool, connect, open_pool
from kernel.embedded import EmbeddedPostgres
from kernel.keys import KeyStore
from kernel.migrations import migrate
from kernel.rolepasswords import Role
from tests.fakes.time_and_ids import FixedClock, SequentialIds

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server without durability, with the migrated database as template."""
    folder = Path(tempfile.mkdtemp(prefix="eucora-test-"))
    server = EmbeddedPostgres(folder / "data", durable=False)

    async def start() -> None:
        await server.start()
        await migrate(server.owner_dsn)

    asyncio.run(start())
    yield server
    asyncio.run(server.stop())
    shutil.rmtree(folder)


@pytest.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database, as the application's role."""
    name = f"test_{next(_numbers)}"
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE eucora OWNER eucora_owner")
    yield postgres.dsn(Role.APP, name)
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """A pool on a fresh database."""
    async with open_pool(dsn) as opened:
        yield opened


@pytest.fixture
async def connection(postgres: EmbeddedPostgres) -> AsyncIterator[Connection]:
    """A transaction that is rolled back."""
    async with await connect(postgres.app_dsn) as opened:
        yield opened
        await opened.rollback()


@pytest.fixture
def clock() -> FixedClock:
    """Stands still until advanced."""
    return FixedClock()


@pytest.fixture
def ids() -> SequentialIds:
    """Counts per prefix."""
    return SequentialIds()


@pytest.fixture
def key_store(tmp_path: Path) -> KeyStore:
    """Keys of this test alone."""
    return KeyStore(tmp_path / "keys")
