# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.retrieval`: BM25, meaning, naive rank fusion and ours, side by side.

The documents of a set (`retrieval_sets`) go the product's own way into a PostgreSQL of their own,
and every system searches there. Nothing depends on the set: one configuration for all.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, LiteralString

import ir_measures
import numpy as np
import typer
from pgvector import HalfVector
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.ground import Ground
from api.ranking_training import (
    AnsweredQuery,
    collect_examples,
    learn_ranking,
)
from benchmarks.figures import store_json
from benchmarks.own_database import open_own_database
from benchmarks.retrieval_sets import (
    Qrels,
    RetrievalSet,
    Training,
    hold_out,
    read_set,
    read_training,
)
from kernel.database import Connection
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.embedding import Embedder, Vectors
from retrieval.facets import SearchFilter
from retrieval.keywords import list_query_terms, weigh_query
from retrieval.labels import Label, Origin, SearchLabel, store_labels
from retrieval.query import understand_query
from retrieval.query_vectors import embed_queries
from retrieval.ranking import Ranking
from retrieval.search import Retriever
from retrieval.search_index import SearchIndex, find_frequencies, find_index, format_sparse_vector

DEPTH = 100
RRF_CONSTANT = 60  # Cormack, Clarke and Buettcher (2009)
STORE_AT_ONCE = 64
MEASURES = {
    "ndcg@10": ir_measures.nDCG @ 10,
    "recall@10": ir_measures.R @ 10,
    "mrr@10": ir_measures.RR @ 10,
    "recall@100": ir_measures.R @ 100,
}
BY_MEANING = """
SELECT document_id, max(1 - (embedding <=> %(embedding)s::halfvec)) AS score
FROM chunk_vectors WHERE index_id = %(index_id)s
GROUP BY document_id ORDER BY score DESC, document_id LIMIT %(limit)s
"""
BY_KEYWORDS = """
SELECT document_id, max(-(keywords <#> %(keywords)s::sparsevec)) AS score
FROM chunk_vectors WHERE index_id = %(index_id)s
GROUP BY document_id ORDER BY score DESC, document_id LIMIT %(limit)s
"""
Run = dict[str, dict[str, float]]  # score by document, by query


@asynccontextmanager
async def open_corpus(
    documents: Sequence[Mapping[str, Any]], console: Console
) -> AsyncIterator[tuple[Ground, Embedder]]:
    """Store documents in a PostgreSQL of their own and yield what searches need."""
    with tempfile.TemporaryDirectory(prefix="eucora-retrieval-") as name:
        async with open_own_database(Path(name)) as (ground, embedder):
            await store_documents(ground, embedder, documents, console)
            yield ground, embedder


async def store_documents(
    ground: Ground,
    embedder: Embedder,
    documents: Sequence[Mapping[str, Any]],
    console: Console,
) -> None:
    """Store documents the product's own way, some at once."""
    corpus = Corpus(clock=ground.clock, audit=ground.audit, embedder=embedder)
    started = time.monotonic()
    for start in track(
        range(0, len(documents), STORE_AT_ONCE), "storing documents", console=console
    ):
        async with ground.pool.connection() as connection:
            await corpus.store(
                connection,
                [_document(row) for row in documents[start : start + STORE_AT_ONCE]],
                actor="benchmark",
                correlation_id="cor_benchmark",
            )
    async with ground.pool.connection() as connection:
        index = await _serving(connection)
    console.print(
        f"{len(documents)} documents, {index.n_chunks} passages, {time.monotonic() - started:.0f} s"
    )


def _document(row: Mapping[str, Any]) -> CorpusDocument:
    return CorpusDocument(
        document_id=row["_id"],
        kind="article",
        title=row.get("title") or "",
        body=row["text"] or row.get("title") or "-",
        source="benchmark",
        trust="internal",
        platforms=(),
        products=(),
        failure_classes=(),
        related_scripts=(),
    )


async def _serving(connection: Connection) -> SearchIndex:
    index = await find_index(connection)
    if index is None:
        raise typer.BadParameter("the set has no documents")
    return index


async def run_parts(
    ground: Ground, embedder: Embedder, queries: Mapping[str, str], console: Console
) -> tuple[Run, Run]:
    """Search by keywords alone and by meaning alone: each document by its best passage."""
    bm25: Run = {}
    dense: Run = {}
    vectors = await embed_queries(embedder, list(queries.values()))
    async with ground.pool.connection() as connection:
        index = await _serving(connection)
        for (query, text), vector in zip(
            track(queries.items(), "BM25 and meaning", console=console), vectors, strict=True
        ):
            terms = list_query_terms(understand_query(text).text)
            weighed = weigh_query(
                terms,
                n_chunks=index.n_chunks,
                document_frequency=await find_frequencies(connection, index, terms),
            )
            parameters = {
                "index_id": index.index_id,
                "limit": DEPTH,
                "embedding": HalfVector(vector).to_text(),
                "keywords": format_sparse_vector(weighed.weights),
            }
            bm25[query] = await _read_scores(connection, BY_KEYWORDS, parameters)
            dense[query] = await _read_scores(connection, BY_MEANING, parameters)
    return bm25, dense


async def _read_scores(
    connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]
) -> dict[str, float]:
    rows = await (await connection.execute(statement, parameters)).fetchall()
    return {row["document_id"]: float(row["score"]) for row in rows}


