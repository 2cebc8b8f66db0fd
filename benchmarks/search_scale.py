# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.search_scale`: how fast a search is, and what its shortcuts miss, by size.

Passages of real text (sentences of the starter articles, or of sets given with --data, put together
anew) are embedded up to --real; beyond that, vectors are mixtures of real ones, and keywords those
of the passages that were mixed. Filters pass 1, 10 and 100 % of the corpus. Each search is the
product's own, through PostgreSQL; the truth is a full scan.
"""

import asyncio
import json as json_format
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pgvector import HalfVector
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.ground import Ground, migrate_database, open_database, open_ground
from benchmarks.retrieval import read_lines
from kernel.database import Connection
from kernel.settings import Settings
from retrieval.embedding import Embedder, Vectors, open_embedder
from retrieval.facets import SearchFilter
from retrieval.search import Retriever
from retrieval.search_index import (
    QUERIES,
    IndexEntry,
    SearchIndex,
    add_entries,
    create_index,
    find_index,
)

ROOT = Path(__file__).resolve().parent.parent
PASSAGE_SENTENCES = 4
PASSAGES_PER_DOCUMENT = 4
ENTRIES_AT_ONCE = 250
SHARES = {"1 %": 0.01, "10 %": 0.1, "100 %": 1.0}
NOISE = 0.35
TRUTH = """
SELECT chunk_id FROM chunk_vectors
WHERE index_id = %(index_id)s AND (%(facets)s::text[] IS NULL OR facets && %(facets)s::text[])
ORDER BY (embedding <=> %(embedding)s::halfvec) + 0, chunk_id LIMIT 10
"""
FOUND = """
SELECT chunk_id FROM chunk_vectors
WHERE index_id = %(index_id)s AND (%(facets)s::text[] IS NULL OR facets && %(facets)s::text[])
ORDER BY embedding <=> %(embedding)s::halfvec LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Searches with one filter: milliseconds, recall of the ten nearest, and misses."""

    passes: str
    p50_ms: float
    p95_ms: float
    recall_at_10: float
    n_under_returned: int


def read_sentences(folders: Sequence[Path]) -> list[str]:
    """Return the sentences of the starter articles and of sets."""
    texts = [
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "knowledge" / "articles").glob("*.md"))
    ]
    for folder in folders:
        texts += [row["text"] for row in read_lines(folder / "corpus.jsonl.gz")]
    sentences = [line.strip() for text in texts for line in text.replace(". ", ".\n").split("\n")]
    return [sentence for sentence in sentences if 4 <= len(sentence.split()) <= 60]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Real passages: texts, unit vectors of shape (n, n_dimensions)."""

    texts: list[str]
    vectors: Vectors


async def make_pool(
    embedder: Embedder, sentences: Sequence[str], n_passages: int, console: Console
) -> Pool:
    """Put sentences together anew and embed them."""
    rng = random.Random(0)  # noqa: S311 - repeatable, no secret
    texts = [
        " ".join(rng.choice(sentences) for _ in range(PASSAGE_SENTENCES)) for _ in range(n_passages)
    ]
    vectors = [
        await embedder.embed(texts[start : start + 256])
        for start in track(range(0, n_passages, 256), "embedding", console=console)
    ]
    return Pool(texts=texts, vectors=np.concatenate(vectors))


