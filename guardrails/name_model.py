# SPDX-License-Identifier: Apache-2.0
"""The name model: a spaCy pipeline that says of every token what it is part of, and how surely.

A convolutional tagger over words instead of spaCy's transition parser: it gives a probability for
every token, which the parser does not, and several of them are needed to keep articles readable.
"""

import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import numpy as np

from guardrails.name_samples import ENTITIES, Sample
from guardrails.name_words import WordFeatures, WordTable
from guardrails.spacy_runtime import Doc, NumpyOps, make_language

LABELS: Final = ("O", *(f"{part}-{entity}" for entity in ENTITIES for part in "BI"))
WIDTH: Final = 80
DEPTH: Final = 3
_ROWS: Final = (4000, 600, 64, 2500, 2500, 500)
_WORDS_FILE: Final = "words.json"
_PIPELINE_FOLDER: Final = "pipeline"
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+|\n|[^\w\s]|_")


class NameModel:
    """Tells which parts of texts are names. Not safe to call from several threads at once."""

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self._language = make_language(table.describe)
        attributes = ["NORM", "LOWER", "LANG", "PREFIX", "SUFFIX", "SHAPE"]
        tagger: Any = self._language.add_pipe(
            "tagger",
            config={
                "model": {
                    "@architectures": "spacy.Tagger.v2",
                    "normalize": True,
                    "tok2vec": {
                        "@architectures": "spacy.Tok2Vec.v2",
                        "embed": {
                            "@architectures": "spacy.MultiHashEmbed.v2",
                            "width": WIDTH,
                            "attrs": attributes,
                            "rows": list(_ROWS),
                            "include_static_vectors": False,
                        },
                        "encode": {
                            "@architectures": "spacy.MaxoutWindowEncoder.v2",
                            "width": WIDTH,
                            "depth": DEPTH,
                            "window_size": 1,
                            "maxout_pieces": 3,
                        },
                    },
                }
            },
        )
        for label in LABELS:
            tagger.add_label(label)
        self._tagger = tagger
        arithmetic = NumpyOps(use_blis=False)  # numpy's products of matrices are thrice as fast
        for layer in self.network.walk():
            layer.ops = arithmetic

    @property
    def network(self) -> Any:
        """The network of the tagger, to train."""
        return self._tagger.model

    def describe(self, word: str) -> WordFeatures:
        """Return what the network sees of a word, in the order of its embeddings."""
        return self._table.describe(word)

    def passing_words(self) -> AbstractContextManager[Any]:
        """Forget afterwards which new words were seen: they are people's, and without end."""
        return self._language.memory_zone()

    def initialise(self) -> None:
        """Give the network its first weights."""
        doc, _ = self.tokenise("a text")
        labels = np.zeros((len(doc), len(LABELS)), dtype=np.float32)
        self.network.initialize(X=[doc], Y=[labels])

    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""
        self._table.save(folder / _WORDS_FILE)
        self._language.to_disk(folder / _PIPELINE_FOLDER, exclude=["vocab", "tokenizer"])

    @classmethod
    def load(cls, folder: Path) -> "NameModel":
        """Read what `save` wrote; whether it is what was written is asked by others before."""
        model = cls(WordTable.load(folder / _WORDS_FILE))
        model.initialise()
        model._language.from_disk(folder / _PIPELINE_FOLDER, exclude=["vocab", "tokenizer"])
        return model

    def tokenise(self, text: str) -> tuple[Doc, list[int]]:
        """Return the tokens of a text without its spaces, and where each begins."""
        words, places = split_words(text)
        return Doc(self._language.vocab, words=words), [start for start, _ in places]

    def labels_of(self, sample: Sample) -> tuple[Doc, list[int]]:
        """Return the tokens of a sample and the index of each one's label."""
        doc, starts = self.tokenise(sample.text)
        labels = [0] * len(starts)
        spans = iter(sample.spans)
        span = next(spans, None)
        begun = False
        for position, start in enumerate(starts):
            while span is not None and start >= span[1]:
                span, begun = next(spans, None), False
            if span is None:
                break
            if start >= span[0]:
                labels[position] = 1 + 2 * ENTITIES.index(span[2]) + begun
                begun = True
        return doc, labels


def split_words(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return the words, numbers, signs and line ends of a text, and the (start, end) of each."""
    words, places = [], []
    for match in _TOKEN.finditer(text):
        words.append(match.group())
        places.append(match.span())
    return words, places