def fuse_ranks(first: Run, second: Run) -> Run:
    """Return reciprocal rank fusion of two runs."""
    fused: Run = {}
    for query in first:
        scores: dict[str, float] = {}
        for run in (first, second):
            ranked = sorted(run[query], key=lambda one: -run[query][one])
            for rank, document in enumerate(ranked, start=1):
                scores[document] = scores.get(document, 0.0) + 1 / (RRF_CONSTANT + rank)
        fused[query] = dict(sorted(scores.items(), key=lambda item: -item[1])[:DEPTH])
    return fused


async def run_ours(
    ground: Ground, retriever: Retriever, queries: Mapping[str, str], title: str, console: Console
) -> Run:
    """Search as the product does."""
    run: Run = {}
    async with ground.pool.connection() as connection:
        for query, text in track(queries.items(), title, console=console):
            hits = await retriever.find_documents(
                connection, text, only=SearchFilter(), limit=DEPTH
            )
            run[query] = {hit.document_id: hit.score for hit in hits}
    return run


async def learn(
    ground: Ground,
    embedder: Embedder,
    training: Training,
    console: Console,
) -> Ranking:
    """Store answered queries as labels and return the ranking that is learned from them."""
    answered = [
        AnsweredQuery(text=text, document_ids=frozenset(training.qrels[query]))
        for query, text in training.queries.items()
    ]
    vectors = await embed_queries(embedder, [one.text for one in answered])
    async with ground.pool.connection() as connection:
        found = await collect_examples(connection, Retriever(embedder), answered, vectors)
        examples = [one for one in found if one is not None]
        await _store_labels(connection, ground, embedder, answered, vectors)
    console.print(f"learning from {len(examples)} of {len(answered)} answered queries")
    ranking, fit = await asyncio.to_thread(
        learn_ranking, examples, progress=lambda text: console.print(f"  {text}")
    )
    console.print(
        f"log loss {fit.base_log_loss:.3f} -> {fit.log_loss:.3f}, shrinkage {fit.shrinkage},"
        f" weights {[round(float(one), 3) for one in fit.weights]}, adapter"
        f" {fit.adapted_weight:.3f}"
    )
    return ranking


async def _store_labels(
    connection: Connection,
    ground: Ground,
    embedder: Embedder,
    answered: Sequence[AnsweredQuery],
    vectors: Vectors,
) -> None:
    labels, rows = [], []
    for one, vector in zip(answered, vectors, strict=True):
        for document_id in sorted(one.document_ids):
            rows.append(vector)
            labels.append(
                SearchLabel(
                    text=one.text,
                    document_id=document_id,
                    label=Label.HELPED,
                    origin=Origin.IMPORT,
                    actor="benchmark",
                )
            )
    await store_labels(
        connection,
        labels,
        np.array(rows, dtype=np.float32),
        model=embedder.name,
        clock=ground.clock,
        ids=ground.ids,
    )


def measure(run: Run, qrels: Qrels) -> dict[str, float]:
    """Return the measures of a run, each the mean over all queries of the set."""
    wanted = [
        ir_measures.Qrel(query, document, 1)
        for query, documents in qrels.items()
        for document in documents
    ]
    found = [
        ir_measures.ScoredDoc(query, document, score)
        for query, scores in run.items()
        for document, score in scores.items()
    ]
    values = ir_measures.calc_aggregate(list(MEASURES.values()), wanted, found)
    return {name: round(float(values[one]), 4) for name, one in MEASURES.items()}


async def compare(
    found: RetrievalSet,
    training: Training | None,
    console: Console,
) -> dict[str, dict[str, float]]:
    """Return the measures of each system on a set."""
    async with open_corpus(found.documents, console) as (ground, embedder):
        bm25, dense = await run_parts(ground, embedder, found.queries, console)
        runs = {"bm25": bm25, "dense": dense, "rrf": fuse_ranks(bm25, dense)}
        runs["ours"] = await run_ours(ground, Retriever(embedder), found.queries, "ours", console)
        if training is not None and training.queries:
            ranking = await learn(ground, embedder, training, console)
            runs["ours_trained"] = await run_ours(
                ground, Retriever(embedder, ranking=ranking), found.queries, "trained", console
            )
    return {name: measure(run, found.qrels) for name, run in runs.items()}


def show(name: str, systems: Mapping[str, Mapping[str, float]], console: Console) -> None:
    """Print the measures as a table."""
    table = Table("system", *MEASURES, title=name, title_justify="left")
    for system, values in systems.items():
        table.add_row(system, *(f"{values[one]:.4f}" for one in MEASURES))
    console.print(table)


def main(
    data: Annotated[Path, typer.Option(help="A folder with a set.", exists=True)],
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")],
    queries: Annotated[Path | None, typer.Option(help="Test queries, if not the set's.")] = None,
    qrels: Annotated[Path | None, typer.Option(help="Their relevant documents.")] = None,
    train_queries: Annotated[Path | None, typer.Option(help="Queries to learn from.")] = None,
    train_qrels: Annotated[Path | None, typer.Option(help="Their relevant documents.")] = None,
    holdout: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Test on this last share of the queries and learn from those before.",
        ),
    ] = 0.0,
) -> None:
    """Compare retrieval systems on a set."""
    console = Console()
    found = read_set(data, queries, qrels)
    training = None
    if train_queries is not None:
        if train_qrels is None:
            raise typer.BadParameter("--train-queries needs --train-qrels")
        training = read_training(train_queries, train_qrels, found)
    elif holdout:
        training, found = hold_out(found, holdout)
    systems = asyncio.run(compare(found, training, console))
    show(found.name, systems, console)
    store_json({"set": found.name, "n_queries": len(found.queries), "systems": systems}, json)
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
