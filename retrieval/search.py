# SPDX-License-Identifier: Apache-2.0
"""Hybrid search: meaning, keywords, exact signals and past tickets, ranked as `ranking` says.

A filter never makes a search return less than there is: what passes it is read whole if it is
little, else graphs are walked on past the filter, and where that ends early all is read after all.
Nothing here decides who may see a document; the filter that is handed in does.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pgvector import HalfVector

from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.embedding import Embedder, Vectors
from retrieval.errors import EmbeddingModelError
from retrieval.facets import SearchFilter
from retrieval.keywords import KeywordQuery, list_query_terms, weigh_query
from retrieval.query import SearchQuery, understand_query
from retrieval.ranking import (
    PARTS,
    Evidence,
    Ranking,
    SimilarTicket,
    adapt_query,
    count_votes,
    match_exactly,
    sum_parts,
    weigh_parts,
)
from retrieval.search_index import QUERIES as INDEX_QUERIES
from retrieval.search_index import SearchIndex, find_index, signal_term, sparse

QUERIES = load_queries(__file__, "search")
N_CANDIDATES = 120
EXACT_LIMIT = 4_000  # so many passages are read about as fast as graphs are walked
MAX_SCAN_TUPLES = 100_000
N_TICKETS = 80
N_VOTED = 40
N_RARE = 3
CACHE_SIZE = 512
COUNT_GENERATIONS = 100  # for so many changes a count of what passes a filter is good enough
PASSAGES_PER_DOCUMENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage found for a query, with the signals that placed it."""

    chunk_id: str
    document_id: str
    version: int
    kind: str
    title: str
    trust: str
    source: str
    language: str
    headings: tuple[str, ...]
    page: int | None
    start_offset: int
    end_offset: int
    text: str
    failure_classes: tuple[str, ...]
    related_scripts: tuple[str, ...]
    dense_score: float  # cosine similarity
    keyword_score: float  # BM25
    coverage: float  # share of the query's weighed keywords, 0 to 1
    signals: tuple[str, ...]  # exact ones that the query has too
    votes: float  # share of similar past tickets that the document helped with
    parts: Mapping[str, float]  # what each part adds to the document's score
    score: float  # the document's, less what a better passage of it is ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document found, best first: its score and its passages' ids, best first."""

    document_id: str
    score: float
    parts: Mapping[str, float]
    votes: float
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A query as the database is asked."""

    query: SearchQuery
    vector: Vectors
    adapted: Vectors | None
    keywords: KeywordQuery
    signals: Mapping[str, float]  # number of chunks by signal
    votes: Mapping[str, float]

    @property
    def full_score(self) -> float:
        """The keyword score of a passage with all terms; above 0."""
        return max(self.keywords.full_score, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What a query finds before it is ranked: what ranking learns from."""

    document_ids: tuple[str, ...]
    evidence: Evidence
    vector: Vectors  # of the query, of shape (n_dimensions,)
    centroids: Vectors  # of the documents, of shape (n_documents, n_dimensions)


