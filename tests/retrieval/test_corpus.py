# SPDX-License-Identifier: Apache-2.0
"""The corpus over time: unchanged costs nothing, changed makes a version, citations resolve."""

import asyncio
from dataclasses import replace

import pytest

from api.preparation import load_knowledge
from kernel.audit import AuditIntake
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.search import Retriever

BODY = (
    "# Zebra spooler\n\nThe zebra label printer prints half a label.\n\n## Fix\n\nCalibrate it.\n"
)
DOCUMENT = CorpusDocument(
    document_id="zebra",
    kind="article",
    title="Zebra label printer",
    body=BODY,
    source="test",
    trust="internal",
    platforms=("linux",),
    products=("Zebra",),
    failure_classes=("printing",),
    related_scripts=(),
)
OTHER = replace(DOCUMENT, document_id="okapi", title="Okapi", body="# Okapi\n\nAnother animal.\n")
CONTENTS = (
    "SELECT md5(string_agg(t.xmin::text || t.ctid::text || t::text, ',' ORDER BY t::text)) AS mark"
    " FROM {} AS t"
)
TABLES = ("documents", "chunks", "retrieval_statistics", "scripts", "script_files", "audit_events")


class CountingEmbedder:
    """The real embedder, counting what it is asked for."""

    def __init__(self, embedder) -> None:
        self._embedder = embedder
        self.texts = []

    async def embed(self, texts):
        """Embed and count."""
        self.texts.extend(texts)
        return await self._embedder.embed(texts)


@pytest.fixture
def counting(embedder) -> CountingEmbedder:
    return CountingEmbedder(embedder)


@pytest.fixture
def corpus(clock, ids, counting) -> Corpus:
    return Corpus(clock=clock, audit=AuditIntake(clock, ids), embedder=counting)


async def store(corpus, connection, *documents, correlation_id="cor_test") -> int:
    return await corpus.store(
        connection, documents, actor="user:ada", correlation_id=correlation_id
    )


async def rows(connection, statement, *arguments):
    return await (await connection.execute(statement, arguments)).fetchall()


async def mark(connection) -> list[str]:
    """Return a digest of every row with its place and transaction, a table each."""
    marks = [await rows(connection, CONTENTS.format(table)) for table in TABLES]
    return [found[0]["mark"] for found in marks]


async def test_loading_the_same_knowledge_again_touches_no_row(services):
    ground = services.ground
    async with ground.pool.connection() as connection:
        before = await mark(connection)
    assert all(before[:5])
    seen = []
    assert await load_knowledge(
        ground, progress=lambda name, done, total: seen.append((name, done, total))
    ) == (0, 0)
    async with ground.pool.connection() as connection:
        assert await mark(connection) == before
    (last,) = {item for item in seen if item[0] == "passages" and item[1] == item[2]}
    assert last[2] >= 120


async def test_storing_the_same_again_embeds_and_writes_nothing(pool, corpus, counting):
    async with pool.connection() as connection:
        assert await store(corpus, connection, DOCUMENT, OTHER) == 2
    n_embedded = len(counting.texts)
    assert n_embedded == 3
    async with pool.connection() as connection:
        before = await mark(connection)
        assert await store(corpus, connection, DOCUMENT, OTHER) == 0
    async with pool.connection() as connection:
        assert await mark(connection) == before
    assert len(counting.texts) == n_embedded


async def test_a_changed_document_is_a_new_version_and_old_citations_resolve(
    pool, corpus, counting
):
    retriever = Retriever(counting)
    changed = replace(DOCUMENT, body=BODY.replace("Calibrate it.", "Hold the feed button."))
    async with pool.connection() as connection:
        await store(corpus, connection, DOCUMENT, OTHER)
        (old, *_) = await retriever.search(connection, "calibrate", limit=1)
    del counting.texts[:]
    async with pool.connection() as connection:
        assert await store(corpus, connection, changed, OTHER, correlation_id="cor_second") == 1
    assert len(counting.texts) == 2  # the changed document alone
    async with pool.connection() as connection:
        found = await retriever.search(connection, "calibrate zebra", limit=9)
        assert {(item.document_id, item.version) for item in found} == {("zebra", 2), ("okapi", 1)}
        assert not any("Calibrate" in item.text for item in found)
        (document,) = await rows(
            connection,
            "SELECT body, retired_at FROM documents WHERE document_id = %s AND version = %s",
            old.document_id,
            old.version,
        )
        assert document["body"][old.start_offset : old.end_offset] == old.text
        assert document["retired_at"] is not None
        chunk = await rows(
            connection, "SELECT text, current FROM chunks WHERE chunk_id = %s", old.chunk_id
        )
        assert chunk == [{"text": old.text, "current": False}]
        (event,) = await rows(
            connection,
            "SELECT actor, before, after FROM audit_events WHERE correlation_id = 'cor_second'",
        )
    assert event["actor"] == "user:ada"
    assert event["before"]["content_sha256"] == DOCUMENT.content_sha256
    assert event["after"] == {"content_sha256": changed.content_sha256, "version": 2}


async def test_a_document_that_goes_back_gets_a_third_version(pool, corpus):
    async with pool.connection() as connection:
        await store(corpus, connection, DOCUMENT)
        await store(corpus, connection, replace(DOCUMENT, title="Zebra"))
        await store(corpus, connection, DOCUMENT)
        found = await rows(
            connection,
            "SELECT version, retired_at IS NULL AS current FROM documents ORDER BY version",
        )
    assert [(row["version"], row["current"]) for row in found] == [
        (1, False), (2, False), (3, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Other"},
        {"trust": "starter"},
        {"platforms": ("linux", "macos")},
        {"failure_classes": ("dns",)},
        {"related_scripts": ("linux-flush-dns",)},
    ],
)
def test_all_that_steers_reasoning_is_in_the_digest(changes):
    assert replace(DOCUMENT, **changes).content_sha256 != DOCUMENT.content_sha256


def test_where_it_was_read_is_not_in_the_digest():
    assert replace(DOCUMENT, source="elsewhere").content_sha256 == DOCUMENT.content_sha256


async def test_statistics_follow_what_is_in_force(pool, corpus):
    async with pool.connection() as connection:
        await store(corpus, connection, DOCUMENT)
        await store(corpus, connection, replace(DOCUMENT, body="# One\n\nokapi\n"))
        (statistics,) = await rows(
            connection, "SELECT n_chunks, document_frequency FROM retrieval_statistics"
        )
        (chunks,) = await rows(connection, "SELECT count(*) AS n FROM chunks WHERE current")
    assert statistics["n_chunks"] == chunks["n"] == 1
    assert set(statistics["document_frequency"].values()) == {1}


async def test_two_that_load_at_once_take_turns(pool, corpus):
    async def load() -> int:
        async with pool.connection() as connection:
            return await store(corpus, connection, DOCUMENT, OTHER)

    assert sorted(await asyncio.gather(load(), load(), load())) == [0, 0, 2]
    async with pool.connection() as connection:
        (counts,) = await rows(connection, "SELECT count(*) AS n FROM documents")
    assert counts["n"] == 2


async def test_a_failed_load_leaves_nothing(pool, corpus):
    async def fail() -> None:
        async with pool.connection() as connection:
            await store(corpus, connection, DOCUMENT)
            raise RuntimeError("the disk went away")

    with pytest.raises(RuntimeError, match="the disk went away"):
        await fail()
    async with pool.connection() as connection:
        for table in TABLES:
            assert await rows(connection, f"SELECT 1 FROM {table}") == []
