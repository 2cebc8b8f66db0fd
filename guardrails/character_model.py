# SPDX-License-Identifier: Apache-2.0
"""How surprising a text's characters are to a small model of helpdesk prose.

Trigrams of lower-case letters and blanks, interpolated with pairs and single characters (Jelinek
and Mercer 1980). The counts beside this module are of our own starter articles, written by
`python -m benchmarks.injection --train`. Ciphers, encoded commands and strings found by
optimisation are surprising; so are other languages, which is why it is a sign and nothing more.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

COUNTS: Final = Path(__file__).with_name("character_counts.json")
WINDOW_CHARACTERS: Final = 80
STEP_CHARACTERS: Final = 40
MAX_CHARACTERS: Final = 20_000
SURPRISING_BITS: Final = 5.0  # a character, over a window; measured, see docs/injection.md
_OTHERS: Final = re.compile(r"[^a-z]+")
_N_CHARACTERS: Final = 27
_WEIGHTS: Final = (0.70, 0.24, 0.05, 0.01)  # of three, two, one characters, and of any


class CharacterModel:
    """Counts of trigrams, and the surprise that follows from them."""

    def __init__(self, trigrams: Mapping[str, int]) -> None:
        self._triples = dict(trigrams)
        self._pairs: Counter[str] = Counter()
        self._firsts: Counter[str] = Counter()  # of pairs, as what a trigram begins with
        self._singles: Counter[str] = Counter()
        self._before: Counter[str] = Counter()
        for trigram, count in trigrams.items():
            self._firsts[trigram[:2]] += count
            self._pairs[trigram[1:]] += count
            self._before[trigram[1]] += count
            self._singles[trigram[2]] += count
        self._total = max(sum(trigrams.values()), 1)
        self._known: dict[str, float] = {}

    def measure_surprise(self, text: str) -> float:
        """Return the greatest mean surprise of a window, in bits a character; 0 if too short."""
        letters = _reduce(text[:MAX_CHARACTERS])
        n = WINDOW_CHARACTERS - 2
        if len(letters) < WINDOW_CHARACTERS:
            return 0.0
        bits = [self._measure(letters[at : at + 3]) for at in range(len(letters) - 2)]
        return max(
            sum(bits[at : at + n]) / n for at in range(0, len(bits) - n + 1, STEP_CHARACTERS)
        )

    def _measure(self, trigram: str) -> float:
        if trigram not in self._known:
            shares = (
                self._triples.get(trigram, 0) / max(self._firsts[trigram[:2]], 1),
                self._pairs[trigram[1:]] / max(self._before[trigram[1]], 1),
                self._singles[trigram[2]] / self._total,
                1.0 / _N_CHARACTERS,
            )
            weighed = (weight * share for weight, share in zip(_WEIGHTS, shares, strict=True))
            self._known[trigram] = -math.log2(sum(weighed))
        return self._known[trigram]


def count_trigrams(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each trigram occurs in texts, in the order of the alphabet."""
    counts: Counter[str] = Counter()
    for text in texts:
        letters = _reduce(text)
        counts.update(letters[at : at + 3] for at in range(len(letters) - 2))
    return dict(sorted(counts.items()))


@cache
def load_character_model() -> CharacterModel:
    """Return the model of the counts that come with the product, read once."""
    return CharacterModel(json.loads(COUNTS.read_text(encoding="utf-8")))


def _reduce(text: str) -> str:
    return f" {_OTHERS.sub(' ', text.lower()).strip()} "
