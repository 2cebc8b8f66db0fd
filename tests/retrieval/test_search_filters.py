# SPDX-License-Identifier: Apache-2.0
"""Filters: a search returns all there is, and nothing else, whichever way it takes."""

import asyncio
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from kernel.audit import AuditIntake
from kernel.database import connect
from kernel.rolepasswords import Role
from retrieval import candidates
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.facets import SearchFilter
from retrieval.search import Retriever
from retrieval.search_index import find_index
from tests.fakes.time_and_ids import FixedClock, SequentialIds
from tests.retrieval.recounting import fetch

N_DOCUMENTS = 240
TOPICS = ("printer queue", "disk full", "vpn tunnel", "mail rejected 5.7.1", "blue screen 0x1a2b")
PLATFORMS, PRODUCTS, GROUPS = ("linux", "windows", "macos"), ("Outlook", "Zebra"), ("hr", "it", "x")


def draw(random, number):
    """A short document of random facets; some name no platform, product or group."""

    def some(values):
        return tuple(one for one in values if random.random() < 0.3)

    topic = TOPICS[number % len(TOPICS)]
    sections = "".join(
        f"## Step {step}\n\nWhen the {topic} fails, check item {number} of list {step}.\n\n"
        for step in range(random.integers(1, 4))
    )
    return CorpusDocument(
        document_id=f"d{number:03}", kind=str(random.choice(["article", "script"])),
        title=f"{topic} {number}", body=f"# {topic}\n\n{sections}", source="test",
        trust=str(random.choice(["starter", "internal", "external"])), platforms=some(PLATFORMS),
        products=some(PRODUCTS), failure_classes=(), related_scripts=(),
        language=str(random.choice(["en", "de"])), access_groups=some(GROUPS),
    )  # fmt: skip


def draw_filter(random):
    def maybe(values):
        return random.choice([None, *values])

    def some(values):
        return tuple(one for one in values if random.random() < 0.4)

    return SearchFilter(
        platform=maybe([*PLATFORMS, "plan9"]), kind=maybe(["article", "script"]),
        products=some(PRODUCTS), languages=some(["en", "de"]),
        trusts=some(["starter", "internal", "external"]),
        groups=None if random.random() < 0.3 else some(GROUPS),
    )  # fmt: skip


@pytest.fixture(scope="module")
def many_dsn(postgres, embedder):
    """A database with documents of random facets, made once."""

    async def change(statement):
        async with await connect(postgres.superuser_dsn, autocommit=True) as admin:
            await admin.execute(statement)

    async def fill(dsn):
        clock, random = FixedClock(), np.random.default_rng(5)
        audit = AuditIntake(clock, SequentialIds())
        documents = [draw(random, number) for number in range(N_DOCUMENTS)]
        async with await connect(dsn) as connection:
            await Corpus(clock=clock, audit=audit, embedder=embedder).store(
                connection, documents, actor="user:ada", correlation_id="cor_test"
            )
            await connection.commit()

    asyncio.run(change("CREATE DATABASE many TEMPLATE eucora OWNER eucora_owner"))
    dsn = postgres.dsn(Role.APP, "many")
    asyncio.run(fill(dsn))
    yield dsn
    asyncio.run(change("DROP DATABASE many WITH (FORCE)"))


@pytest.fixture
async def many(many_dsn):
    async with await connect(many_dsn) as connection:
        yield connection
        await connection.rollback()


def record_statements(monkeypatch):
    """Count the statements that look for candidates, by name."""
    counts: Counter[str] = Counter()
    read = candidates._read

    async def counting(connection, name, asked):
        counts[name] += 1
        return await read(connection, name, asked)

    monkeypatch.setattr(candidates, "_read", counting)
    return counts


@pytest.fixture(params=["exact", "graphs"])
async def way(request, many, monkeypatch):
    """How passages are found: all are read, or the graphs are walked."""
    statements = record_statements(monkeypatch)
    if request.param == "graphs":
        monkeypatch.setattr(candidates, "READ_MS", 1e9)
        monkeypatch.setattr(candidates, "N_CANDIDATES", 20)
        await many.execute("SET LOCAL enable_seqscan = off")
        await many.execute("SET LOCAL enable_sort = off")
        await many.execute("SET LOCAL enable_bitmapscan = off")
    yield request.param
    assert statements["find_nearly" if request.param == "graphs" else "find_exactly"] > 0


