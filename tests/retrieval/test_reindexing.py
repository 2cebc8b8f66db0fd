# SPDX-License-Identifier: Apache-2.0
"""A new index is built beside the one that serves: complete, resumable, and nobody notices."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from kernel.audit import AuditIntake
from kernel.database import connect
from retrieval import reindexing
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.errors import EmbeddingModelError, ReindexingBusyError, ReindexingError
from retrieval.keywords import RECIPE
from retrieval.reindexing import Reindexer, needs_reindex
from retrieval.search import Retriever
from retrieval.search_index import create_index, drop_retired, find_index
from tests.retrieval.recounting import fetch, read_index, read_vectors, recount
from tests.stack.prepared import find_exported

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "addax", "bongo", "caribou", "dikdik", "eland", "fallow", "gazelle", "hartebeest", "impala",
    "kudu", "lechwe", "moose", "nyala", "oryx",
)  # fmt: skip
PAGE = 4
CHILD = """
import asyncio, sys, time
from pathlib import Path
from kernel.audit import AuditIntake
from kernel.clock import SystemClock
from kernel.database import open_pool
from kernel.ids import RandomIds
from retrieval import reindexing
from retrieval.embedding import open_embedder

def wait(done, total):
    print(done, total, flush=True)
    if done >= 8:
        time.sleep(100)

async def main(dsn, folder):
    reindexing.DOCUMENTS_AT_ONCE = 4
    embedder, clock = open_embedder(Path(folder)), SystemClock()
    async with open_pool(dsn) as pool:
        builder = reindexing.Reindexer(pool, embedder, clock, AuditIntake(clock, RandomIds()))
        await builder.build(actor="cli:eve", correlation_id="cor_child", progress=wait)