class Retriever:
    """Searches the corpus."""

    def __init__(self, embedder: Embedder, *, ranking: Ranking | None = None) -> None:
        self._embedder = embedder
        self._cache: OrderedDict[str, Vectors] = OrderedDict()
        self._passing: OrderedDict[tuple[Any, ...], tuple[int, int]] = OrderedDict()
        self.ranking = ranking or Ranking()

    async def search(
        self,
        connection: Connection,
        text: str,
        *,
        platform: str | None = None,
        kind: str | None = None,
        only: SearchFilter | None = None,
        limit: int = 8,
    ) -> list[Passage]:
        """Return the best passages, at most two a document, best first.

        Args:
            connection: where to search; nothing is written.
            text: a masked query of any length; what is beyond the bound is not read.
            platform: only documents for this platform, if given.
            kind: only "article" or "script", if given.
            only: a whole filter, in place of the two.
            limit: how many passages at the most.

        Raises:
            EmbeddingModelError: the index was made by another model than this program embeds with.
        """
        only = only or SearchFilter(platform=platform, kind=kind)
        hits = await self.find_documents(connection, text, only=only, limit=limit)
        chosen = _choose(hits, limit)
        found = await (
            await connection.execute(
                QUERIES["read_passages"], {"chunk_ids": [row["chunk_id"] for _, row, _ in chosen]}
            )
        ).fetchall()
        texts = {row["chunk_id"]: row for row in found}
        return [
            _passage(texts[row["chunk_id"]], hit, row, score)
            for hit, row, score in chosen
            if row["chunk_id"] in texts
        ]

    async def find_documents(
        self, connection: Connection, text: str, *, only: SearchFilter, limit: int
    ) -> list[Hit]:
        """Return the best documents, at most `limit`, best first."""
        query = understand_query(text)
        index = await find_index(connection)
        while index is not None and index.n_chunks:
            prepared = await self._prepare(connection, index, query)
            rows = await self._find(connection, index, prepared, only, limit, at_least=limit)
            serving = await find_index(connection)
            if rows or serving is None or serving.index_id == index.index_id:
                return _rank(self.ranking, prepared, rows, index.n_chunks)[:limit]
            index = serving  # it was replaced between two statements
        return []

    async def find_candidates(
        self,
        connection: Connection,
        text: str,
        *,
        votes: Mapping[str, float],
        limit: int = N_CANDIDATES,
    ) -> Candidates | None:
        """Return what a text finds, unranked, with given votes; None without an index."""
        index = await find_index(connection)
        if index is None or not index.n_chunks:
            return None
        prepared = replace(
            await self._prepare(connection, index, understand_query(text)), votes=votes
        )
        rows = await self._find(connection, index, prepared, SearchFilter(), limit)
        documents, evidence = _weigh(prepared, rows, index.n_chunks)
        found = await (
            await connection.execute(
                QUERIES["list_centroids"],
                {"index_id": index.index_id, "document_ids": list(documents)},
            )
        ).fetchall()
        centroids = {row["document_id"]: row["centroid"] for row in found}
        return Candidates(
            document_ids=tuple(documents),
            evidence=evidence,
            vector=prepared.vector,
            centroids=np.array([json.loads(centroids[one]) for one in documents], dtype=np.float32),
        )

    async def _prepare(
        self, connection: Connection, index: SearchIndex, query: SearchQuery
    ) -> _Prepared:
        if index.model != self._embedder.name:
            raise EmbeddingModelError(
                f"searches run on an index of {index.model}, and this program embeds with"
                f" {self._embedder.name}; run: eucora kb reindex"
            )
        vector = await self._embed(query)
        frequency = await _find_frequencies(connection, index, query)
        return _Prepared(
            query=query,
            vector=vector,
            adapted=adapt_query(self.ranking, vector),
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
            votes=await self._vote(connection, index, vector),
        )

    async def _embed(self, query: SearchQuery) -> Vectors:
        key = "\n".join(query.windows)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        vectors = await self._embedder.embed(query.windows)
        vector: Vectors = vectors.mean(axis=0)
        vector /= max(float(np.linalg.norm(vector)), 1e-9)
        self._cache[key] = vector
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return vector

    async def _vote(
        self, connection: Connection, index: SearchIndex, vector: Vectors
    ) -> dict[str, float]:
        if not self.ranking.weights["tickets"]:
            return {}
        asked = {
            "embedding": HalfVector(vector).to_text(),
            "model": index.model,
            "limit": N_TICKETS,
        }
        rows = await (await connection.execute(QUERIES["find_similar_tickets"], asked)).fetchall()
        if rows:
            asked["voted"] = list({row["document_id"] for row in rows})
            rows += await (
                await connection.execute(QUERIES["find_disappointed_tickets"], asked)
            ).fetchall()
        return count_votes([SimilarTicket(**row) for row in rows])

    async def _find(
        self,
        connection: Connection,
        index: SearchIndex,
        prepared: _Prepared,
        only: SearchFilter,
        limit: int,
        *,
        at_least: int = 0,
    ) -> list[dict[str, Any]]:
        """Return the passages of the best documents; `at_least` so many if there are as many.

        One long document may have all of the best passages: then more of them are asked for.
        """
        asked = _ask(index, prepared, only, max(N_CANDIDATES, 2 * limit))
        if await self.walks_graphs(connection, index, only):
            await self.set_scan(connection, asked["n_candidates"])
            rows = await (await connection.execute(QUERIES["find_nearly"], asked)).fetchall()
            if len(rows) >= asked["n_candidates"] and _count_documents(rows) >= at_least:
                return rows
        while True:
            rows = await (await connection.execute(QUERIES["find_exactly"], asked)).fetchall()
            if len(rows) < asked["n_candidates"] or _count_documents(rows) >= at_least:
                return rows
            asked["n_candidates"] *= 8

    async def walks_graphs(
        self, connection: Connection, index: SearchIndex, only: SearchFilter
    ) -> bool:
        """Whether more passes a filter than is read whole."""
        return await self._count_passing(connection, index, only) > EXACT_LIMIT

    @staticmethod
    async def set_scan(connection: Connection, n_candidates: int = N_CANDIDATES) -> None:
        """Say how graphs are walked until the transaction ends."""
        await connection.execute(
            QUERIES["set_scan"],
            {
                "ef_search": str(min(n_candidates, 1000)),
                "max_scan_tuples": str(MAX_SCAN_TUPLES),
            },
        )

    async def _count_passing(
        self, connection: Connection, index: SearchIndex, only: SearchFilter
    ) -> int:
        """Return how many passages pass, or more than EXACT_LIMIT if they are as many."""
        if index.n_chunks <= EXACT_LIMIT or only == SearchFilter():
            return index.n_chunks
        key = (index.index_id, only)
        known = self._passing.get(key)
        if known and index.generation - known[1] < COUNT_GENERATIONS:
            return known[0]
        row = await (
            await connection.execute(
                QUERIES["count_passing"],
                {"index_id": index.index_id, "limit": EXACT_LIMIT + 1, **only.alternatives()},
            )
        ).fetchone()
        n_passing = int(row["n"]) if row else 0
        self._passing[key] = (n_passing, index.generation)
        if len(self._passing) > CACHE_SIZE:
            self._passing.popitem(last=False)
        return n_passing


