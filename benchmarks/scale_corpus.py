# SPDX-License-Identifier: Apache-2.0
"""Corpora of any size for `benchmarks.search_scale`.

Passages of real text go the way of every document. Beyond them, vectors are mixtures of two real
ones and noise, and keywords half of those of each; these rows are copied as they are.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pgvector import HalfVector, SparseVector
from pgvector.psycopg import register_vector_async
from rich.console import Console
from rich.progress import track

from api.ground import Ground
from benchmarks.retrieval_sets import read_lines
from benchmarks.starter_texts import read_starter_texts
from kernel.database import Connection
from retrieval.embedding import Embedder, Vectors
from retrieval.keywords import N_TERMS, count_documents, count_terms, weigh_terms
from retrieval.search_index import (
    IndexEntry,
    SearchIndex,
    add_centroids,
    add_entries,
    change_counts,
    create_graphs,
    create_index,
    find_index,
    serve_index,
)

PASSAGE_SENTENCES = 4
PASSAGES_PER_DOCUMENT = 4
DOCUMENTS_AT_ONCE = 250
NOISE = 0.35  # length of what is added to a mixture of unit vectors, so that no two are the same
GRAPH_MEMORY = "3GB"  # maintenance_work_mem: past it pgvector builds on disk, much slower
INGESTED_AT = "2026-01-01T00:00:00Z"


def read_sentences(folders: Sequence[Path]) -> list[str]:
    """Return the sentences of the starter articles and of sets."""
    texts = read_starter_texts()
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows to store: texts, how often terms occur in each, and vectors of shape (n, dimensions)."""

    texts: list[str]
    counts: list[Counter[int]]
    vectors: Vectors


def mix(pool: Pool, n_passages: int, seed: int = 1) -> Iterator[Page]:
    """Yield mixtures of two passages each, a page at a time."""
    rng = np.random.default_rng(seed)
    counts = [count_terms(text) for text in pool.texts]
    words = [text.split() for text in pool.texts]
    spread = NOISE / np.sqrt(pool.vectors.shape[1])
    per_page = DOCUMENTS_AT_ONCE * PASSAGES_PER_DOCUMENT
    for start in range(0, n_passages, per_page):
        size = min(per_page, n_passages - start)
        first, second = rng.integers(0, len(pool.texts), size=(2, size))
        vectors = pool.vectors[first] + pool.vectors[second] / 2
        vectors = vectors + rng.normal(size=vectors.shape) * spread
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield Page(
            texts=[_halve(words[one], words[two]) for one, two in zip(first, second, strict=True)],
            counts=[
                _halve_counts(counts[one], counts[two])
                for one, two in zip(first, second, strict=True)
            ],
            vectors=vectors.astype(np.float32),
        )


