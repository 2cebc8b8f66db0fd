# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.search_scale`: how fast a search is, and what its shortcuts miss, by size.

Passages of real text (sentences of the starter articles, or of sets given with --data, put together
anew) are embedded up to --real; beyond that, vectors are mixtures of real ones, and keywords those
of the passages that were mixed (`scale_corpus`). Filters pass 1, 10 and 100 % of the corpus. Each
search is the product's own, through PostgreSQL; the truth is a full scan.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from pgvector import HalfVector
from rich.console import Console
from rich.table import Table

from api.ground import Ground
from benchmarks.figures import store_json
from benchmarks.own_database import open_own_database
from benchmarks.scale_corpus import fill, make_pool, read_sentences
from kernel.database import Connection
from retrieval.embedding import Embedder
from retrieval.facets import SearchFilter
from retrieval.search import Retriever
from retrieval.search_index import find_index

N_WARM = 20  # searches before the first that counts
FILTERS = ("1 %", "10 %", "100 %")
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
    """Searches with one filter: milliseconds, recall of the ten nearest, and misses.

    A candidate is weighed exactly, so that a passage that the scan hands out is found.
    """

    passes: str
    p50_ms: float
    p95_ms: float
    recall_at_10: float
    n_under_returned: int


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
        for question in questions[:N_WARM]:
            await retriever.search(connection, question, only=only, limit=10)
            await connection.commit()
        for question in questions[N_WARM:]:
            started = time.perf_counter()
            found = await retriever.search(connection, question, only=only, limit=10)
            milliseconds.append((time.perf_counter() - started) * 1000)
            n_under += len(found) < 10
            await connection.commit()
        for question in questions[
            N_WARM:
        ]:  # after all: to read everything empties the server's cache
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
    """Return the share of the ten nearest passages among the candidates of the product's scan."""
    index = await find_index(connection)
    if index is None:
        return 0.0
    vector = (await embedder.embed([question]))[0]
    parameters: dict[str, Any] = {
        "index_id": index.index_id,
        "embedding": HalfVector(vector).to_text(),
        "facets": facets,
    }
    truth = await (await connection.execute(TRUTH, parameters)).fetchall()
    parameters["limit"] = await retriever.candidates.plan_walk(connection, index, only)
    if not parameters["limit"]:
        return 1.0  # everything that passes is read
    await retriever.candidates.set_scan(connection, index)
    found = await (await connection.execute(FOUND, parameters)).fetchall()
    wanted = {row["chunk_id"] for row in truth}
    return len(wanted & {row["chunk_id"] for row in found}) / max(len(wanted), 1)


@asynccontextmanager
async def open_place(keep: Path | None) -> AsyncIterator[tuple[Ground, Embedder]]:
    """Yield a database and the embedder, in a folder that stays, or in one that goes."""
    scratch = nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="eucora-scale-")
    with scratch as name:
        async with open_own_database(Path(name)) as opened:
            yield opened


async def measure_scale(
    n_chunks: int,
    n_real: int,
    n_queries: int,
    folders: Sequence[Path],
    keep: Path | None,
    console: Console,
) -> list[Speed]:
    """Return the speed under each filter."""
    sentences = read_sentences(folders)
    async with open_place(keep) as (ground, embedder):
        async with ground.pool.connection() as connection:
            index = await find_index(connection)
        if index is None:
            pool = await make_pool(embedder, sentences, min(n_chunks, n_real), console)
            await fill(ground, embedder, pool, n_chunks, console)
        elif index.n_chunks != n_chunks:
            raise typer.BadParameter(
                f"{keep} holds {index.n_chunks} passages, not {n_chunks}; name another folder"
            )
        rng = random.Random(2)  # noqa: S311 - repeatable, no secret
        questions = [" ".join(rng.sample(sentences, 2)) for _ in range(n_queries)]
        retriever = Retriever(embedder)
        return [
            await measure_filter(ground, retriever, embedder, questions, passes)
            for passes in FILTERS
        ]


def main(
    chunks: Annotated[int, typer.Option(min=1_000, help="How many passages.")],
    json: Annotated[Path, typer.Option(help="Where the figures go as JSON.")],
    real: Annotated[
        int, typer.Option(min=1_000, help="So many are embedded; the others are mixtures.")
    ] = 100_000,
    queries: Annotated[
        int, typer.Option(min=40, help="How many searches a filter; the first 20 do not count.")
    ] = 120,
    data: Annotated[
        list[Path] | None, typer.Option(help="Folders of sets whose sentences are used too.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Where the corpus stays, to measure it again.")
    ] = None,
) -> None:
    """Measure searches under filters on a corpus of a size."""
    console = Console()
    speeds = asyncio.run(measure_scale(chunks, real, queries, data or [], keep, console))
    show_speeds(f"{chunks:,} passages", speeds, console)
    store_json(
        {
            "chunks": chunks,
            "embedded": min(chunks, real),
            "filters": {one.passes: describe_speed(one) for one in speeds},
        },
        json,
    )
    console.print(f"also in {json}")


def show_speeds(title: str, speeds: Sequence[Speed], console: Console) -> None:
    """Print a table."""
    headings = ("filter passes", "p50 ms", "p95 ms", "recall@10", "under-returned")
    table = Table(*headings, title=title, title_justify="left")
    for one in speeds:
        table.add_row(
            one.passes,
            f"{one.p50_ms:.1f}",
            f"{one.p95_ms:.1f}",
            f"{one.recall_at_10:.3f}",
            str(one.n_under_returned),
        )
    console.print(table)


def describe_speed(speed: Speed) -> dict[str, float]:
    """Return a filter's figures for programs."""
    return {
        "p50_ms": speed.p50_ms,
        "p95_ms": speed.p95_ms,
        "recall@10": speed.recall_at_10,
        "under_returned": speed.n_under_returned,
    }


if __name__ == "__main__":
    typer.run(main)
