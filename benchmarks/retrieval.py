# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.retrieval`: BM25, meaning, naive rank fusion and ours, side by side.

A set is a folder with `corpus.jsonl.gz`, `queries.jsonl.gz` and `qrels.tsv`. Its documents go the
product's own way into a PostgreSQL of their own, and every system searches there. Nothing depends
on the set: one configuration for all. Training queries that are also test queries are left out.
"""

import asyncio
import csv
import gzip
import json as json_format
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import ir_measures
import numpy as np
import typer
from pgvector import HalfVector
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.ground import Ground, migrate_database, open_database, open_ground
from api.ranking_training import (
    AnsweredQuery,
    collect_examples,
    learn_ranking,
)
from kernel.database import Connection
from kernel.settings import Settings
from retrieval.corpus import Corpus, CorpusDocument
from retrieval.embedding import Embedder, Vectors, open_embedder
from retrieval.facets import SearchFilter
from retrieval.keywords import list_query_terms, weigh_query
from retrieval.labels import Label, Origin, SearchLabel, store_labels
from retrieval.query import understand_query
from retrieval.query_vectors import embed_queries
from retrieval.ranking import Ranking
from retrieval.search import Retriever
from retrieval.search_index import QUERIES, SearchIndex, find_index, sparse

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
Qrels = dict[str, set[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalSet:
    """Documents, queries by id and their relevant documents."""

    name: str
    documents: list[dict[str, Any]]
    queries: dict[str, str]
    qrels: Qrels


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, compressed or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return [json_format.loads(line) for line in lines if line.strip()]


def read_qrels(path: Path) -> Qrels:
    """Read relevant documents by query from a tab-separated file with a header."""
    qrels: Qrels = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if float(row.get("score") or 1) > 0:
                qrels.setdefault(row["query-id"], set()).add(row["corpus-id"])
    return qrels


def read_set(folder: Path, queries: Path | None = None, qrels: Path | None = None) -> RetrievalSet:
    """Read a set; only queries with a relevant document in it count."""
    documents = read_lines(folder / "corpus.jsonl.gz")
    known = {document["_id"] for document in documents}
    relevant = {
        query: found & known
        for query, found in read_qrels(qrels or folder / "qrels.tsv").items()
        if found & known
    }
    asked = {
        row["_id"]: row["text"]
        for row in read_lines(queries or folder / "queries.jsonl.gz")
        if row["_id"] in relevant
    }
    return RetrievalSet(
        name=folder.resolve().name,
        documents=documents,
        queries=asked,
        qrels={query: relevant[query] for query in asked},
    )


@asynccontextmanager
async def open_corpus(
    documents: Sequence[Mapping[str, Any]], console: Console
) -> AsyncIterator[tuple[Ground, Embedder]]:
    """Store documents in a PostgreSQL of their own and yield what searches need."""
    with tempfile.TemporaryDirectory(prefix="eucora-retrieval-") as name:
        settings = Settings(data_dir=Path(name) / "eucora", mlruns_dir=Path(name) / "mlruns")
        embedder = await asyncio.to_thread(open_embedder, Path(name) / "embedding")
        async with open_database(settings) as addresses:
            await migrate_database(addresses)
            async with open_ground(settings, addresses) as ground:
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
            rows = await (
                await connection.execute(
                    QUERIES["find_terms"], {"index_id": index.index_id, "terms": list(terms)}
                )
            ).fetchall()
            weighed = weigh_query(
                terms,
                n_chunks=index.n_chunks,
                document_frequency={row["term"]: row["n_chunks"] for row in rows},
            )
            asked = {
                "index_id": index.index_id,
                "limit": DEPTH,
                "embedding": HalfVector(vector).to_text(),
                "keywords": sparse(weighed.weights),
            }
            bm25[query] = await _scores(connection, BY_KEYWORDS, asked)
            dense[query] = await _scores(connection, BY_MEANING, asked)
    return bm25, dense


async def _scores(
    connection: Connection, statement: Any, asked: Mapping[str, Any]
) -> dict[str, float]:
    rows = await (await connection.execute(statement, asked)).fetchall()
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
    queries: Mapping[str, str],
    qrels: Qrels,
    console: Console,
) -> Ranking:
    """Store answered queries as labels and return the ranking that is learned from them."""
    answered = [
        AnsweredQuery(text=text, document_ids=frozenset(qrels[query]))
        for query, text in queries.items()
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


def split_off(found: RetrievalSet, share: float) -> tuple[dict[str, str], dict[str, str]]:
    """Return queries to train on and the last share of the file to test on."""
    names = list(found.queries)
    cut = round(len(names) * (1 - share))
    return (
        {name: found.queries[name] for name in names[:cut]},
        {name: found.queries[name] for name in names[cut:]},
    )


async def compare(
    found: RetrievalSet,
    training: tuple[Mapping[str, str], Qrels] | None,
    console: Console,
) -> dict[str, dict[str, float]]:
    """Return the measures of each system on a set."""
    async with open_corpus(found.documents, console) as (ground, embedder):
        bm25, dense = await run_parts(ground, embedder, found.queries, console)
        runs = {"bm25": bm25, "dense": dense, "rrf": fuse_ranks(bm25, dense)}
        runs["ours"] = await run_ours(ground, Retriever(embedder), found.queries, "ours", console)
        if training is not None and training[0]:
            ranking = await learn(ground, embedder, *training, console)
            runs["ours_trained"] = await run_ours(
                ground, Retriever(embedder, ranking=ranking), found.queries, "trained", console
            )
    return {name: measure(run, found.qrels) for name, run in runs.items()}


def without_test(
    queries: Mapping[str, str], qrels: Qrels, test: Mapping[str, str]
) -> tuple[dict[str, str], Qrels]:
    """Return training queries that are no test queries, by id or by text."""
    texts = set(test.values())
    kept = {
        name: text
        for name, text in queries.items()
        if name not in test and text not in texts and name in qrels
    }
    return kept, {name: qrels[name] for name in kept}


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
        known = {document["_id"] for document in found.documents}
        relevant = {
            query: documents & known
            for query, documents in read_qrels(train_qrels).items()
            if documents & known
        }
        asked = {row["_id"]: row["text"] for row in read_lines(train_queries)}
        training = without_test(asked, relevant, found.queries)
    elif holdout:
        earlier, later = split_off(found, holdout)
        training = without_test(earlier, found.qrels, later)
        found = RetrievalSet(
            name=found.name,
            documents=found.documents,
            queries=later,
            qrels={name: found.qrels[name] for name in later},
        )
    systems = asyncio.run(compare(found, training, console))
    show(found.name, systems, console)
    json.write_text(
        json_format.dumps(
            {"set": found.name, "n_queries": len(found.queries), "systems": systems}, indent=2
        )
        + "\n"
    )
    console.print(f"also in {json}")


if __name__ == "__main__":
    typer.run(main)