async def scan(connection, only):
    """Return by document in force that passes the number of its passages, read from its columns."""

    def lower(values):
        return [one.lower() for one in values] or None

    rows = await fetch(
        connection,
        "SELECT d.document_id, count(*) AS n"
        " FROM documents AS d JOIN chunks AS c USING (document_id, version)"
        " WHERE d.retired_at IS NULL AND c.current"
        " AND (%s::text IS NULL OR platforms = '{}' OR %s = ANY (platforms))"
        " AND (%s::text IS NULL OR kind = %s)"
        " AND (%s::text[] IS NULL OR products = '{}'"
        " OR lower(products::text)::text[] && %s::text[])"
        " AND (%s::text[] IS NULL OR language = ANY (%s::text[]))"
        " AND (%s::text[] IS NULL OR trust = ANY (%s::text[]))"
        " AND (%s::text[] IS NULL OR access_groups = '{}' OR access_groups && %s::text[])"
        " GROUP BY d.document_id",
        only.platform, only.platform, only.kind, only.kind,
        lower(only.products), lower(only.products), lower(only.languages), lower(only.languages),
        lower(only.trusts), lower(only.trusts),
        None if only.groups is None else list(only.groups),
        None if only.groups is None else list(only.groups),
    )  # fmt: skip
    return {row["document_id"]: row["n"] for row in rows}


async def test_a_filtered_search_returns_all_there_is_and_nothing_else(many, way, embedder):
    random = np.random.default_rng(17)
    retriever = Retriever(embedder)
    n_empty = 0
    for number in range(60):
        only, limit = draw_filter(random), int(random.choice([1, 8, 40, 300]))
        text = f"{TOPICS[number % len(TOPICS)]} fails"
        passing = await scan(many, only)
        found = await retriever.search(many, text, only=only, limit=limit)
        assert {one.document_id for one in found} <= set(passing), only
        assert len(found) == min(limit, sum(min(n, 2) for n in passing.values())), only
        assert len({one.chunk_id for one in found}) == len(found)
        n_empty += not passing
    assert n_empty < 20


async def test_graphs_find_what_reading_all_finds(many, embedder, monkeypatch):
    retriever = Retriever(embedder)
    statements = record_statements(monkeypatch)
    shares = []
    for topic in TOPICS:
        for only in (SearchFilter(), SearchFilter(groups=("hr",)), SearchFilter(platform="linux")):
            exact = await retriever.search(many, f"{topic} fails", only=only, limit=8)
            with monkeypatch.context() as patched:
                patched.setattr(candidates, "READ_MS", 1e9)
                async with many.transaction():
                    await many.execute("SET LOCAL enable_seqscan = off")
                    await many.execute("SET LOCAL enable_sort = off")
                    near = await retriever.search(many, f"{topic} fails", only=only, limit=8)
            shares.append(len({p.chunk_id for p in exact} & {p.chunk_id for p in near}) / 8)
    assert statements["find_exactly"] == statements["find_nearly"] == len(shares)
    print(f"of the exact results, graphs find {np.mean(shares):.1%}")
    assert np.mean(shares) >= 0.95


async def test_the_graphs_are_walked(many, embedder, monkeypatch):
    """The plan of `find_nearly` takes both graphs and the list of signals."""
    index = await find_index(many)
    await many.execute("SET LOCAL enable_seqscan = off")
    await many.execute("SET LOCAL enable_sort = off")
    await many.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    asked = {
        "index_id": index.index_id, "embedding": "[" + ",".join(["0.05"] * 384) + "]",
        "adapted": None, "keywords": "{1:1}/268435456", "signals": ["code:0x1a2b"],
        "rare_signals": ["code:0x1a2b"], "voted": [], "n_candidates": 20,
        **SearchFilter(platform="linux").alternatives(),
    }  # fmt: skip
    rows = await (
        await many.execute("EXPLAIN " + candidates.QUERIES["find_nearly"], asked)
    ).fetchall()
    plan = "\n".join(row["QUERY PLAN"] for row in rows)
    assert re.search(r"Index Scan using chunk_vectors_\d+_embedding_idx", plan), plan
    assert re.search(r"Index Scan using chunk_vectors_\d+_keywords_idx", plan), plan


