# SPDX-License-Identifier: Apache-2.0
"""Applies a trained name model fast, with the weights of its spaCy pipeline and the same result.

The first half of the network (embedding of a word's features) knows nothing of the context, and
most words of a text have been seen before: it is computed once a word. Both halves are done in
NumPy: for texts as short as tickets are, most of thinc's time is spent between its layers.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from guardrails.name_model import LABELS, NameModel, split_words
from guardrails.spacy_runtime import hash_string

_KEPT_WORDS: Final = 20_000
_NORM_FLOOR: Final = 1e-8  # thinc's, in its layer normalisation


class _Mixer(NamedTuple):
    """A maxout layer of three pieces and the normalisation after it.

    Attributes:
        weights: of shape (n_inputs, 3 * width), piece after piece.
        bias: of shape (3 * width,).
        gain: of shape (width,).
        shift: of shape (width,).

    """

    weights: Any
    bias: Any
    gain: Any
    shift: Any

    def mix(self, rows: Any) -> Any:
        """Return new rows of shape (n_rows, width) for rows of shape (n_rows, n_inputs)."""
        return self.finish(np.dot(rows, self.weights))

    def finish(self, pieces: Any) -> Any:
        """Return the new rows for products of rows and weights; these are written over."""
        width = len(self.gain)
        pieces += self.bias
        best = np.maximum(pieces[:, :width], pieces[:, width : 2 * width])
        np.maximum(best, pieces[:, 2 * width :], out=best)
        best -= np.add.reduce(best, axis=1, keepdims=True) / width
        spread = np.vecdot(best, best)
        spread /= width
        spread += _NORM_FLOOR
        best /= np.sqrt(spread, out=spread)[:, None]
        best *= self.gain
        best += self.shift
        return best


class NameScorer:
    """Scores texts. Not safe to call from several threads at once."""

    def __init__(self, model: NameModel) -> None:
        self._describe = model.describe
        tok2vec = model.network.get_ref("tok2vec")
        embed = tok2vec.get_ref("embed")
        (self._embedding,) = _read_mixers(embed)
        self._arithmetic = embed.ops
        self._tables = [*_read_tables(embed, self._embedding.weights)]
        self._convolution = [*_read_mixers(tok2vec.get_ref("encode"))]
        output = model.network.get_ref("output_layer")
        self._output = (output.get_param("W").T.copy(), output.get_param("b"))
        self._rows: dict[str, int] = {}
        self._vectors = np.zeros((_KEPT_WORDS, len(self._output[0])), dtype=np.float32)

    def score(self, text: str) -> tuple[list[tuple[int, int]], Any]:
        """Return the (start, end) of the tokens, and their scores of shape (n_tokens, n_labels)."""
        words, places = split_words(text)
        if not words:
            return [], np.zeros((0, len(LABELS)), dtype=np.float32)
        weights, bias = self._output
        scores = np.dot(self._encode(self._find_rows(words)), weights)
        scores += bias
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=1, keepdims=True)
        return places, scores

    def _encode(self, rows: Sequence[int]) -> Any:
        """Return the words' vectors after each took in its neighbours', layer by layer.

        As thinc does, the text is thought to go on with empty words, as far as they are seen.
        """
        depth, width = len(self._convolution), self._vectors.shape[1]
        vectors = np.zeros((len(rows) + 2 * depth, width), dtype=np.float32)
        vectors[depth : depth + len(rows)] = self._vectors[rows]
        for layer in self._convolution:
            window = np.concatenate((vectors[:-2], vectors[1:-1], vectors[2:]), axis=1)
            mixed = layer.mix(window)
            mixed += vectors[1:-1]
            vectors = mixed
        return vectors

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
        self._vectors[first : first + len(new)] = self._embed(new)
        self._rows.update((word, first + number) for number, word in enumerate(new))

    def _embed(self, words: Sequence[str]) -> Any:
        """Return vectors of shape (n_words, width): sums of what tables have for their features."""
        features: Any = np.array(
            [[hash_string(feature) for feature in self._describe(word)] for word in words],
            dtype=np.uint64,
        ).T.copy()
        pieces = np.zeros((len(words), len(self._embedding.bias)), dtype=np.float32)
        for (seed, table), numbers in zip(self._tables, features, strict=True):
            places = self._arithmetic.hash(numbers, seed) % len(table)
            pieces += self._arithmetic.gather_add(table, places)
        return self._embedding.finish(pieces)


def _read_tables(embed: Any, weights: Any) -> Iterator[tuple[int, Any]]:
    """Yield (seed, table) of each feature: its vectors, multiplied by what they meet next."""
    first = 0
    for layer in embed.walk():
        if layer.name == "hashembed":
            vectors = layer.get_param("E")
            last = first + vectors.shape[1]
            yield layer.attrs["seed"], vectors @ weights[first:last]
            first = last


def _read_mixers(part: Any) -> Iterator[_Mixer]:
    """Yield the maxout layers of a part of the network, each with its normalisation."""
    layers = [layer for layer in part.walk() if layer.name in {"maxout", "layernorm"}]
    for maxout, norm in zip(layers[::2], layers[1::2], strict=True):
        weights = maxout.get_param("W")  # of shape (width, pieces, n_inputs)
        yield _Mixer(
            weights.transpose(2, 1, 0).reshape(weights.shape[-1], -1).copy(),
            maxout.get_param("b").T.reshape(-1).copy(),
            norm.get_param("G"),
            norm.get_param("b"),
        )
