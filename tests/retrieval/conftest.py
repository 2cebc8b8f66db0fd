# SPDX-License-Identifier: Apache-2.0
"""`library`: a connection to the prepared corpus, rolled back after each test."""

from collections.abc import AsyncIterator

import pytest

from kernel.database import Connection, connect
from retrieval.search import Retriever


@pytest.fixture
async def library(prepared_postgres) -> AsyncIterator[Connection]:
    async with await connect(prepared_postgres.app_dsn) as opened:
        yield opened
        await opened.rollback()


@pytest.fixture
def retriever(embedder) -> Retriever:
    return Retriever(embedder)
