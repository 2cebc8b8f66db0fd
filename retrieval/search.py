# SPDX-License-Identifier: Apache-2.0
"""Hybrid search: dense cosine similarity and BM25, fused as weighted z-scores.

Ranks alone (reciprocal rank fusion) measured worse than dense search; standardised scores with a
small keyword weight measured better than both parts. A document counts by its best passage.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pgvector import HalfVector

from kernel.database import Connection
from kernel.queries import load_queries
from retrieval.corpus import sparse
from retrieval.embedding import Embedder, Vectors
from retrieval.keywords import weigh_query

QUERIES = load_queries(__file__, "corpus")
KEYWORD_WEIGHT = 0.2
N_CANDIDATES = 60
CACHE_SIZE = 512
MAX_QUERY_CHARACTERS = 8_000  # the embedder reads far fewer; the cache keeps what it is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage found for a query, with the signals that placed it."""

    chunk_id: str
    document_id: str
    version: int
    kind: str
    title: str
    trust: str
    start_offset: int
    end_offset: int
    text: str
    failure_classes: tuple[str, ...]
    related_scripts: tuple[str, ...]
    dense_score: float  # cosine similarity
    keyword_score: float  # BM25
    score: float  # weighted z-score


def fuse_scores(dense: Sequence[float], keyword: Sequence[float]) -> list[float]:
    """Return weighted sums of standardised scores, one per candidate."""
    return [
        float(value)
        for value in (1 - KEYWORD_WEIGHT) * _standardise(dense)
        + KEYWORD_WEIGHT * _standardise(keyword)
    ]


def _standardise(scores: Sequence[float]) -> Vectors:
    values = np.asarray(scores, dtype=np.float32)
    spread = float(values.std()) if values.size else 0.0
    if spread < 1e-9:
        return np.zeros_like(values)
    standardised: Vectors = (values - values.mean()) / spread
    return standardised


class Retriever:
    """Searches the corpus."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._cache: OrderedDict[str, Vectors] = OrderedDict()

    async def search(
        self,
        connection: Connection,
        text: str,
        *,
        platform: str | None = None,
        kind: str | None = None,
        limit: int = 8,
    ) -> list[Passage]:
        """Return the best passages, at most two a document, best first.

        Args:
            connection: where to search; nothing is written.
            text: a masked query of any length; what is beyond the bound is not read.
            platform: only documents for this platform, if given.
            kind: only "article" or "script", if given.
            limit: how many passages at the most.
        """
        text = _tidy(text)
        rows = await (
            await connection.execute(
                QUERIES["search_passages"],
                {
                    "embedding": HalfVector(await self._embed(text)).to_text(),
                    "keywords": sparse(await self._weigh(connection, text)),
                    "platform": platform,
                    "kind": kind,
                    "n_candidates": N_CANDIDATES,
                },
            )
        ).fetchall()
        scores = fuse_scores(
            [row["dense_score"] for row in rows], [row["keyword_score"] for row in rows]
        )
        ranked = sorted(
            zip(scores, rows, strict=True), key=lambda pair: (-pair[0], pair[1]["chunk_id"])
        )
        return _spread([_passage(row, score) for score, row in ranked], limit)

    async def _embed(self, text: str) -> Vectors:
        if text in self._cache:
            self._cache.move_to_end(text)
            return self._cache[text]
        vector: Vectors = (await self._embedder.embed([text]))[0]
        self._cache[text] = vector
        if len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return vector

    async def _weigh(self, connection: Connection, text: str) -> Mapping[int, float]:
        row = await (await connection.execute(QUERIES["find_statistics"])).fetchone()
        if row is None:
            return {}
        return weigh_query(
            text, n_chunks=row["n_chunks"], document_frequency=row["document_frequency"]
        )


def _tidy(text: str) -> str:
    """Return the part that is read, with half characters (lone surrogates) replaced."""
    return text[:MAX_QUERY_CHARACTERS].encode(errors="replace").decode()


def _passage(row: Mapping[str, Any], score: float) -> Passage:
    return Passage(
        chunk_id=row["chunk_id"],
        document_id=row["document_id"],
        version=row["version"],
        kind=row["kind"],
        title=row["title"],
        trust=row["trust"],
        start_offset=row["start_offset"],
        end_offset=row["end_offset"],
        text=row["text"],
        failure_classes=tuple(row["failure_classes"]),
        related_scripts=tuple(row["related_scripts"]),
        dense_score=float(row["dense_score"]),
        keyword_score=float(row["keyword_score"]),
        score=score,
    )


def _spread(passages: Sequence[Passage], limit: int) -> list[Passage]:
    seen: dict[str, int] = {}
    kept: list[Passage] = []
    for passage in passages:
        seen[passage.document_id] = seen.get(passage.document_id, 0) + 1
        if seen[passage.document_id] <= 2:
            kept.append(passage)
        if len(kept) == limit:
            break
    return kept
