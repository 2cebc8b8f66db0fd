# SPDX-License-Identifier: Apache-2.0
"""What a query may mean: the documents worth ranking, and what is known of each.

A filter never makes a search find less than there is: what passes it is read whole if it is
little, else graphs are walked on past the filter, and where that ends early all is read after all.
In which order the candidates stand is left to `ranking`.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, TypedDict, cast

import numpy as np
from pgvector import HalfVector

from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.embedding import Embedder, Vectors
from retrieval.errors import EmbeddingModelError
from retrieval.facets import SearchFilter
from retrieval.keywords import KeywordQuery, list_query_terms, weigh_query
from retrieval.query import SearchQuery
from retrieval.query_vectors import embed_query
from retrieval.ranking import (
    Evidence,
    Ranking,
    Scores,
    SimilarTicket,
    adapt_query,
    count_votes,
    match_exactly,
)
from retrieval.search_index import (
    SearchIndex,
    find_frequencies,
    format_sparse_vector,
    signal_term,
)


def _compose(queries: Mapping[str, LiteralString]) -> dict[str, LiteralString]:
    """Return the queries with what they share in the places of its parameters.

    Where it were forgotten, a query would lack a parameter and fail, not find too much.
    """
    passages = queries["candidate_passages"]
    facet_filter = f"({queries['facet_filter']})"
    return {
        name: query.replace("%(candidate_passages)s", passages).replace(
            "%(facet_filter)s::boolean", facet_filter
        )
        for name, query in queries.items()
        if name not in {"facet_filter", "candidate_passages"}
    }


QUERIES = _compose(load_queries(__file__, "candidates"))
# By each of meaning, adapted meaning, keywords and signals; what is a candidate is weighed exactly.
# A compromise of time and of what is missed: see recall@100 of benchmarks.retrieval, and recall@10
# of benchmarks.search_scale, which is of the ten nearest among the candidates.
N_CANDIDATES = 120
N_FILTERED = 60  # where a walk passes by most of what it meets: it takes as long as it looks for
DEEPER = 8  # so many times the candidates, where a few long documents had all of them
# pgvector's hnsw.ef_search among 100,000 passages; it goes with the square root of their number,
# from N_CANDIDATES to pgvector's own bound. By benchmarks.search_scale (ADR 0010): .99 of the ten
# nearest of 60,000, and .90 of the ten by keywords; of a million .90 with 200, .99 with 632.
EF_SEARCH, MAX_EF_SEARCH = 200, 1000
COUNT_LIMIT = 200_000  # more are not counted: reading them takes longer than any walk
# By benchmarks.search_scale, milliseconds: to read a passage, to walk both graphs, and what a walk
# takes longer by where one passage in 1 / share passes: STEP_MS / share.
READ_MS, WALK_MS, STEP_MS = 0.004, 15.0, 7.5
MAX_SCAN_TUPLES = 100_000  # a walk past a filter ends there, and all that passes is read after all
N_TICKETS = 80  # a bound of what is read: a ticket's weight falls fast (see VOTE_TEMPERATURE)
N_VOTED = 40  # documents with the most votes are candidates, whatever their words are
N_RARE = 3  # of a query's exact signals: the others are in more passages and tell less
CACHE_SIZE = 512  # vectors of 1.5 kB, and counts
COUNT_GENERATIONS = 100  # for so many changes a count of what passes a filter is good enough


class CandidatePassage(TypedDict):
    """A passage of a candidate document, as the driver reads it: there are hundreds a search."""

    chunk_id: str
    document_id: str
    facets: list[str]
    meaning: float  # cosine similarity of query and passage
    keyword_score: float  # BM25, 0 and above
    signals: list[str]  # the passage's exact ones, if the query has any of them
    whole: float  # cosine similarity of query and document, by its centroid
    learned: float  # the same after the learned adapter, 0 without one


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedQuery:
    """A query as the database is asked."""

    query: SearchQuery
    vector: Vectors  # of length one and shape (n_dimensions,)
    adapted: Vectors | None  # the same after the learned adapter
    keywords: KeywordQuery
    signals: Mapping[str, float]  # number of chunks by signal
    votes: Mapping[str, float]  # share of similar past tickets it helped with, by document

    @property
    def full_score(self) -> float:
        """The keyword score of a passage with all terms; above 0."""
        return max(self.keywords.full_score, 1e-9)


class CandidateFinder:
    """Prepares queries and finds their candidates; keeps vectors of queries and filters' counts."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._passing: OrderedDict[tuple[Any, ...], tuple[int, int]] = OrderedDict()

    async def prepare(
        self, connection: Connection, index: SearchIndex, query: SearchQuery, ranking: Ranking
    ) -> PreparedQuery:
        """Return a query as an index is asked.

        Raises:
            EmbeddingModelError: the index was made by another model than this program embeds with.
        """
        if index.model != self._embedder.name:
            raise EmbeddingModelError(
                f"searches run on an index of {index.model}, and this program embeds with"
                f" {self._embedder.name}; run: eucora kb reindex"
            )
        embedding = asyncio.create_task(self._embed(query))  # while the database is asked
        try:
            await self.set_scan(connection, index)
            frequency = await find_frequencies(
                connection,
                index,
                {*list_query_terms(query.text), *map(signal_term, query.signals)},
            )
        except BaseException:
            embedding.cancel()
            await asyncio.gather(embedding, return_exceptions=True)
            raise
        vector = await embedding
        return PreparedQuery(
            query=query,
            vector=vector,
            adapted=adapt_query(ranking, vector),
            keywords=weigh_query(
                list_query_terms(query.text),
                n_chunks=index.n_chunks,
                document_frequency=frequency,
            ),
            signals={
                signal: float(n)
                for signal in query.signals
                if (n := frequency.get(signal_term(signal), 0)) > 0
            },
            votes=await _vote(connection, index, vector) if ranking.weights["tickets"] else {},
        )

    async def _embed(self, query: SearchQuery) -> Vectors:
        key = "\n".join(query.windows)
        if key in self._vectors:
            self._vectors.move_to_end(key)
            return self._vectors[key]
        vector = await embed_query(self._embedder, query)
        self._vectors[key] = vector
        if len(self._vectors) > CACHE_SIZE:
            self._vectors.popitem(last=False)
        return vector

    async def find(
        self,
        connection: Connection,
        index: SearchIndex,
        prepared: PreparedQuery,
        only: SearchFilter,
        limit: int,
        *,
        at_least: int = 0,
    ) -> list[CandidatePassage]:
        """Return the passages of the best documents; `at_least` so many if there are as many.

        One long document may have all of the best passages: then more of them are asked for.
        """
        parameters = _list_parameters(index, prepared, only, max(N_CANDIDATES, 2 * limit))
        if n_walked := await self.plan_walk(connection, index, only):
            parameters["n_candidates"] = max(n_walked, 2 * limit)
            if parameters["n_candidates"] > choose_ef_search(index.n_chunks):
                await self.set_scan(connection, index, parameters["n_candidates"])
            passages = await _read(connection, "find_nearly", parameters)
            is_whole = len(passages) >= parameters["n_candidates"]
            if is_whole and _count_documents(passages) >= at_least:
                return passages
        while True:
            passages = await _read(connection, "find_exactly", parameters)
            is_all = len(passages) < parameters["n_candidates"]
            if is_all or _count_documents(passages) >= at_least:
                return passages
            parameters["n_candidates"] *= DEEPER

    async def plan_walk(
        self, connection: Connection, index: SearchIndex, only: SearchFilter
    ) -> int:
        """Return how many candidates each graph is walked for.

        0: to read all that passes the filter is faster.
        """
        n_passing = await self._count_passing(connection, index, only)
        if not prefers_graphs(n_passing, index.n_chunks):
            return 0
        return N_CANDIDATES if 2 * n_passing > index.n_chunks else N_FILTERED

    @staticmethod
    async def set_scan(
        connection: Connection, index: SearchIndex, n_candidates: int = N_CANDIDATES
    ) -> None:
        """Say how an index's graphs are walked until the transaction ends."""
        ef_search = max(n_candidates, choose_ef_search(index.n_chunks))
        await connection.execute(
            QUERIES["set_scan"],
            {
                "ef_search": str(min(ef_search, MAX_EF_SEARCH)),
                "max_scan_tuples": str(MAX_SCAN_TUPLES),
            },
        )

    async def _count_passing(
        self, connection: Connection, index: SearchIndex, only: SearchFilter
    ) -> int:
        """Return how many passages pass, at most COUNT_LIMIT."""
        if only == SearchFilter() or not prefers_graphs(index.n_chunks, index.n_chunks):
            return index.n_chunks
        key = (index.index_id, only)
        known = self._passing.get(key)
        if known and index.generation - known[1] < COUNT_GENERATIONS:
            return known[0]
        row = await (
            await connection.execute(
                QUERIES["count_passing"],
                {"index_id": index.index_id, "limit": COUNT_LIMIT, **only.alternatives()},
            )
        ).fetchone()
        n_passing = int(row["n"]) if row else 0
        self._passing[key] = (n_passing, index.generation)
        if len(self._passing) > CACHE_SIZE:
            self._passing.popitem(last=False)
        return n_passing


