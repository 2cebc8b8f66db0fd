# SPDX-License-Identifier: Apache-2.0
"""Joins retrieval and models where ranking learns: labels in, a ranking out.

The vote of a ticket for its own answer is left out, else nothing could be learned but to trust it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kernel.database import Connection, Pool
from models.errors import TrainingDataError, UnknownModelError
from models.ranking import MIN_EXAMPLES, RankingExample, RankingFit, fit_ranking
from models.ranking_lifecycle import (
    HELD_BACK,
    MIN_HELD_BACK,
    register_cold_start,
    train_ranking,
    unpack_ranking,
)
from models.ranking_lifecycle import NAME as RANKING
from models.registry import LoadedModel, ModelRegistry
from models.training import Circumstances, TrainedModel
from retrieval.candidates import N_TICKETS
from retrieval.embedding import N_DIMENSIONS, Embedder, Vectors
from retrieval.labels import list_answered
from retrieval.query_vectors import embed_queries
from retrieval.ranking import (
    DEFAULT_WEIGHTS,
    PARTS,
    Ranking,
    SimilarTicket,
    count_votes,
    weigh_parts,
)
from retrieval.search import Candidates, Retriever

COLUMNS = tuple(name for name in PARTS if name not in {"learned", "trust"})
PRIOR = {name: DEFAULT_WEIGHTS[name] for name in COLUMNS}
MAX_QUERIES = 4_000  # the newest: older ones say less, and memory is bounded
UNIT = Ranking(weights=dict.fromkeys(PARTS, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredQuery:
    """A masked text, and the documents that helped with it."""

    text: str
    document_ids: frozenset[str]


async def collect_examples(
    connection: Connection,
    retriever: Retriever,
    queries: Sequence[AnsweredQuery],
    vectors: Vectors,
    *,
    n_voters: int | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[RankingExample | None]:
    """Return what searches found for each answered query; None where its answer was not found.

    Args:
        connection: where the corpus is.
        retriever: that searches.
        queries: the answered queries.
        vectors: theirs, shape (n_queries, n_dimensions).
        n_voters: only so many of the first vote, if given: later ones are to be judged by.
        progress: is called with the number of queries done.
    """
    similarities = vectors @ vectors[:n_voters].T
    for one, query in enumerate(queries):
        same = [other for other, asked in enumerate(queries[:n_voters]) if asked.text == query.text]
        similarities[one, same] = -1.0
    examples: list[RankingExample | None] = []
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
        examples.append(None if found is None else _example(found, query))
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
    prior = np.array(list(PRIOR.values()), dtype=np.float32)
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


def load_ranking(loaded: LoadedModel) -> Ranking:
    """Return the ranking of a registered model.

    Raises:
        ModelArtifactError: it holds none.
    """
    found = unpack_ranking(loaded.model)
    weights = [found.weights.get(name, DEFAULT_WEIGHTS[name]) for name in COLUMNS]
    return ranking_of(weights, found.adapted_weight, found.adapter, version=loaded.version)


def register_first_ranking(registry: ModelRegistry) -> None:
    """Register the ranking that needs no label, if there is no champion."""
    try:
        registry.load(RANKING)
    except UnknownModelError:
        register_cold_start(registry, PRIOR, n_dimensions=N_DIMENSIONS)


async def train_on_labels(
    pool: Pool,
    embedder: Embedder,
    registry: ModelRegistry,
    *,
    circumstances: Circumstances,
) -> TrainedModel:
    """Learn a ranking from the newest labels and register it as challenger.

    Raises:
        TrainingDataError: there are too few.
    """
    async with pool.connection() as connection:
        queries = await _list_queries(connection)
        n_earlier = len(queries) - max(round(len(queries) * HELD_BACK), MIN_HELD_BACK)
        circumstances.progress(f"ranking: searching for {len(queries)} answered queries")
        vectors = await embed_queries(embedder, [one.text for one in queries])
        examples = await collect_examples(
            connection,
            Retriever(embedder),
            queries,
            vectors,
            n_voters=n_earlier,
        )
    earlier, later = _split_examples(examples, n_earlier)
    return await asyncio.to_thread(
        train_ranking,
        registry,
        earlier,
        later,
        prior=PRIOR,
        circumstances=circumstances,
    )


async def _list_queries(connection: Connection) -> list[AnsweredQuery]:
    """Return the newest answered queries, oldest first."""
    labelled = (await list_answered(connection))[-MAX_QUERIES:]
    if len(labelled) < MIN_EXAMPLES + MIN_HELD_BACK:
        raise TrainingDataError(
            f"texts with a document that helped: {len(labelled)}, and"
            f" {MIN_EXAMPLES + MIN_HELD_BACK} are needed: mark what helped in the search page,"
            " or import past tickets with: eucora kb labels import"
        )
    return [AnsweredQuery(text=text, document_ids=ids) for text, ids in labelled]


def _split_examples(
    examples: Sequence[RankingExample | None], n_earlier: int
) -> tuple[list[RankingExample], list[RankingExample]]:
    """Return what to learn from, and what to judge by."""
    earlier = [one for one in examples[:n_earlier] if one is not None]
    later = [one for one in examples[n_earlier:] if one is not None]
    if len(earlier) < MIN_EXAMPLES or len(later) < MIN_HELD_BACK:
        raise TrainingDataError(
            f"of {len(examples)} texts with a document that helped, a search finds the document of"
            f" {len(earlier)} earlier and {len(later)} later ones; {MIN_EXAMPLES} and"
            f" {MIN_HELD_BACK} are needed: add labels, or see whether what helped is still in"
            " search"
        )
    return earlier, later
