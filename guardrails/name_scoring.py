# SPDX-License-Identifier: Apache-2.0
"""Applies a trained name model fast, with the weights of its spaCy pipeline and the same result.

The first half of the network (embedding of a word's features) knows nothing of the context, and
most words of a text have been seen before: it is computed once a word. The second half, the
convolution over the text, is done in NumPy: for texts as short as tickets are, most of thinc's
time is spent between its layers.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from guardrails.name_model import LABELS, NameModel, split_words
from guardrails.spacy_runtime import hash_string

_KEPT_WORDS: Final = 20_000
_NORM_FLOOR: Final = 1e-8  # thinc's, in its layer normalisation


class NameScorer:
    """Scores texts. Not safe to call from several threads at once."""

    def __init__(self, model: NameModel) -> None:
        self._describe = model.describe
        tok2vec = model.network.get_ref("tok2vec")
        # Without the first and the last, which take features from spaCy's documents.
        _, _, *self._embedding, _ = tok2vec.get_ref("embed").layers
        self._convolution = [*_read_layers(tok2vec.get_ref("encode"))]
        output = model.network.get_ref("output_layer")
        self._output = (output.get_param("W").T.copy(), output.get_param("b"))
        self._rows: dict[str, int] = {}
        self._vectors = np.zeros((_KEPT_WORDS, len(self._output[0])), dtype=np.float32)

    def score(self, text: str) -> tuple[list[tuple[int, int]], Any]:
        """Return the (start, end) of the tokens, and their scores of shape (n_tokens, n_labels)."""
        words, places = split_words(text)
        if not words:
            return [], np.zeros((0, len(LABELS)), dtype=np.float32)
        rows = self._find_rows(words)
        weights, bias = self._output
        scores = self._encode(self._vectors[rows]) @ weights + bias
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return places, scores

    def _encode(self, vectors: Any) -> Any:
        """Let every word's vector take in its neighbours', layer by layer."""
        depth, (n_words, width) = len(self._convolution), vectors.shape
        padded = np.zeros((n_words + 2 * depth, width), dtype=np.float32)
        padded[depth : depth + n_words] = vectors
        window = np.zeros((len(padded), 3 * width), dtype=np.float32)
        for weights, bias, gain, shift in self._convolution:
            window[1:, :width] = padded[:-1]
            window[:, width : 2 * width] = padded
            window[:-1, 2 * width :] = padded[1:]
            pieces = window @ weights
            pieces += bias
            best = np.maximum(pieces[:, :width], pieces[:, width : 2 * width])
            np.maximum(best, pieces[:, 2 * width :], out=best)
            best -= best.mean(axis=1, keepdims=True)
            best /= np.sqrt(np.einsum("ij,ij->i", best, best)[:, None] / width + _NORM_FLOOR)
            best *= gain
            best += shift
            padded += best
        return padded[depth : depth + n_words]

    def _find_rows(self, words: Sequence[str]) -> list[int]:
        try:
            return [self._rows[word] for word in words]
        except KeyError:
            self._learn(words)
            return [self._rows[word] for word in words]

    def _learn(self, words: Sequence[str]) -> None:
        """Compute the vectors of new words; forget all others where there is no room for them."""
        new = [word for word in dict.fromkeys(words) if word not in self._rows]
        if len(self._rows) + len(new) > len(self._vectors):
            self._rows.clear()
            new = list(dict.fromkeys(words))
            if len(new) > len(self._vectors):
                self._vectors = np.zeros((len(new), self._vectors.shape[1]), dtype=np.float32)
        first = len(self._rows)
        values: Any = np.array(
            [[hash_string(feature) for feature in self._describe(word)] for word in new],
            dtype=np.uint64,
        )
        for layer in self._embedding:
            values = layer.predict(values)
        self._vectors[first : first + len(new)] = values
        self._rows.update((word, first + number) for number, word in enumerate(new))


def _read_layers(encode: Any) -> Any:
    """Yield (weights, bias, gain, shift) of each convolution, ready for rows of three words."""
    layers = [layer for layer in encode.walk() if layer.name in {"maxout", "layernorm"}]
    for maxout, norm in zip(layers[::2], layers[1::2], strict=True):
        weights = maxout.get_param("W")  # of shape (width, pieces, 3 * width)
        yield (
            weights.transpose(2, 1, 0).reshape(weights.shape[-1], -1).copy(),
            maxout.get_param("b").T.reshape(-1).copy(),
            norm.get_param("G"),
            norm.get_param("b"),
        )
