# SPDX-License-Identifier: Apache-2.0
"""The prepared corpus to search in, and an empty one to bring files to.

`library` is a connection to the first, rolled back after each test; `knowledge` brings files to
the second, past a real clamd.
"""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from api.knowledge_ingestion import open_knowledge
from guardrails.masking import Masker
from kernel.audit import AuditIntake
from kernel.database import Connection, connect
from kernel.settings import Settings
from retrieval.search import Retriever
from tests.retrieval.bringing import OKAPI, ZEBRA
from tests.stack.clamd import open_clamd


@pytest.fixture
async def library(prepared_postgres) -> AsyncIterator[Connection]:
    async with await connect(prepared_postgres.app_dsn) as opened:
        yield opened
        await opened.rollback()


@pytest.fixture
def retriever(embedder) -> Retriever:
    return Retriever(embedder)


@pytest.fixture(scope="module")
def clamd():
    with open_clamd() as running:
        yield running


@pytest.fixture(scope="module")
def masker():
    return Masker()


@pytest.fixture
def ground(pool, clock, ids, key_store, masker, clamd, tmp_path):
    """What ingestion stands on."""
    settings = Settings(data_dir=tmp_path / "data", clamd=clamd.unix)

    async def mask_text(text, known=None):
        return masker.mask(text, known).text

    return SimpleNamespace(
        settings=settings, pool=pool, clock=clock, ids=ids, key_store=key_store, masker=masker,
        audit=AuditIntake(clock, ids), mask_text=mask_text,
    )  # fmt: skip


@pytest.fixture
def knowledge(ground, embedder):
    return open_knowledge(ground, embedder=embedder)


@pytest.fixture
def folder(tmp_path):
    """A folder with two good articles."""
    path = tmp_path / "Help Desk"
    (path / "net").mkdir(parents=True)
    (path / "zebra.md").write_text(ZEBRA)
    (path / "net" / "okapi.md").write_text(OKAPI)
    return path
