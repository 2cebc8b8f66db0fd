# SPDX-License-Identifier: Apache-2.0
"""The indexes that searches read: each made by one embedding model, side by side in PostgreSQL.

One index serves. Whatever changes the corpus changes it, and the one that is being built beside
it, in the same transaction. Keyword weights assume a mean passage length; when the true one has
moved away by a tenth, all weights are made anew.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pgvector import HalfVector, SparseVector

from kernel.clock import Clock
from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.embedding import Embedder, Vectors
from retrieval.keywords import N_TERMS, RECIPE, count_documents, count_terms, hash_term, weigh_terms
from retrieval.signals import list_signals

QUERIES = load_queries(__file__, "search_index")
LENGTH_TOLERANCE = 0.1  # by then a weight is off by about 5 %, of a term that occurs once
PAGE = 200  # documents


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchIndex:
    """An index as it stands; `generation` grows with each change."""

    index_id: int
    model: str
    revision: str
    recipe: str
    state: str
    n_chunks: int
    n_terms: int
    mean_length: float
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A document as it is indexed: what is read of each passage, and what filters ask for."""

    document_id: str
    facets: Sequence[str]
    chunk_ids: Sequence[str]
    texts: Sequence[str]


def read_for_search(title: str, headings: Sequence[str], text: str) -> str:
    """Return what is searched of a passage: the text, after what stands above it."""
    above = [title, *(one for one in headings if one != title and one not in text)]
    return ". ".join([*(one for one in above if one), text])


def find_centroid(vectors: Vectors) -> Vectors:
    """Return the mean of unit vectors of shape (n, n_dimensions), of length one again."""
    mean: Vectors = vectors.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)


def format_sparse_vector(weights: Mapping[int, float]) -> str:
    """Return hashed term weights as the text of a pgvector sparsevec."""
    return str(SparseVector(dict(weights), N_TERMS).to_text())


def signal_term(signal: str) -> int:
    """Return the term under which an exact signal is counted: no word is hashed like it."""
    return hash_term(f"\x01{signal}")


async def find_index(connection: Connection, state: str = "serving") -> SearchIndex | None:
    """Return the index that serves, or the one being built; None if there is none."""
    row = await (await connection.execute(QUERIES["find_index"], {"state": state})).fetchone()
    return SearchIndex(**row) if row else None


