# SPDX-License-Identifier: Apache-2.0
"""Hybrid search: meaning, keywords, exact signals and past tickets, ranked as `ranking` says.

Nothing here decides who may see a document; the filter that is handed in does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.candidates import (
    N_CANDIDATES,
    CandidateFinder,
    CandidatePassage,
    PreparedQuery,
    gather_evidence,
)
from retrieval.embedding import Embedder, Vectors
from retrieval.facets import SearchFilter
from retrieval.query import understand_query
from retrieval.ranking import PARTS, Evidence, Ranking, sum_parts, weigh_parts
from retrieval.search_index import find_index

QUERIES = load_queries(__file__, "search")
PASSAGES_PER_DOCUMENT = 2  # so that one long document does not fill the page


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
    document_signals: tuple[str, ...]  # the same of all the document's passages
    votes: float  # share of similar past tickets that the document helped with
    parts: Mapping[str, float]  # what each part adds to the document's score
    score: float  # the document's, less what a better passage of it is ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedPassage:
    """A passage of a document found, by what alone places it among the document's others."""

    chunk_id: str
    dense_score: float  # cosine similarity, -1 to 1
    keyword_score: float  # BM25, 0 and above
    coverage: float  # share of the query's weighed keywords, 0 to 1
    signals: tuple[str, ...]  # exact ones that the query has too

    @property
    def strength(self) -> float:
        """How well the passage alone answers: cosine similarity plus coverage, -1 to 2."""
        return self.dense_score + self.coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A document found: its score, of which parts it is the sum, and its passages, best first."""

    document_id: str
    score: float
    parts: Mapping[str, float]  # by the names of `ranking.PARTS`
    votes: float  # share of similar past tickets that the document helped with, 0 to 1
    passages: tuple[RankedPassage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPassage:
    """A passage that is shown: its document, and the document's score less what it is behind."""

    hit: Hit
    ranked: RankedPassage
    score: float


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
        self.candidates = CandidateFinder(embedder)
        self.ranking = ranking or Ranking()

    def use_ranking(self, ranking: Ranking) -> None:
        """Rank the searches that begin from now on otherwise."""
        self.ranking = ranking

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
        rows = await (
            await connection.execute(
                QUERIES["read_passages"], {"chunk_ids": [one.ranked.chunk_id for one in chosen]}
            )
        ).fetchall()
        stored = {row["chunk_id"]: row for row in rows}
        return [
            _make_passage(one, stored[one.ranked.chunk_id])
            for one in chosen
            if one.ranked.chunk_id in stored
        ]

    async def find_documents(
        self, connection: Connection, text: str, *, only: SearchFilter, limit: int
    ) -> list[Hit]:
        """Return the best documents, at most `limit`, best first."""
        query = understand_query(text)
        ranking = self.ranking  # may be replaced meanwhile; one search is ranked by one
        index = await find_index(connection)
        while index is not None and index.n_chunks:
            prepared = await self.candidates.prepare(connection, index, query, ranking)
            passages = await self.candidates.find(
                connection, index, prepared, only, limit, at_least=limit
            )
            serving = await find_index(connection)
            if passages or serving is None or serving.index_id == index.index_id:
                return _rank(ranking, prepared, passages, index.n_chunks, limit)
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
            await self.candidates.prepare(connection, index, understand_query(text), self.ranking),
            votes=votes,
        )
        passages = await self.candidates.find(connection, index, prepared, SearchFilter(), limit)
        documents, evidence = gather_evidence(prepared, passages, index.n_chunks)
        rows = await (
            await connection.execute(
                QUERIES["list_centroids"],
                {"index_id": index.index_id, "document_ids": list(documents)},
            )
        ).fetchall()
        centroids = {row["document_id"]: row["centroid"] for row in rows}
        return Candidates(
            document_ids=tuple(documents),
            evidence=evidence,
            vector=prepared.vector,
            centroids=np.array([json.loads(centroids[one]) for one in documents], dtype=np.float32),
        )


def _rank(
    ranking: Ranking,
    prepared: PreparedQuery,
    passages: Sequence[CandidatePassage],
    n_chunks: int,
    limit: int,
) -> list[Hit]:
    """Return the best documents; only theirs are put in order."""
    documents, evidence = gather_evidence(prepared, passages, n_chunks)
    parts = weigh_parts(ranking, evidence)
    scores, names = sum_parts(parts), list(documents)
    places = sorted(range(len(names)), key=lambda place: (-scores[place], names[place]))
    return [
        Hit(
            document_id=names[place],
            score=float(scores[place]),
            parts={name: float(parts[name][place]) for name in PARTS},
            votes=float(evidence.votes[place]),
            passages=_order(documents[names[place]], prepared),
        )
        for place in places[:limit]
    ]


def _order(
    passages: Sequence[CandidatePassage], prepared: PreparedQuery
) -> tuple[RankedPassage, ...]:
    """Return a document's passages by how well each alone answers, best first."""
    full_score = prepared.full_score
    ranked = [
        RankedPassage(
            chunk_id=passage["chunk_id"],
            dense_score=passage["meaning"],
            keyword_score=passage["keyword_score"],
            coverage=passage["keyword_score"] / full_score,
            signals=tuple(one for one in passage["signals"] if one in prepared.signals),
        )
        for passage in passages
    ]
    return tuple(sorted(ranked, key=lambda one: (-one.strength, one.chunk_id)))


def _choose(hits: Sequence[Hit], limit: int) -> list[ChosenPassage]:
    """Return the best passages, best first: at most two of each document."""
    chosen = [
        ChosenPassage(
            hit=hit,
            ranked=ranked,
            score=hit.score - (hit.passages[0].strength - ranked.strength),
        )
        for hit in hits
        for ranked in hit.passages[:PASSAGES_PER_DOCUMENT]
    ]
    chosen.sort(key=lambda one: (-one.score, one.ranked.chunk_id))
    return chosen[:limit]


def _make_passage(chosen: ChosenPassage, stored: Mapping[str, Any]) -> Passage:
    """Return a passage as it is handed out, from its row of the corpus."""
    hit, ranked = chosen.hit, chosen.ranked
    return Passage(
        chunk_id=stored["chunk_id"],
        document_id=stored["document_id"],
        version=stored["version"],
        kind=stored["kind"],
        title=stored["title"],
        trust=stored["trust"],
        source=stored["source"],
        language=stored["language"],
        headings=tuple(stored["headings"]),
        page=stored["page"],
        start_offset=stored["start_offset"],
        end_offset=stored["end_offset"],
        text=stored["text"],
        failure_classes=tuple(stored["failure_classes"]),
        related_scripts=tuple(stored["related_scripts"]),
        dense_score=float(ranked.dense_score),
        keyword_score=float(ranked.keyword_score),
        coverage=float(ranked.coverage),
        signals=ranked.signals,
        document_signals=tuple(dict.fromkeys(one for each in hit.passages for one in each.signals)),
        votes=hit.votes,
        parts=hit.parts,
        score=chosen.score,
    )