async def _find_frequencies(
    connection: Connection, index: SearchIndex, query: SearchQuery
) -> dict[int, int]:
    terms = {*list_query_terms(query.text), *map(signal_term, query.signals)}
    rows = await (
        await connection.execute(
            INDEX_QUERIES["find_terms"], {"index_id": index.index_id, "terms": list(terms)}
        )
    ).fetchall()
    return {row["term"]: row["n_chunks"] for row in rows}


def _ask(
    index: SearchIndex, prepared: _Prepared, only: SearchFilter, n_candidates: int
) -> dict[str, Any]:
    adapted = prepared.adapted
    voted = sorted(prepared.votes, key=lambda one: -prepared.votes[one])[:N_VOTED]
    rare = sorted(prepared.signals, key=lambda one: prepared.signals[one])[:N_RARE]
    return {
        "index_id": index.index_id,
        "embedding": HalfVector(prepared.vector).to_text(),
        "adapted": None if adapted is None else HalfVector(adapted).to_text(),
        "keywords": sparse(prepared.keywords.weights),
        "signals": list(prepared.signals),
        "rare_signals": rare,
        "voted": voted,
        "n_candidates": n_candidates,
        **only.alternatives(),
    }


def _weigh(
    prepared: _Prepared, rows: Sequence[Mapping[str, Any]], n_chunks: int
) -> tuple[dict[str, list[Mapping[str, Any]]], Evidence]:
    """Return the passages found by document, and what is known of each document."""
    documents: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        documents.setdefault(row["document_id"], []).append(row)
    groups = documents.values()
    full_score = prepared.full_score
    evidence = Evidence(
        meaning=_array(max(row["meaning"] for row in group) for group in groups),
        whole=_array(group[0]["whole"] for group in groups),
        coverage=_array(
            max(row["keyword_score"] for row in group) / full_score for group in groups
        ),
        exact=_array(
            match_exactly(
                prepared.signals,
                [signal for row in group for signal in row["signals"]],
                n_chunks=n_chunks,
            )
            for group in groups
        ),
        votes=_array(prepared.votes.get(document_id, 0.0) for document_id in documents),
        learned=_array(group[0]["learned"] for group in groups),
        trust=tuple(_trust(group[0]["facets"]) for group in groups),
    )
    return documents, evidence