async def test_groups_never_leak_a_document(many, way, embedder):
    """Not for a text that is its own, nor for a past ticket that it helped with."""
    rows = await fetch(
        many, "SELECT document_id, title, access_groups FROM documents WHERE access_groups <> '{}'"
    )
    retriever = Retriever(embedder)
    for row in rows[:25]:
        closed = SearchFilter(
            groups=tuple(one for one in GROUPS if one not in row["access_groups"])
        )
        opened = SearchFilter(groups=tuple(row["access_groups"][:1]))
        names = [
            {one.document_id for one in await retriever.search(
                many, row["title"], only=only, limit=200)}
            for only in (closed, opened)
        ]  # fmt: skip
        assert row["document_id"] not in names[0]
        assert row["document_id"] in names[1]


async def test_a_past_ticket_does_not_open_a_document(many, way, embedder):
    (row,) = await fetch(
        many, "SELECT document_id, title FROM documents WHERE access_groups = '{hr}' LIMIT 1"
    )
    vector = (await embedder.embed((row["title"],)))[0]
    await many.execute(
        "INSERT INTO search_labels (label_id, text, document_id, label, origin, embedding, model,"
        " actor, created_at) VALUES ('l', %s, %s, 'helped', 'search', %s, %s, 'user:ada', now())",
        (row["title"], row["document_id"], str(vector.tolist()), embedder.name),
    )
    retriever = Retriever(embedder)
    (found, *_) = await retriever.search(many, row["title"], only=SearchFilter(groups=("hr",)))
    assert found.document_id == row["document_id"]
    assert found.votes > 0.5
    assert found.parts["tickets"] > 0
    for groups in ((), ("it",), ("*x",), ("HR",)):
        others = await retriever.search(many, row["title"], only=SearchFilter(groups=groups))
        assert row["document_id"] not in {one.document_id for one in others}


async def test_a_long_document_leaves_room_for_others(
    connection, embedder, clock, ids, monkeypatch
):
    """All of the best passages may be its own."""
    corpus = Corpus(clock=clock, audit=AuditIntake(clock, ids), embedder=embedder)
    body = "# Printer queue\n\n" + "".join(
        f"## Printer queue {n}\n\n"
        + "The printer queue is stuck: clear printer queue. " * 30
        + "\n\n"
        for n in range(50)
    )
    long_one = replace(draw(np.random.default_rng(1), 0), body=body, access_groups=())
    others = [
        replace(long_one, document_id=f"o{n}", title=f"Cables {n}", body=f"Cable number {n}.")
        for n in range(9)
    ]
    await corpus.store(connection, [long_one, *others], actor="user:ada", correlation_id="cor_test")
    monkeypatch.setattr(candidates, "N_CANDIDATES", 20)
    index = await find_index(connection)
    assert index.n_chunks > 50
    for read_ms in (0.0, 1e9):
        monkeypatch.setattr(candidates, "READ_MS", read_ms)
        found = await Retriever(embedder).search(connection, "printer queue is stuck", limit=8)
        assert len(found) == 8
        assert found[0].document_id == long_one.document_id


@pytest.mark.parametrize(
    "text",
    ["", "the of", "磁盘", " ".join(f"word{n}" for n in range(1_500)), "printer " * 2_000, "\x00"],
)
async def test_no_text_harms_the_walk(many, way, embedder, text):
    assert len(await Retriever(embedder).search(many, text)) == 8


def test_what_is_read_whole_follows_what_a_walk_would_take():
    prefers = candidates.prefers_graphs
    assert not prefers(0, 1_000_000)
    assert not prefers(4_000, 4_000)
    assert prefers(10_000, 10_000)
    assert not prefers(10_000, 100_000)
    assert not prefers(10_000, 1_000_000)
    assert prefers(100_000, 1_000_000)
