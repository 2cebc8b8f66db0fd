# SPDX-License-Identifier: Apache-2.0
"""`Services` on a copy of the prepared database, in this process."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from guardrails.name_store import find_model
from kernel.clock import Clock
from kernel.database import Connection, connect
from kernel.embedded import EmbeddedPostgres
from kernel.rolepasswords import Role
from tests.stack.prepared import Prepared

_numbers = itertools.count(1)


class _CompiledTemplates(BytecodeCache):
    """Compiled templates by their name and the digest of their source, for this process."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if (kept := self._kept.get(bucket.key + bucket.checksum)) is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


@contextmanager
def cheap_openings() -> Iterator[None]:
    """Let this process do once, or cheaply, what hundreds of products opened in it would repeat.

    Each hashes a password, and each person let in costs two hashes of 64 MiB: here argon2id runs at
    its least cost. Templates are compiled once. Products in processes of their own do as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        cheap = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("api.accounts.PasswordHasher", cheap)
        kept = partial(Environment, bytecode_cache=_CompiledTemplates())
        patch.setattr("api.pages.Environment", kept)
        yield


async def copy_database(admin: Connection, name: str) -> None:
    """Copy the database `eucora` of a server without durability, file by file.

    Written to the log page by page, as is the default, a copy costs three times as much.
    """
    await admin.execute(
        f"CREATE DATABASE {name} TEMPLATE eucora STRATEGY file_copy OWNER eucora_owner"
    )


@asynccontextmanager
async def open_copy(
    prepared: Prepared,
    postgres: EmbeddedPostgres,
    champions: Any,
    embedder: Any,
    folder: Path,
    *,
    clock: Clock | None = None,
    tracking: str | None = None,
    **values: Any,
) -> AsyncIterator[Any]:
    """Open `Services` on a database of the caller's own below `folder`; `values` are settings.

    The models' registry is the prepared one, which is only read: who changes it says where their
    own is (`tracking`, and the setting `mlruns_dir`).
    """
    from api.bootstrap import open_services  # slow imports, for those who need them
    from api.ground import DatabaseAddresses, open_ground
    from kernel.settings import Settings

    name = f"prepared_{next(_numbers)}"
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await copy_database(admin, name)
    data_dir = folder / name
    data_dir.mkdir()
    for part in ("keys", "objects"):
        if (prepared.data_dir / part).exists():
            shutil.copytree(prepared.data_dir / part, data_dir / part)
    # Folders of its own, or a test that moves a model takes it from all that run after it.
    shutil.copytree(
        find_model(prepared.data_dir / NAME_MODELS),
        find_model(data_dir / NAME_MODELS),
        copy_function=os.symlink,
    )
    settings = Settings(**{"mlruns_dir": prepared.mlruns_dir, **values, "data_dir": data_dir})
    addresses = DatabaseAddresses(
        owner=postgres.dsn(Role.OWNER, name),
        application=postgres.dsn(Role.APP, name),
        tracking=tracking or postgres.mlflow_dsn.replace("postgresql", "postgresql+psycopg", 1),
    )
    async with (
        open_ground(settings, addresses, clock=clock) as ground,
        open_services(ground, loaded=champions, embedder=embedder) as services,
    ):
        yield services
    async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