def _rank(
    ranking: Ranking, prepared: _Prepared, rows: Sequence[Mapping[str, Any]], n_chunks: int
) -> list[Hit]:
    documents, evidence = _weigh(prepared, rows, n_chunks)
    parts = weigh_parts(ranking, evidence)
    hits = [
        Hit(
            document_id=document_id,
            score=float(score),
            parts={name: float(parts[name][place]) for name in PARTS},
            votes=float(evidence.votes[place]),
            rows=_order(group, prepared),
        )
        for place, ((document_id, group), score) in enumerate(
            zip(documents.items(), sum_parts(parts), strict=True)
        )
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.document_id))


def _count_documents(rows: Sequence[Mapping[str, Any]]) -> int:
    return len({row["document_id"] for row in rows})


def _array(values: Any) -> Any:
    return np.fromiter(values, dtype=np.float64)


def _trust(facets: Sequence[str]) -> str:
    return next((one[6:] for one in facets if one.startswith("trust:")), "external")


def _order(rows: Sequence[Mapping[str, Any]], prepared: _Prepared) -> tuple[Mapping[str, Any], ...]:
    """Return a document's passages by how well each alone answers, best first."""
    full_score = prepared.full_score
    told = [
        {
            **row,
            "coverage": row["keyword_score"] / full_score,
            "alone": row["meaning"] + row["keyword_score"] / full_score,
            "signals": tuple(one for one in row["signals"] if one in prepared.signals),
        }
        for row in rows
    ]
    return tuple(sorted(told, key=lambda row: (-row["alone"], row["chunk_id"])))


def _choose(hits: Sequence[Hit], limit: int) -> list[tuple[Hit, Mapping[str, Any], float]]:
    """Return passages with their scores, best first: at most two of each document."""
    chosen = [
        (hit, row, hit.score - (hit.rows[0]["alone"] - row["alone"]))
        for hit in hits
        for row in hit.rows[:PASSAGES_PER_DOCUMENT]
    ]
    chosen.sort(key=lambda one: (-one[2], one[1]["chunk_id"]))
    return chosen[:limit]


def _passage(text: Mapping[str, Any], hit: Hit, row: Mapping[str, Any], score: float) -> Passage:
    return Passage(
        chunk_id=text["chunk_id"],
        document_id=text["document_id"],
        version=text["version"],
        kind=text["kind"],
        title=text["title"],
        trust=text["trust"],
        source=text["source"],
        language=text["language"],
        headings=tuple(text["headings"]),
        page=text["page"],
        start_offset=text["start_offset"],
        end_offset=text["end_offset"],
        text=text["text"],
        failure_classes=tuple(text["failure_classes"]),
        related_scripts=tuple(text["related_scripts"]),
        dense_score=float(row["meaning"]),
        keyword_score=float(row["keyword_score"]),
        coverage=float(row["coverage"]),
        signals=row["signals"],
        votes=hit.votes,
        parts=hit.parts,
        score=score,
    )