def choose_ef_search(n_chunks: int) -> int:
    """Return how many passages a walk keeps in view: among more passages, more."""
    return max(N_CANDIDATES, round(EF_SEARCH * math.sqrt(n_chunks / 100_000)))


def prefers_graphs(n_passing: int, n_chunks: int) -> bool:
    """Whether graphs are walked sooner than so many of all passages are read.

    A walk goes on until enough of what it meets passes, so that it takes longer the less does.
    """
    share = max(n_passing, 1) / max(n_chunks, 1)
    return n_passing * READ_MS > WALK_MS + STEP_MS / share


async def _vote(connection: Connection, index: SearchIndex, vector: Vectors) -> dict[str, float]:
    parameters = {
        "embedding": HalfVector(vector).to_text(),
        "model": index.model,
        "limit": N_TICKETS,
    }
    rows = await (await connection.execute(QUERIES["find_similar_tickets"], parameters)).fetchall()
    if rows:
        parameters["voted"] = list({row["document_id"] for row in rows})
        rows += await (
            await connection.execute(QUERIES["find_disappointed_tickets"], parameters)
        ).fetchall()
    return count_votes([SimilarTicket(**row) for row in rows])


def _list_parameters(
    index: SearchIndex, prepared: PreparedQuery, only: SearchFilter, n_candidates: int
) -> dict[str, Any]:
    adapted = prepared.adapted
    voted = sorted(prepared.votes, key=lambda one: -prepared.votes[one])[:N_VOTED]
    rare = sorted(prepared.signals, key=lambda one: prepared.signals[one])[:N_RARE]
    return {
        "index_id": index.index_id,
        "embedding": HalfVector(prepared.vector).to_text(),
        "adapted": None if adapted is None else HalfVector(adapted).to_text(),
        "keywords": format_sparse_vector(prepared.keywords.weights),
        "signals": list(prepared.signals),
        "rare_signals": rare,
        "voted": voted,
        "n_candidates": n_candidates,
        **only.alternatives(),
    }


