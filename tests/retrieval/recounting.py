# SPDX-License-Identifier: Apache-2.0
"""What an index must hold, made from the documents in force alone, and what it does hold."""

import json
from collections import Counter
from types import SimpleNamespace

from retrieval.facets import list_facets
from retrieval.keywords import count_terms, weigh_terms
from retrieval.search_index import list_texts, signal_term
from retrieval.signals import list_signals


async def fetch(connection, statement, *arguments):
    return await (await connection.execute(statement, arguments)).fetchall()


async def read_index(connection, index):
    """Return an index's counts and rows; keyword weights are rounded."""
    (counts,) = await fetch(
        connection,
        "SELECT n_chunks, n_terms FROM search_indexes WHERE index_id = %s",
        index.index_id,
    )
    terms = await fetch(
        connection, "SELECT term, n_chunks FROM index_terms WHERE index_id = %s", index.index_id
    )
    chunks = await fetch(
        connection,
        "SELECT chunk_id, facets, signals, keywords::text AS keywords FROM chunk_vectors"
        " WHERE index_id = %s",
        index.index_id,
    )
    documents = await fetch(
        connection, "SELECT document_id FROM document_vectors WHERE index_id = %s", index.index_id
    )
    return SimpleNamespace(
        n_chunks=counts["n_chunks"],
        n_terms=counts["n_terms"],
        terms={row["term"]: row["n_chunks"] for row in terms if row["n_chunks"]},
        chunks={
            row["chunk_id"]: (row["facets"], row["signals"], _read_sparse(row["keywords"]))
            for row in chunks
        },
        documents=sorted(row["document_id"] for row in documents),
    )


async def recount(connection, index):
    """Return the same from documents and passages in force, counted from scratch."""
    rows = await fetch(connection, "SELECT * FROM documents WHERE retired_at IS NULL")
    (row,) = await fetch(
        connection, "SELECT mean_length FROM search_indexes WHERE index_id = %s", index.index_id
    )
    terms, chunks, n_terms = Counter(), {}, 0
    for document in rows:
        facets = list_facets(
            kind=document["kind"], trust=document["trust"], language=document["language"],
            platforms=document["platforms"], products=document["products"],
            groups=document["access_groups"],
        )  # fmt: skip
        for chunk_id, text in (await list_texts(connection, document["document_id"])).items():
            counts, signals = count_terms(text), list(list_signals(text))
            terms.update(counts.keys())
            terms.update(map(signal_term, signals))
            n_terms += counts.total()
            weights = weigh_terms(counts, mean_length=row["mean_length"])
            chunks[chunk_id] = (facets, signals, _round(weights))
    return SimpleNamespace(
        n_chunks=len(chunks),
        n_terms=n_terms,
        terms=dict(terms),
        chunks=chunks,
        documents=sorted({chunk_id.rpartition("@")[0] for chunk_id in chunks}),
    )


def _read_sparse(text):
    pairs = (pair.split(":") for pair in text.partition("/")[0].strip("{}").split(",") if pair)
    return _round({int(place) - 1: float(weight) for place, weight in pairs})


def _round(weights):
    return {term: round(weight, 3) for term, weight in weights.items()}


async def read_vectors(connection, index):
    """Return by passage its embedding as a list of numbers."""
    rows = await fetch(
        connection,
        "SELECT chunk_id, embedding::text AS embedding FROM chunk_vectors WHERE index_id = %s",
        index.index_id,
    )
    return {row["chunk_id"]: json.loads(row["embedding"]) for row in rows}