def mix(pool: Pool, n_chunks: int, seed: int = 1) -> Iterator[tuple[str, Vectors]]:
    """Yield the real passages, then mixtures of two each until there are as many as asked for."""
    yield from zip(pool.texts[:n_chunks], pool.vectors[:n_chunks], strict=True)
    rng = np.random.default_rng(seed)
    spread = NOISE / np.sqrt(pool.vectors.shape[1])
    for _ in range(n_chunks - len(pool.texts)):
        first, second = rng.integers(0, len(pool.texts), size=2)
        vector = pool.vectors[first] + pool.vectors[second] / 2
        vector = vector + rng.normal(size=vector.shape) * spread
        one, other = pool.texts[first].split(), pool.texts[second].split()
        text = " ".join([*one[: len(one) // 2], *other[len(other) // 2 :]])
        yield text, (vector / np.linalg.norm(vector)).astype(np.float32)


def _facets(document: int) -> list[str]:
    products = ["product:all"]
    if document % 100 == 0:
        products.append("product:1 %")
    if document % 10 == 0:
        products.append("product:10 %")
    return [*products, "group:*", "kind:article", "language:en", "platform:*", "trust:internal"]


async def fill(
    ground: Ground, embedder: Embedder, pool: Pool, n_chunks: int, console: Console
) -> None:
    """Make an index of so many passages, and its graphs after the rows."""
    async with ground.pool.connection() as connection:
        index = await create_index(connection, embedder, ground.clock, state="building")
    started = time.monotonic()
    rows = mix(pool, n_chunks)
    per_page = ENTRIES_AT_ONCE * PASSAGES_PER_DOCUMENT
    document = 0
    for start in track(range(0, n_chunks, per_page), "storing", console=console):
        page = [next(rows) for _ in range(min(per_page, n_chunks - start))]
        async with ground.pool.connection() as connection:
            current = await find_index(connection, "building")
            document = await _store_page(connection, current or index, page, document)
    console.print(f"{n_chunks} passages stored in {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    async with ground.pool.connection() as connection:
        await connection.execute("SET LOCAL maintenance_work_mem = '3GB'")
        await connection.execute(QUERIES["create_graphs"], {"index_id": index.index_id})
        await connection.execute(
            QUERIES["serve_index"], {"index_id": index.index_id, "now": ground.clock.now()}
        )
    console.print(f"graphs made in {time.monotonic() - started:.0f} s")


async def _store_page(
    connection: Connection,
    index: SearchIndex,
    page: Sequence[tuple[str, Vectors]],
    document: int,
) -> int:
    entries, vectors = [], []
    for start in range(0, len(page), PASSAGES_PER_DOCUMENT):
        group = page[start : start + PASSAGES_PER_DOCUMENT]
        name = f"d{document:07d}"
        entries.append(
            IndexEntry(
                document_id=name,
                facets=_facets(document),
                chunk_ids=[f"{name}@1#{place}" for place in range(len(group))],
                texts=[text for text, _ in group],
            )
        )
        vectors.append(np.array([vector for _, vector in group], dtype=np.float32))
        document += 1
    await _store_texts(connection, entries)
    await add_entries(connection, index, entries, vectors)
    return document


async def _store_texts(connection: Connection, entries: Sequence[IndexEntry]) -> None:
    async with connection.cursor() as cursor:
        async with cursor.copy(
            "COPY documents (document_id, version, kind, title, body, source, trust,"
            " content_sha256, ingested_at) FROM STDIN"
        ) as copy:
            for entry in entries:
                await copy.write_row(
                    (
                        entry.document_id,
                        1,
                        "article",
                        "",
                        "-",
                        "benchmark",
                        "internal",
                        "-",
                        "2026-01-01T00:00:00Z",
                    )
                )
        async with cursor.copy(
            "COPY chunks (chunk_id, document_id, version, ordinal, start_offset, end_offset, text)"
            " FROM STDIN"
        ) as copy:
            for entry in entries:
                for place, (chunk_id, text) in enumerate(
                    zip(entry.chunk_ids, entry.texts, strict=True)
                ):
                    await copy.write_row(
                        (chunk_id, entry.document_id, 1, place, 0, len(text), text)
                    )


async def measure_filter(
    ground: Ground,
    retriever: Retriever,
    embedder: Embedder,
    questions: Sequence[str],
    passes: str,
) -> Speed:
    """Search with each question under one filter."""
    only = SearchFilter(products=() if passes == "100 %" else (passes,))
    facets = None if passes == "100 %" else [f"product:{passes}", "product:*"]
    milliseconds, recalls, n_under = [], [], 0
    async with ground.pool.connection() as connection:
        for question in questions:
            started = time.perf_counter()
            found = await retriever.search(connection, question, only=only, limit=10)
            milliseconds.append((time.perf_counter() - started) * 1000)
            n_under += len(found) < 10
            await connection.commit()
            recalls.append(await _recall(connection, embedder, retriever, question, facets, only))
            await connection.rollback()
    return Speed(
        passes=passes,
        p50_ms=round(float(np.quantile(milliseconds, 0.5)), 2),
        p95_ms=round(float(np.quantile(milliseconds, 0.95)), 2),
        recall_at_10=round(float(np.mean(recalls)), 4),
        n_under_returned=n_under,
    )


async def _recall(
    connection: Connection,
    embedder: Embedder,
    retriever: Retriever,
    question: str,
    facets: list[str] | None,
    only: SearchFilter,
) -> float:
    """Return the share of the ten nearest passages that the product's scan finds."""
    index = await find_index(connection)
    if index is None:
        return 0.0
    vector = (await embedder.embed([question]))[0]
    asked: dict[str, Any] = {
        "index_id": index.index_id,
        "embedding": HalfVector(vector).to_text(),
        "facets": facets,
        "limit": 10,
    }
    truth = await (await connection.execute(TRUTH, asked)).fetchall()
    if not await retriever.candidates.walks_graphs(connection, index, only):
        return 1.0  # everything that passes is read
    await retriever.candidates.set_scan(connection)
    found = await (await connection.execute(FOUND, asked)).fetchall()
    wanted = {row["chunk_id"] for row in truth}
    return len(wanted & {row["chunk_id"] for row in found}) / max(len(wanted), 1)


@asynccontextmanager
async def open_scratch() -> AsyncIterator[tuple[Ground, Embedder]]:
    """Yield a database of its own and the embedder."""
    with tempfile.TemporaryDirectory(prefix="eucora-scale-") as name:
        settings = Settings(data_dir=Path(name) / "eucora", mlruns_dir=Path(name) / "mlruns")
        embedder = await asyncio.to_thread(open_embedder, Path(name) / "embedding")
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            async with open_ground(settings, addresses) as ground:
                yield ground, embedder


async def measure_scale(
    n_chunks: int, n_real: int, n_queries: int, folders: Sequence[Path], console: Console
) -> list[Speed]:
    """Return the speed under each filter."""
    sentences = read_sentences(folders)
    async with open_scratch() as (ground, embedder):
        pool = await make_pool(embedder, sentences, min(n_chunks, n_real), console)
        await fill(ground, embedder, pool, n_chunks, console)
        rng = random.Random(2)  # noqa: S311 - repeatable, no secret
        questions = [" ".join(rng.sample(sentences, 2)) for _ in range(n_queries)]
        retriever = Retriever(embedder)
        await measure_filter(ground, retriever, embedder, questions[:10], "100 %")  # warm
        return [
            await measure_filter(ground, retriever, embedder, questions[10:], passes)
            for passes in SHARES
        ]


def main(
    chunks: Annotated[int, typer.Option(min=1_000, help="How many passages.")],
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")],
    real: Annotated[
        int, typer.Option(min=1_000, help="So many are embedded; the others are mixtures.")
    ] = 100_000,
    queries: Annotated[int, typer.Option(min=20, help="How many searches a filter.")] = 110,
    data: Annotated[
        list[Path] | None, typer.Option(help="Folders of sets whose sentences are used too.")
    ] = None,
) -> None:
    """Measure searches under filters on a corpus of a size."""
    console = Console()
    speeds = asyncio.run(measure_scale(chunks, real, queries, data or [], console))
    table = Table(
        "filter passes",
        "p50 ms",
        "p95 ms",
        "recall@10",
        "under-returned",
        title=f"{chunks:,} passages",
        title_justify="left",
    )
    for one in speeds:
        table.add_row(
            one.passes,
            f"{one.p50_ms:.1f}",
            f"{one.p95_ms:.1f}",
            f"{one.recall_at_10:.3f}",
            str(one.n_under_returned),
        )
    console.print(table)
    figures = {
        one.passes: {
            "p50_ms": one.p50_ms,
            "p95_ms": one.p95_ms,
            "recall@10": one.recall_at_10,
            "under_returned": one.n_under_returned,
        }
        for one in speeds
    }
    json.write_text(
        json_format.dumps(
            {"chunks": chunks, "embedded": min(chunks, real), "filters": figures}, indent=2
        )
        + "\n"
    )
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
