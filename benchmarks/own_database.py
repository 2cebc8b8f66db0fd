# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of a benchmark's own with the product's schema, and the embedder, in one folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.ground import Ground, migrate_database, open_database, open_ground
from kernel.settings import Settings
from retrieval.embedding import FOLDER_NAME, Embedder, open_embedder


@asynccontextmanager
async def open_own_database(folder: Path) -> AsyncIterator[tuple[Ground, Embedder]]:
    """Start or resume the database in a folder; yield what searches need."""
    settings = Settings(data_dir=folder / "eucora", mlruns_dir=folder / "mlruns")
    embedder = await asyncio.to_thread(open_embedder, folder / FOLDER_NAME)
    async with open_database(settings) as addresses:
        await migrate_database(addresses)
        async with open_ground(settings, addresses) as ground:
            yield ground, embedder
