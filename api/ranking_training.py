# SPDX-License-Identifier: Apache-2.0
"""Joins retrieval and models where ranking learns: labels in, a ranking out.

The vote of a ticket for its own answer is left out, else nothing could be learned but to trust it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kernel.database import Connection
from models.ranking import RankingExample, RankingFit, fit_ranking
from retrieval.embedding import Embedder, Vectors
from retrieval.query import understand_query
from retrieval.ranking import (
    DEFAULT_WEIGHTS,
    PARTS,
    Ranking,
    SimilarTicket,
    count_votes,
    weigh_parts,
)
from retrieval.search import N_TICKETS, Candidates, Retriever

COLUMNS = tuple(name for name in PARTS if name not in {"learned", "trust"})
UNIT = Ranking(weights=dict.fromkeys(PARTS, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuery:
    """A masked text, and the documents that helped with it."""

    text: str
    document_ids: frozenset[str]


async def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return the unit vectors of queries as a search makes them, shape (n, n_dimensions)."""
    windows = [understand_query(text).windows for text in texts]
    flat = await embedder.embed([one for of_query in windows for one in of_query])
    ends = np.cumsum([len(of_query) for of_query in windows])
    means = np.array(
        [
            flat[end - len(of_query) : end].mean(axis=0)
            for end, of_query in zip(ends, windows, strict=True)
        ],
        dtype=np.float32,
    )
    unit: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return unit


async def collect_examples(
    connection: Connection,
    retriever: Retriever,
    queries: Sequence[AnsweredQuery],
    vectors: Vectors,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> list[RankingExample]:
    """Return what searches found for answered queries; those whose answer was not found are left.

    Args:
        connection: where the corpus is.
        retriever: that searches.
        queries: the answered queries.
        vectors: theirs, shape (n_queries, n_dimensions).
        progress: is called with the number of queries done.
    """
    similarities = vectors @ vectors.T
    for one, query in enumerate(queries):
        same = [other for other, asked in enumerate(queries) if asked.text == query.text]
        similarities[one, same] = -1.0
    examples = []
    for one, query in enumerate(queries):
        nearest = np.argsort(-similarities[one])[:N_TICKETS]
        votes = count_votes(
            [
                SimilarTicket(
                    document_id=document_id, similarity=float(similarities[one, other]), helped=True
                )
                for other in nearest
                if similarities[one, other] > -1.0
                for document_id in sorted(queries[other].document_ids)
            ][:N_TICKETS]
        )
        found = await retriever.find_candidates(connection, query.text, votes=votes)
        if found is not None and (example := _example(found, query)) is not None:
            examples.append(example)
        progress(one + 1)
    return examples


def _example(found: Candidates, query: AnsweredQuery) -> RankingExample | None:
    accepted = np.array([one in query.document_ids for one in found.document_ids])
    if not accepted.any():
        return None
    parts = weigh_parts(UNIT, found.evidence)
    return RankingExample(
        vector=found.vector,
        documents=found.centroids,
        parts=np.array([parts[name] for name in COLUMNS], dtype=np.float32).T,
        accepted=accepted,
    )


def learn_ranking(
    examples: Sequence[RankingExample],
    *,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Ranking, RankingFit]:
    """Return the ranking that was learned, and how; it starts from the default one."""
    prior = np.array([DEFAULT_WEIGHTS[name] for name in COLUMNS], dtype=np.float32)
    fit = fit_ranking(examples, prior=prior, seed=seed, progress=progress)
    return ranking_of(fit.weights, fit.adapted_weight, fit.adapter, version="learned"), fit


def ranking_of(
    weights: Sequence[float] | Vectors, adapted_weight: float, adapter: Vectors, *, version: str
) -> Ranking:
    """Return learned arrays as a ranking."""
    learned = {name: float(value) for name, value in zip(COLUMNS, weights, strict=True)}
    return Ranking(
        weights={**DEFAULT_WEIGHTS, **learned, "learned": adapted_weight},
        adapter=adapter,
        version=version,
    )
