# SPDX-License-Identifier: Apache-2.0
"""`Services` on a copy of the prepared database, in this process."""

import itertools
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from guardrails.name_store import FOLDER_NAME as NAME_MODELS
from guardrails.name_store import find_model
from kernel.clock import Clock
from kernel.database import connect
from kernel.embedded import EmbeddedPostgres
from kernel.rolepasswords import Role
from tests.stack.prepared import Prepared

_numbers = itertools.count(1)


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
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE eucora OWNER eucora_owner")
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