async def _read(
    connection: Connection, name: str, parameters: Mapping[str, Any]
) -> list[CandidatePassage]:
    """Return what a statement finds, read in PostgreSQL's binary format: hundreds of rows."""
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(QUERIES[name], parameters)
        return cast("list[CandidatePassage]", await cursor.fetchall())


def gather_evidence(
    prepared: PreparedQuery, passages: Sequence[CandidatePassage], n_chunks: int
) -> tuple[dict[str, list[CandidatePassage]], Evidence]:
    """Return the passages found by document, and what is known of each document."""
    documents: dict[str, list[CandidatePassage]] = {}
    for passage in passages:
        documents.setdefault(passage["document_id"], []).append(passage)
    groups = documents.values()
    full_score = prepared.full_score
    evidence = Evidence(
        meaning=_array(max(passage["meaning"] for passage in group) for group in groups),
        whole=_array(group[0]["whole"] for group in groups),
        coverage=_array(
            max(passage["keyword_score"] for passage in group) / full_score for group in groups
        ),
        exact=_array(
            match_exactly(
                prepared.signals,
                [signal for passage in group for signal in passage["signals"]],
                n_chunks=n_chunks,
            )
            for group in groups
        ),
        votes=_array(prepared.votes.get(document_id, 0.0) for document_id in documents),
        learned=_array(group[0]["learned"] for group in groups),
        trust=tuple(_read_trust(group[0]["facets"]) for group in groups),
    )
    return documents, evidence


def _count_documents(passages: Sequence[CandidatePassage]) -> int:
    return len({passage["document_id"] for passage in passages})


def _array(values: Iterable[float]) -> Scores:
    return np.fromiter(values, dtype=np.float64)


def _read_trust(facets: Sequence[str]) -> str:
    return next((one[6:] for one in facets if one.startswith("trust:")), "external")
