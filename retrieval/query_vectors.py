# SPDX-License-Identifier: Apache-2.0
"""Queries as vectors: a long one is read in windows, whose mean stands for it."""

from collections.abc import Sequence

import numpy as np

from retrieval.embedding import Embedder, Vectors
from retrieval.query import SearchQuery, understand_query


async def embed_query(embedder: Embedder, query: SearchQuery) -> Vectors:
    """Return the unit vector of a query, shape (n_dimensions,)."""
    vector: Vectors = _join([await embedder.embed(query.windows)])[0]
    return vector


async def embed_queries(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """Return the unit vectors of texts as searches make them, shape (n, n_dimensions)."""
    windows = [understand_query(text).windows for text in texts]
    flat = await embedder.embed([one for of_query in windows for one in of_query])
    ends = np.cumsum([len(of_query) for of_query in windows])
    return _join(
        [flat[end - len(of_query) : end] for end, of_query in zip(ends, windows, strict=True)]
    )


def _join(windows: Sequence[Vectors]) -> Vectors:
    """Return the mean vector of each query's windows, of length one."""
    means = np.array([of_query.mean(axis=0) for of_query in windows], dtype=np.float32)
    unit: Vectors = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    return unit
