# SPDX-License-Identifier: Apache-2.0
"""The name model: a spaCy pipeline that says of every token what it is part of, and how surely.

A convolutional tagger over words instead of spaCy's transition parser: it gives a probability for
every token, which the parser does not, and several of them are needed to keep articles readable.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import numpy as np

from guardrails.name_samples import ENTITIES, Sample
from guardrails.name_words import WordTable
from guardrails.spacy_runtime import Doc, Language, NumpyOps, blank, lexical_attributes

LABELS: Final = ("O", *(f"{part}-{entity}" for entity in ENTITIES for part in "BI"))
WIDTH: Final = 80
DEPTH: Final = 3
_ROWS: Final = (4000, 600, 64, 2500, 2500, 500)
_WORDS_FILE: Final = "words.json"
_PIPELINE_FOLDER: Final = "pipeline"
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d+|\n|[^\w\s]|_|[ \t\r\f\v]+|.", re.DOTALL)


class NameModel:
    """Tells which parts of texts are names. Not safe to call from several threads at once."""

    def __init__(self, table: WordTable) -> None:
        self._table = table
        self._language: Language = blank("en")
        lexical_attributes(self._language.vocab, table.describe)
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
        model._remember_words()
        return model

    def _remember_words(self) -> None:
        """Keep what spaCy finds out of words that most texts have."""
        for word in self._table.known:
            for written in (word, word.capitalize()):
                self._language.vocab[written]

    def tokenise(self, text: str) -> tuple[Doc, list[int]]:
        """Return the tokens of a text without its spaces, and where each begins."""
        words, starts = [], []
        for match in _TOKEN.finditer(text):
            word = match.group()
            if not word.isspace() or word == "\n":
                words.append(word)
                starts.append(match.start())
        return Doc(self._language.vocab, words=words), starts

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

    def score(self, texts: Sequence[str]) -> Iterator[tuple[list[tuple[int, int]], Any]]:
        """Yield for each text its tokens' (start, end) and scores of shape (n_tokens, n_labels)."""
        with self.passing_words():
            tokenised = [self.tokenise(text) for text in texts]
            filled = [doc for doc, _ in tokenised if len(doc)]
            scores = iter(self.network.predict(filled) if filled else ())
            for doc, starts in tokenised:
                places = [
                    (start, start + len(token)) for start, token in zip(starts, doc, strict=True)
                ]
                yield places, (np.asarray(next(scores)) if places else np.zeros((0, len(LABELS))))
