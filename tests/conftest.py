# SPDX-License-Identifier: Apache-2.0
"""One embedded PostgreSQL for the whole run, one migrated template, a database per test."""

import asyncio
import gc
import itertools
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from kernel.database import Connection, Pool, connect, open_pool
from kernel.embedded import EmbeddedPostgres
from kernel.keys import KeyStore
from kernel.migrations import migrate
from kernel.rolepasswords import Role
from tests.fakes.time_and_ids import FixedClock, SequentialIds
from tests.stack.copies import cheap_openings, copy_database, open_copy
from tests.stack.prepared import (
    Prepared,
    begin_preparing,
    find_exported,
    find_prepared,
    is_prepared,
)

_numbers = itertools.count(1)
_await_prepared = cache(find_prepared)
_WAS_PREPARED = pytest.StashKey[bool]()
_LATE = pytest.StashKey[set[Path]]()  # files whose tests wait for the preparation
_PREPARING = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among what is collected: nearly all of it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell all workers the same, whichever starts first: they must collect in one order."""
    stash = node.config.stash
    if _WAS_PREPARED not in stash:
        stash[_WAS_PREPARED] = is_prepared()
    node.workerinput["was_prepared"] = stash[_WAS_PREPARED]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what may take longest: left to the end, it would keep one worker busy alone.

    But what stands on the prepared installation comes last, if that has to be made meanwhile.
    """
    late = {item.path for item in items if _needs_prepared(item)}
    if not _prepares_meanwhile(config) or not any(map(_is_on_copy, items)):
        late.clear()
    config.stash[_LATE] = late
    items.sort(key=lambda item: (item.path in late, -_patience(item)))


def _patience(item: pytest.Item) -> float:
    limit = item.get_closest_marker("timeout")
    return float(limit.args[0]) if limit else 0.0


def _prepares_meanwhile(config: pytest.Config) -> bool:
    worker_input = getattr(config, "workerinput", None)
    return worker_input is not None and not worker_input["was_prepared"]


def _is_on_copy(item: pytest.Item) -> bool:
    return "prepared" in getattr(item, "fixturenames", ())


def _needs_prepared(item: pytest.Item) -> bool:
    """Tell whether a test needs the prepared installation, or what is made before it for it."""
    used = {*getattr(item, "fixturenames", ()), *vars(getattr(item, "module", item))}
    return not used.isdisjoint({"prepared", "embedder", "find_exported", "find_name_models"})


def pytest_collection_finish(session: pytest.Session) -> None:
    """Prepare before the first test that needs it: on a slow machine it takes longer than a test.

    Where several workers run, they run the tests that do not need it meanwhile.
    """
    if not any(map(_is_on_copy, session.items)):
        return
    if not _prepares_meanwhile(session.config):
        _await_prepared()
    elif session.config.workerinput["workerid"] == "gw0":
        session.config.stash[_PREPARING] = begin_preparing()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Wait for the preparation before the time begins that the test may take."""
    if item.path in item.config.stash[_LATE]:
        _await_prepared()
    return (yield)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no preparation behind that nobody waits for any more."""
    if (preparing := config.stash.get(_PREPARING, None)) is not None:
        preparing.terminate()
        preparing.wait()


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


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory) -> Path:
    """MLflow's tables in a file to copy: to make them takes seconds."""
    from models.registry import ModelRegistry  # slow import, for those who need it

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    assert ModelRegistry(f"sqlite:///{path}", path.parent).list_versions() == []
    return path


@pytest.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database, as the application's role."""
    name = f"test_{next(_numbers)}"
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await copy_database(admin, name)
    yield postgres.dsn(Role.APP, name)
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    """A pool on a fresh database."""
    async with open_pool(dsn) as opened:
        yield opened


@pytest.fixture
def tamper(dsn: str, postgres: EmbeddedPostgres) -> Callable[..., Awaitable[None]]:
    """Change rows as whoever owns the database can."""
    name = conninfo_to_dict(dsn)["dbname"]

    async def change(*statements: str) -> None:
        async with await connect(postgres.dsn(Role.OWNER, name)) as owner:
            for statement in statements:
                await owner.execute(statement)

    return change


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


@pytest.fixture(scope="session")
def prepared() -> Prepared:
    """An installation with knowledge, models and the account `admin`, stopped; work on copies."""
    return _await_prepared()


@pytest.fixture(scope="session")
def prepared_postgres(prepared: Prepared) -> Iterator[EmbeddedPostgres]:
    """A server without durability whose database `eucora` is the prepared one."""
    folder = Path(tempfile.mkdtemp(prefix="eucora-prepared-"))
    server = EmbeddedPostgres(prepared.copy(folder / "data"), durable=False)
    asyncio.run(server.start())
    with cheap_openings():
        yield server
    asyncio.run(server.stop())
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def embedder() -> Any:
    """The real embedding model, as installations use it; exported once for all runs."""
    from retrieval.embedding_export import ensure_exported

    return ensure_exported(find_exported())


@pytest.fixture(scope="session")
def prepared_registry(prepared: Prepared, prepared_postgres: EmbeddedPostgres) -> Any:
    """The models' registry of the prepared installation; only read it."""
    from models.registry import ModelRegistry

    tracking = prepared_postgres.mlflow_dsn.replace("postgresql://", "postgresql+psycopg://", 1)
    return ModelRegistry(tracking, prepared.mlruns_dir)


@pytest.fixture(scope="session")
def champions(prepared_registry: Any) -> Any:
    """The trained models, read from MLflow once."""
    from models.ranking_lifecycle import NAME as RANKING
    from models.training import NAMES

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's and SQLAlchemy's, not ours
        return {name: prepared_registry.load(name) for name in (*NAMES, RANKING)}


OpenServices = Callable[..., AbstractAsyncContextManager[Any]]


@pytest.fixture
def open_prepared(
    prepared: Prepared,
    prepared_postgres: EmbeddedPostgres,
    champions: Any,
    embedder: Any,
    tmp_path: Path,
) -> OpenServices:
    """Open `Services` on a copy of the prepared database; keywords are settings."""
    return partial(open_copy, prepared, prepared_postgres, champions, embedder, tmp_path)


@pytest.fixture
async def services(open_prepared: OpenServices) -> AsyncIterator[Any]:
    """The whole product in this process, on a prepared database of the test's own."""
    async with open_prepared() as opened:
        yield opened