def _halve(first: Sequence[str], second: Sequence[str]) -> str:
    return " ".join([*first[: len(first) // 2], *second[len(second) // 2 :]])


def _halve_counts(first: Counter[int], second: Counter[int]) -> Counter[int]:
    """Return every other term of each: of the first the even places, of the second the odd."""
    return Counter(dict([*list(first.items())[::2], *list(second.items())[1::2]]))


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
    started = time.monotonic()
    async with ground.pool.connection() as connection:
        await create_index(connection, embedder, ground.clock, state="building")
    n_real = min(n_chunks, len(pool.texts))
    per_page = DOCUMENTS_AT_ONCE * PASSAGES_PER_DOCUMENT
    for start in track(range(0, n_real, per_page), "storing", console=console):
        end = min(start + per_page, n_real)
        async with ground.pool.connection() as connection:
            await _store_real(connection, pool.texts[start:end], pool.vectors[start:end], start)
    n_mixed = n_chunks - n_real
    start = n_real
    for page in track(mix(pool, n_mixed), "mixing", total=-(-n_mixed // per_page), console=console):
        async with ground.pool.connection() as connection:
            await _store_mixed(connection, page, start)
        start += len(page.texts)
    console.print(f"{n_chunks} passages stored in {time.monotonic() - started:.0f} s")
    started = time.monotonic()
    async with ground.pool.connection() as connection:
        index = await _find_building(connection)
        await connection.execute(
            "SELECT set_config('maintenance_work_mem', %s, true)", (GRAPH_MEMORY,)
        )
        await create_graphs(connection, index)
        await serve_index(connection, index, ground.clock)
    console.print(f"graphs made in {time.monotonic() - started:.0f} s")


async def _find_building(connection: Connection) -> SearchIndex:
    index = await find_index(connection, "building")
    if index is None:
        raise LookupError("the index was replaced while it was being filled")
    return index


def _name(place: int) -> tuple[str, str, int]:
    """Return the document, the passage and its ordinal at a place of the corpus."""
    document, ordinal = divmod(place, PASSAGES_PER_DOCUMENT)
    name = f"d{document:07d}"
    return name, f"{name}@1#{ordinal}", ordinal


async def _store_real(
    connection: Connection, texts: Sequence[str], vectors: Vectors, start: int
) -> None:
    """Store whole documents of real passages as the product does."""
    entries, groups = [], []
    for offset in range(0, len(texts), PASSAGES_PER_DOCUMENT):
        end = min(offset + PASSAGES_PER_DOCUMENT, len(texts))
        name, _, _ = _name(start + offset)
        entries.append(
            IndexEntry(
                document_id=name,
                facets=_facets((start + offset) // PASSAGES_PER_DOCUMENT),
                chunk_ids=[_name(start + place)[1] for place in range(offset, end)],
                texts=texts[offset:end],
            )
        )
        groups.append(vectors[offset:end])
    await _store_texts(connection, texts, start)
    await add_entries(connection, await _find_building(connection), entries, groups)


async def _store_mixed(connection: Connection, page: Page, start: int) -> None:
    """Store whole documents of mixed passages, in PostgreSQL's binary format."""
    index = await _find_building(connection)
    await register_vector_async(connection)
    await _store_texts(connection, page.texts, start)
    async with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY chunk_vectors (index_id, chunk_id, document_id, facets, signals, embedding,"
            " keywords) FROM STDIN (FORMAT binary)"
        ) as copy,
    ):
        copy.set_types(["int4", "text", "text", "text[]", "text[]", "halfvec", "sparsevec"])
        for row in _list_mixed_rows(index, page, start):
            await copy.write_row(row)
    await add_centroids(
        connection,
        index,
        {
            _name(start + offset)[0]: page.vectors[offset : offset + PASSAGES_PER_DOCUMENT]
            for offset in range(0, len(page.texts), PASSAGES_PER_DOCUMENT)
        },
    )
    await change_counts(
        connection,
        index,
        count_documents(page.counts),
        n_chunks=len(page.counts),
        n_terms=sum(one.total() for one in page.counts),
    )


def _list_mixed_rows(index: SearchIndex, page: Page, start: int) -> Iterator[tuple[Any, ...]]:
    for place, (counts, vector) in enumerate(zip(page.counts, page.vectors, strict=True), start):
        name, chunk_id, _ = _name(place)
        weights = weigh_terms(counts, mean_length=index.mean_length)
        yield (
            index.index_id,
            chunk_id,
            name,
            _facets(place // PASSAGES_PER_DOCUMENT),
            [],
            HalfVector(vector),
            SparseVector(weights, N_TERMS),
        )


async def _store_texts(connection: Connection, texts: Sequence[str], start: int) -> None:
    async with connection.cursor() as cursor:
        async with cursor.copy(
            "COPY documents (document_id, version, kind, title, body, source, trust,"
            " content_sha256, ingested_at) FROM STDIN"
        ) as copy:
            for offset in range(0, len(texts), PASSAGES_PER_DOCUMENT):
                name, _, _ = _name(start + offset)
                await copy.write_row(
                    (name, 1, "article", "", "-", "benchmark", "internal", "-", INGESTED_AT)
                )
        async with cursor.copy(
            "COPY chunks (chunk_id, document_id, version, ordinal, start_offset, end_offset, text)"
            " FROM STDIN"
        ) as copy:
            for place, text in enumerate(texts, start):
                name, chunk_id, ordinal = _name(place)
                await copy.write_row((chunk_id, name, 1, ordinal, 0, len(text), text))