asyncio.run(main(*sys.argv[1:]))
"""


def make(name, **changes):
    document = CorpusDocument(
        document_id=name,
        kind="article",
        title=f"{name} drivers",
        body=f"# {name} drivers\n\nThe {name} printer shows 0x{crc32(name.encode()):08x}.\n\n"
        f"## Mend\n\nUpdate the driver of the {name}.\n",
        source="test",
        trust="internal",
        platforms=("linux",),
        products=(),
        failure_classes=(),
        related_scripts=(),
        language="en",
    )
    return replace(document, **changes)


class WatchedEmbedder:
    """The real embedder under a name of its own; tells what it was asked, and may be held up."""

    def __init__(self, embedder, *, name=None, revision=None) -> None:
        self._embedder = embedder
        self.name = name or embedder.name
        self.revision = revision or embedder.revision
        self.n_dimensions = embedder.n_dimensions
        self.texts = []
        self.n_calls = 0
        self.before = {}  # number of a call: what to await before it

    async def embed(self, texts):
        self.n_calls += 1
        self.texts.extend(text for text in texts if text)
        if self.n_calls in self.before:
            await self.before[self.n_calls]()
        return await self._embedder.embed(texts)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(reindexing, "DOCUMENTS_AT_ONCE", PAGE)
    monkeypatch.setattr(reindexing, "PAUSE_SECONDS", 0.02)


@pytest.fixture
def audit(clock, ids):
    return AuditIntake(clock, ids)


@pytest.fixture
def corpus(clock, audit, embedder):
    return Corpus(clock=clock, audit=audit, embedder=embedder)


@pytest.fixture
def watched(embedder):
    return WatchedEmbedder(embedder, revision="other-revision")


@pytest.fixture
def reindexer(pool, watched, clock, audit):
    return Reindexer(pool, watched, clock, audit)


@pytest.fixture
async def serving(pool, corpus):
    """A corpus with an index that serves."""
    return await store(pool, corpus, *map(make, NAMES))


async def store(pool, corpus, *documents):
    async with pool.connection() as connection:
        await corpus.store(connection, documents, actor="user:ada", correlation_id="cor_test")
        return await find_index(connection)


async def retire(pool, corpus, *names):
    async with pool.connection() as connection:
        await corpus.retire(
            connection, names, actor="user:ada", correlation_id="cor_test", reason="test"
        )


def build(reindexer, **options):
    return reindexer.build(actor="user:ada", correlation_id="cor_build", **options)


async def assert_complete(pool, index, embedder):
    async with pool.connection() as connection:
        assert (await find_index(connection)).index_id == index.index_id
        assert await find_index(connection, "building") is None
        assert await read_index(connection, index) == await recount(connection, index)
        vectors = await read_vectors(connection, index)
        assert not await needs_reindex(connection, embedder)
    assert vectors


async def list_tables(pool):
    async with pool.connection() as connection:
        found = await fetch(
            connection, "SELECT relname FROM pg_class WHERE relname ~ '^chunk_vectors_[0-9]+$'"
        )
    return {row["relname"] for row in found}


async def test_an_index_of_another_revision_is_replaced(pool, serving, reindexer, watched):
    seen = []
    index = await build(reindexer, progress=lambda *numbers: seen.append(numbers))
    assert index.index_id != serving.index_id
    assert (index.model, index.revision, index.recipe) == (
        watched.name, "other-revision", RECIPE,
    )  # fmt: skip
    assert seen == [(4, 14), (8, 14), (12, 14), (14, 14)]
    await assert_complete(pool, index, watched)
    assert await list_tables(pool) == {f"chunk_vectors_{index.index_id}"}
    async with pool.connection() as connection:
        (event,) = await fetch(
            connection, "SELECT * FROM audit_events WHERE action = 'search_index.served'"
        )
    assert (event["actor"], event["correlation_id"]) == ("user:ada", "cor_build")
    assert event["before"]["revision"] == serving.revision
    assert event["after"]["revision"] == "other-revision"
    assert event["before"]["n_chunks"] == event["after"]["n_chunks"] == index.n_chunks > 14


async def test_vectors_are_those_of_the_passages_read(pool, serving, reindexer, embedder):
    async with pool.connection() as connection:
        old = await read_vectors(connection, serving)
    index = await build(reindexer)
    async with pool.connection() as connection:
        new = await read_vectors(connection, index)
    assert set(new) == set(old)
    assert min(np.dot(new[chunk_id], old[chunk_id]) for chunk_id in old) > 0.99


async def test_documents_without_any_index_get_one(pool, serving, corpus, reindexer, watched):
    """As after a migration from before there were indexes."""
    async with pool.connection() as connection:
        await connection.execute("UPDATE search_indexes SET state = 'retired'")
        await drop_retired(connection)
    async with pool.connection() as connection:
        assert await needs_reindex(connection, watched)
        assert await Retriever(watched).search(connection, "printer") == []
    index = await build(reindexer)
    await assert_complete(pool, index, watched)
    async with pool.connection() as connection:
        assert len(await Retriever(watched).search(connection, "printer", limit=5)) == 5
        (event,) = await fetch(
            connection, "SELECT * FROM audit_events WHERE action = 'search_index.served'"
        )
    assert event["before"] is None


async def test_who_needs_a_new_index(pool, corpus, embedder, clock):
    async with pool.connection() as connection:
        assert not await needs_reindex(connection, embedder)  # an empty corpus
    await store(pool, corpus, make("addax"))
    async with pool.connection() as connection:
        assert not await needs_reindex(connection, embedder)
        assert await needs_reindex(connection, WatchedEmbedder(embedder, revision="other"))
        assert await needs_reindex(connection, WatchedEmbedder(embedder, name="other"))
        await connection.execute("UPDATE search_indexes SET recipe = 'other'")
        assert await needs_reindex(connection, embedder)
        await connection.execute("UPDATE search_indexes SET recipe = %s", (RECIPE,))
        await connection.execute("DELETE FROM document_vectors")
        assert await needs_reindex(connection, embedder)  # it is incomplete


async def test_an_empty_corpus_gets_an_empty_index(pool, corpus, reindexer, watched):
    index = await build(reindexer)
    assert index.n_chunks == 0
    await store(pool, corpus, make("addax"))
    async with pool.connection() as connection:
        assert await Retriever(watched).search(connection, "addax")


@pytest.mark.parametrize("model", ["same", "other"])
async def test_what_changes_during_the_build_is_in_the_index(
    pool, serving, corpus, clock, audit, embedder, model
):
    """Page by page: documents done, in work and to come are changed, retired and added.

    Whoever changes them may run another model and then leaves the new index alone.
    """
    watched = WatchedEmbedder(
        embedder, revision="new", name=None if model == "same" else "other-model"
    )
    reindexer = Reindexer(pool, watched, clock, audit)

    async def change() -> None:
        await store(
            pool, corpus, make("addax", title="Changed when done"),
            make("fallow", title="Changed in work"), make("nyala", title="Changed before"),
            make("aardvark"), make("gnu"), make("zebu"),
        )  # fmt: skip
        await retire(pool, corpus, "bongo", "gazelle", "oryx")

    async def change_again() -> None:
        await retire(pool, corpus, "addax", "gnu")
        await store(pool, corpus, make("bongo", title="Back"), make("nyala"), make("yak"))

    # The first call loads the model, the second embeds the first page.
    watched.before = {3: change, 4: change_again}
    index = await build(reindexer)
    await assert_complete(pool, index, watched)
    async with pool.connection() as connection:
        found = {row["document_id"] for row in await fetch(
            connection, "SELECT document_id FROM document_vectors"
        )}  # fmt: skip
    assert found == {*NAMES, "aardvark", "zebu", "yak"} - {"addax", "gazelle", "oryx"}


async def test_searches_go_on_through_switch_and_drop(
    pool, dsn, serving, corpus, reindexer, watched, embedder
):
    """On connections of their own, each search in a transaction, some of several searches."""
    stop = asyncio.Event()

    async def search(retriever, n_statements):
        async with await connect(dsn) as connection:
            while not stop.is_set():
                for _ in range(n_statements):
                    found = await retriever.search(connection, "printer shows an error", limit=4)
                    assert len(found) == 4
                await connection.commit()
                await asyncio.sleep(0.01)  # leaves a slow machine time for the build

    async def ingest():
        number = 0
        while not stop.is_set():
            number += 1
            await store(pool, corpus, make("kudu", title=f"Kudu {number}"))
            await asyncio.sleep(0.1)

    searches = [
        asyncio.create_task(search(Retriever(embedder), n_statements)) for n_statements in (1, 1, 3)
    ]
    ingestion = asyncio.create_task(ingest())
    index = await build(reindexer)
    while not await reindexer.drop_leftovers():
        pass
    stop.set()
    await asyncio.gather(*searches, ingestion)
    assert await list_tables(pool) == {f"chunk_vectors_{index.index_id}"}
    await assert_complete(pool, index, watched)


async def test_a_search_that_does_not_end_keeps_the_old_tables(
    pool, dsn, serving, reindexer, watched, monkeypatch
):
    monkeypatch.setattr(reindexing, "DROP_ATTEMPTS", 2)
    retriever = Retriever(watched)
    gate = asyncio.Event()
    async with await connect(dsn) as reader:
        # Tables are made before somebody reads on, and dropped after the switch.
        async def read() -> None:
            assert await retriever.search(reader, "printer")
            gate.set()

        watched.before = {3: read}
        index = await build(reindexer)
        assert gate.is_set()
        assert len(await list_tables(pool)) == 2
        assert await retriever.search(reader, "printer")
        assert not await reindexer.drop_leftovers()
        await reader.rollback()
    assert await reindexer.drop_leftovers()
    assert await list_tables(pool) == {f"chunk_vectors_{index.index_id}"}


async def test_a_search_that_does_not_end_keeps_new_tables_from_being_made(
    pool, dsn, serving, reindexer, watched, monkeypatch
):
    monkeypatch.setattr(reindexing, "MAKE_ATTEMPTS", 2)
    async with await connect(dsn) as reader:
        assert await Retriever(watched).search(reader, "printer")
        with pytest.raises(ReindexingError, match="never paused"):
            await build(reindexer)
        assert await Retriever(watched).search(reader, "printer")
    await assert_complete(pool, await build(reindexer), watched)


async def test_killed_and_run_again_it_goes_on(pool, dsn, serving, reindexer, embedder, corpus):
    async with pool.connection() as connection:
        await connection.execute("UPDATE search_indexes SET revision = 'old'")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, dsn, str(find_exported()),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert await child.stdout.readline() == b"4 14\n"
    assert await child.stdout.readline() == b"8 14\n"
    child.send_signal(signal.SIGKILL)
    await child.wait()
    child._transport.close()
    async with pool.connection() as connection:
        begun = await find_index(connection, "building")
    watched = WatchedEmbedder(embedder)
    second = Reindexer(pool, watched, reindexer._clock, reindexer._audit)
    await store(pool, corpus, make("addax", title="Changed between"))
    index = None
    while index is None:
        try:
            index = await build(second)
        except ReindexingBusyError:  # the server has not noticed the death yet
            await asyncio.sleep(0.01)
    assert index.index_id == begun.index_id
    done = {name for name in NAMES if any(name in text for text in watched.texts)}
    assert done == set(NAMES[8:])  # the child did the others
    await assert_complete(pool, index, watched)


async def test_stopped_after_the_graphs_it_does_not_make_them_twice(
    pool, serving, reindexer, watched, monkeypatch
):
    async def fail(*_: object) -> None:
        raise RuntimeError("the power went away")

    with monkeypatch.context() as patched:
        patched.setattr(Reindexer, "_serve", fail)
        with pytest.raises(RuntimeError, match="the power went away"):
            await build(reindexer)
    async with pool.connection() as connection:
        assert (await find_index(connection)).index_id == serving.index_id
    watched.texts.clear()
    index = await build(reindexer)
    assert watched.texts == []
    async with pool.connection() as connection:
        graphs = await fetch(
            connection,
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef ~ 'hnsw'",
            f"chunk_vectors_{index.index_id}",
        )
    assert len(graphs) == 2
    await assert_complete(pool, index, watched)


async def test_what_another_model_has_begun_is_given_up(
    pool, serving, reindexer, watched, clock, embedder
):
    async with pool.connection() as connection:
        begun = await create_index(
            connection, WatchedEmbedder(embedder, name="third-model"), clock, state="building"
        )
    index = await build(reindexer)
    assert index.index_id != begun.index_id
    assert await list_tables(pool) == {f"chunk_vectors_{index.index_id}"}
    await assert_complete(pool, index, watched)


async def test_of_two_builders_the_second_is_refused(pool, serving, reindexer, watched):
    refused = []

    async def build_too() -> None:
        with pytest.raises(ReindexingBusyError, match="Somebody else"):
            await build(reindexer)
        refused.append(True)

    watched.before = {2: build_too}
    index = await build(reindexer)
    assert refused
    await assert_complete(pool, index, watched)
    await assert_complete(pool, await build(reindexer), watched)  # the right to build is free


async def test_a_cancelled_builder_frees_the_right_to_build(pool, serving, reindexer, watched):
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    watched.before = {3: hang}
    task = asyncio.create_task(build(reindexer))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    watched.before = {}
    await assert_complete(pool, await build(reindexer), watched)


async def test_an_index_given_up_by_others_is_not_served(pool, serving, reindexer, watched):
    async def give_up() -> None:
        async with pool.connection() as connection:
            await connection.execute(
                "UPDATE search_indexes SET state = 'retired' WHERE state = 'building'"
            )

    watched.before = {3: give_up}
    with pytest.raises(ReindexingError):
        await build(reindexer)
    async with pool.connection() as connection:
        assert (await find_index(connection)).index_id == serving.index_id


async def test_a_program_of_another_model_is_told_to_reindex(pool, serving, embedder):
    async with pool.connection() as connection:
        with pytest.raises(EmbeddingModelError, match="eucora kb reindex"):
            await Retriever(WatchedEmbedder(embedder, name="other")).search(connection, "printer")
