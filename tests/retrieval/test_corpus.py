# SPDX-License-Identifier: Apache-2.0
"""The corpus over time: unchanged costs nothing, changed makes a version, citations resolve."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.preparation import load_knowledge
from kernel.audit import AuditIntake
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.embedding import LazyEmbedder
from retrieval.search import Retriever
from retrieval.search_index import create_index, find_index
from tests.fakes.time_and_ids import FixedClock, SequentialIds
from tests.retrieval.recounting import read_index, recount
from tests.stack.prepared import find_exported

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
TABLES = (
    "documents", "chunks", "scripts", "script_files", "search_indexes", "index_terms",
    "chunk_vectors", "document_vectors", "audit_events",
)  # fmt: skip


class CountingEmbedder:
    """The real embedder, counting what it is asked for."""

    def __init__(self, embedder) -> None:
        self._embedder = embedder
        self.name = embedder.name
        self.revision = embedder.revision
        self.n_dimensions = embedder.n_dimensions
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
    assert all(before)
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


async def test_the_index_follows_what_is_in_force(pool, corpus):
    async with pool.connection() as connection:
        await store(corpus, connection, DOCUMENT)
        await store(corpus, connection, replace(DOCUMENT, body="# One\n\nokapi\n"), OTHER)
        index = await find_index(connection)
        held = await read_index(connection, index)
        assert held == await recount(connection, index)
        assert set(held.chunks) == {"zebra@2#0", "okapi@1#0"}
        await corpus.retire(
            connection, ["zebra", "okapi", "unknown"],
            actor="user:ada", correlation_id="cor_test", reason="test",
        )  # fmt: skip
        held = await read_index(connection, index)
    assert (held.n_chunks, held.n_terms, held.terms) == (0, 0, {})
    assert held.chunks == {}
    assert held.documents == []


WORDS = ("disk", "printer", "0x80070005", "Get-ADUser", "event 7031", "the", "磁盘已满", "spooler")
NAMES = ("addax", "bongo", "caribou")
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(NAMES),
            st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
            st.sampled_from(["starter", "internal"]),
        ),
        st.sampled_from(NAMES),
    ),
    min_size=1,
    max_size=8,
)


@given(STEPS, st.booleans())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
async def test_no_order_of_changes_lets_an_index_drift(connection, counting, steps, beside):
    """Store, change and retire; also an index that is built beside follows each change."""
    clock, ids = FixedClock(), SequentialIds()
    corpus = Corpus(clock=clock, audit=AuditIntake(clock, ids), embedder=counting)
    try:
        await store(corpus, connection, OTHER)
        if beside:
            await create_index(connection, counting, clock, state="building")
        for step in steps:
            if isinstance(step, str):
                await corpus.retire(
                    connection, [step], actor="user:ada", correlation_id="cor_test", reason="test"
                )
                continue
            name, body, trust = step
            await store(
                corpus, connection, replace(DOCUMENT, document_id=name, body=body, trust=trust)
            )
        index = await find_index(connection)
        held = await read_index(connection, index)
        assert held == await recount(connection, index)
        assert min(held.terms.values(), default=1) > 0
        if beside:
            built = await read_index(connection, await find_index(connection, "building"))
            assert set(held.documents) - set(built.documents) == {"okapi"}
            assert built.n_chunks == len(built.chunks) == held.n_chunks - 1
            assert built.terms.keys() <= held.terms.keys()
    finally:
        await connection.rollback()


async def test_weights_are_made_anew_when_passages_get_longer(pool, corpus):
    async with pool.connection() as connection:
        await store(corpus, connection, replace(DOCUMENT, body="# Short\n\nzebra\n"))
        assumed = (await find_index(connection)).mean_length
        await store(
            corpus, connection,
            *(replace(DOCUMENT, document_id=name, body=f"# {name}\n\n" + "spooler jams " * 60)
              for name in NAMES),
        )  # fmt: skip
        index = await find_index(connection)
        assert index.mean_length > 2 * assumed
        assert index.mean_length == pytest.approx(index.n_terms / index.n_chunks)
        assert await read_index(connection, index) == await recount(connection, index)


async def test_a_lazy_model_is_loaded_for_the_first_document(pool, clock, ids, embedder):
    corpus = Corpus(
        clock=clock, audit=AuditIntake(clock, ids), embedder=LazyEmbedder(find_exported())
    )
    async with pool.connection() as connection:
        assert await store(corpus, connection, DOCUMENT) == 1
        assert (await find_index(connection)).revision == embedder.revision


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