async def find_frequencies(
    connection: Connection, index: SearchIndex, terms: Collection[int]
) -> dict[int, int]:
    """Return in how many passages of an index hashed terms occur; those of none are left out."""
    rows = await (
        await connection.execute(
            QUERIES["find_terms"], {"index_id": index.index_id, "terms": list(terms)}
        )
    ).fetchall()
    return {row["term"]: row["n_chunks"] for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedIndex:
    """An index of any state, with its history."""

    index: SearchIndex
    created_at: datetime
    served_at: datetime | None
    retired_at: datetime | None


async def list_indexes(connection: Connection) -> list[ListedIndex]:
    """Return all indexes, the newest first."""
    rows = await (await connection.execute(QUERIES["list_indexes"])).fetchall()
    return [
        ListedIndex(
            index=SearchIndex(**{name: row[name] for name in SearchIndex.__slots__}),
            created_at=row["created_at"],
            served_at=row["served_at"],
            retired_at=row["retired_at"],
        )
        for row in rows
    ]


async def count_missing(connection: Connection, index: SearchIndex) -> int:
    """Return how many documents in force have passages and are not in an index."""
    row = await (
        await connection.execute(QUERIES["count_missing"], {"index_id": index.index_id})
    ).fetchone()
    return int(row["n"]) if row else 0


async def create_index(
    connection: Connection, embedder: Embedder, clock: Clock, *, state: str
) -> SearchIndex:
    """Make an empty index for an embedding model; one that serves at once has its graphs."""
    row = await (
        await connection.execute(
            QUERIES["insert_index"],
            {
                "model": embedder.name,
                "revision": embedder.revision,
                "recipe": RECIPE,
                "state": state,
                "now": clock.now(),
            },
        )
    ).fetchone()
    index = SearchIndex(**row or {})
    await connection.execute(QUERIES["create_partitions"], {"index_id": index.index_id})
    if state == "serving":
        await create_graphs(connection, index)
    return index


async def create_graphs(connection: Connection, index: SearchIndex) -> None:
    """Make what finds neighbours and facets in an index without reading all of it."""
    await connection.execute(QUERIES["create_graphs"], {"index_id": index.index_id})


async def list_open_indexes(connection: Connection) -> list[SearchIndex]:
    """Return the indexes that follow the corpus, locked until the transaction ends."""
    rows = await (await connection.execute(QUERIES["list_open_indexes"])).fetchall()
    return [SearchIndex(**row) for row in rows]


async def add_entries(
    connection: Connection,
    index: SearchIndex,
    entries: Sequence[IndexEntry],
    vectors: Sequence[Vectors],
) -> None:
    """Add documents that the index does not hold.

    Args:
        connection: of the caller's transaction.
        index: where to add them.
        entries: the documents.
        vectors: for each document an array of shape (n_passages, n_dimensions).
    """
    counts = [[count_terms(text) for text in entry.texts] for entry in entries]
    flat = [one for of_entry in counts for one in of_entry]
    texts = [text for entry in entries for text in entry.texts]
    if not flat:
        return
    mean_length = index.mean_length or max(sum(one.total() for one in flat) / len(flat), 1.0)
    if not index.mean_length:
        await _set_mean_length(connection, index, mean_length)
    async with (
        connection.cursor() as cursor,
        cursor.copy(QUERIES["copy_chunk_vectors"]) as copy,
    ):
        for entry, of_entry, of_document in zip(entries, counts, vectors, strict=True):
            for row in _chunk_rows(index, entry, of_entry, of_document, mean_length):
                await copy.write_row(row)
    await add_centroids(
        connection,
        index,
        {
            entry.document_id: of_document
            for entry, of_document in zip(entries, vectors, strict=True)
            if len(of_document)
        },
    )
    await _count(connection, index, texts, flat, sign=1)


async def add_centroids(
    connection: Connection, index: SearchIndex, vectors: Mapping[str, Vectors]
) -> None:
    """Add the centroids of documents that the index does not hold.

    Args:
        connection: of the caller's transaction.
        index: where to add them.
        vectors: by document an array of shape (n_passages, n_dimensions), n_passages above 0.
    """
    async with (
        connection.cursor() as cursor,
        cursor.copy(QUERIES["copy_document_vectors"]) as copy,
    ):
        for document_id, of_document in vectors.items():
            centroid = HalfVector(find_centroid(of_document)).to_text()
            await copy.write_row((index.index_id, document_id, centroid))


def _chunk_rows(
    index: SearchIndex,
    entry: IndexEntry,
    counts: Sequence[Counter[int]],
    vectors: Vectors,
    mean_length: float,
) -> Iterator[tuple[Any, ...]]:
    for chunk_id, text, of_chunk, vector in zip(
        entry.chunk_ids, entry.texts, counts, vectors, strict=True
    ):
        yield (
            index.index_id,
            chunk_id,
            entry.document_id,
            list(entry.facets),
            list(list_signals(text)),
            HalfVector(vector).to_text(),
            format_sparse_vector(weigh_terms(of_chunk, mean_length=mean_length)),
        )


async def remove_document(connection: Connection, index: SearchIndex, document_id: str) -> None:
    """Take a document out of an index; call it before its passages leave the corpus."""
    key = {"index_id": index.index_id, "document_id": document_id}
    gone = await connection.execute(QUERIES["delete_chunk_vectors"], key)
    await connection.execute(QUERIES["delete_document_vector"], key)
    if gone.rowcount > 0:
        texts = list((await list_texts(connection, document_id)).values())
        await _count(connection, index, texts, [count_terms(text) for text in texts], sign=-1)


async def change_facets(
    connection: Connection, index: SearchIndex, facets: Mapping[str, Sequence[str]]
) -> None:
    """Change what filters ask for, by document."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            QUERIES["change_facets"],
            [
                {"index_id": index.index_id, "document_id": document_id, "facets": list(words)}
                for document_id, words in facets.items()
            ],
        )
    await connection.execute(
        QUERIES["count_changes"], {"index_id": index.index_id, "n_chunks": 0, "n_terms": 0}
    )


async def list_texts(connection: Connection, document_id: str) -> dict[str, str]:
    """Return what is searched of a document's current passages, by passage id, in order."""
    rows = await (
        await connection.execute(QUERIES["list_chunks_of"], {"document_id": document_id})
    ).fetchall()
    return {
        row["chunk_id"]: read_for_search(row["title"], row["headings"], row["text"]) for row in rows
    }


async def _count(
    connection: Connection,
    index: SearchIndex,
    texts: Sequence[str],
    counts: Sequence[Counter[int]],
    *,
    sign: int,
) -> None:
    """Move in how many passages terms and signals occur, and how long passages are."""
    frequency = count_documents(counts)
    frequency.update(signal_term(signal) for text in texts for signal in list_signals(text))
    await change_counts(
        connection,
        index,
        frequency,
        n_chunks=len(counts),
        n_terms=sum(one.total() for one in counts),
        sign=sign,
    )


async def change_counts(
    connection: Connection,
    index: SearchIndex,
    frequency: Mapping[int, int],
    *,
    n_chunks: int,
    n_terms: int,
    sign: int = 1,
) -> None:
    """Change an index's counts by those of passages that came, or went.

    Args:
        connection: of the caller's transaction.
        index: whose counts change.
        frequency: in how many of the passages each hashed term occurs.
        n_chunks: number of the passages.
        n_terms: their terms, each as often as it occurs.
        sign: 1 where they came, -1 where they went.
    """
    await connection.execute(
        QUERIES["add_terms"],
        {
            "index_id": index.index_id,
            "terms": list(frequency),
            "counts": [sign * n for n in frequency.values()],
        },
    )
    await connection.execute(
        QUERIES["count_changes"],
        {"index_id": index.index_id, "n_chunks": sign * n_chunks, "n_terms": sign * n_terms},
    )


async def _set_mean_length(connection: Connection, index: SearchIndex, mean_length: float) -> None:
    await connection.execute(
        QUERIES["set_mean_length"], {"index_id": index.index_id, "mean_length": mean_length}
    )


async def settle_lengths(connection: Connection, state: str = "serving") -> bool:
    """Make all keyword weights anew if the mean length they assume is off by a tenth."""
    index = await find_index(connection, state)
    if index is None or not index.n_chunks:
        return False
    true_length = index.n_terms / index.n_chunks
    if abs(true_length / max(index.mean_length, 1.0) - 1) <= LENGTH_TOLERANCE:
        return False
    await _set_mean_length(connection, index, true_length)
    after = ""
    while True:
        rows = await list_documents(connection, after)
        if not rows:
            return True
        after = rows[-1]["document_id"]
        for row in rows:
            await _reweigh(connection, index, row["document_id"], true_length)


async def _reweigh(
    connection: Connection, index: SearchIndex, document_id: str, mean_length: float
) -> None:
    texts = await list_texts(connection, document_id)
    async with connection.cursor() as cursor:
        await cursor.executemany(
            QUERIES["update_keywords"],
            [
                {
                    "index_id": index.index_id,
                    "chunk_id": chunk_id,
                    "keywords": format_sparse_vector(
                        weigh_terms(count_terms(text), mean_length=mean_length)
                    ),
                }
                for chunk_id, text in texts.items()
            ],
        )


async def list_documents(
    connection: Connection, after: str, limit: int = PAGE
) -> list[dict[str, Any]]:
    """Return a page of the documents in force, with what filters ask for, by id."""
    return await (
        await connection.execute(QUERIES["list_documents_after"], {"after": after, "limit": limit})
    ).fetchall()


async def serve_index(connection: Connection, index: SearchIndex, clock: Clock) -> None:
    """Put a finished index in the place of the one that serves.

    Searches that began on the old one end there: its tables go later, by `drop_retired`.
    """
    await connection.execute(QUERIES["retire_serving"], {"now": clock.now()})
    await connection.execute(
        QUERIES["serve_index"], {"index_id": index.index_id, "now": clock.now()}
    )


async def abandon_index(connection: Connection, index: SearchIndex, clock: Clock) -> None:
    """Give up an index that is being built."""
    await connection.execute(
        QUERIES["retire_index"], {"index_id": index.index_id, "now": clock.now()}
    )


async def drop_retired(connection: Connection) -> int:
    """Drop the tables of indexes that no longer serve; return how many had any."""
    rows = await (await connection.execute(QUERIES["list_retired_tables"])).fetchall()
    for row in rows:
        await connection.execute(QUERIES["delete_terms"], row)
        await connection.execute(QUERIES["drop_partitions"], row)
    return len(rows)
