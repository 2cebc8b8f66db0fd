# SPDX-License-Identifier: Apache-2.0
"""BM25 as inner product of sparse vectors over hashed terms.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). A chunk's
vector holds the saturated term frequencies, a query's vector holds the terms' inverse document
frequencies; their inner product is the BM25 score. Terms are stems, the parts of compound words
(`Get-ADUser` is also `get`, `ad` and `user`) and pairs of neighbours; they are hashed into 2**28
dimensions. Pairs weigh half: alone they are too rare to be trusted as much as words.
"""

import math
import re
import threading
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import Stemmer

from retrieval.unspaced import UNSPACED

N_TERMS = 268_435_456
# Chosen with the weights of `ranking` (ADR 0009); most collections want k1 from 1.2 to 2, b from .5
# to .8 (Robertson and Zaragoza).
SATURATION = 1.6  # k1
LENGTH_WEIGHT = 0.85  # b
PAIR_WEIGHT = 0.5
MAX_DISTINCT_TERMS = 900  # pgvector indexes at most 1,000 non-zero elements
RECIPE = "2: NFKC, Snowball English, compounds, pairs; k1 1.6, b 0.85"
MAX_TERM_CHARACTERS = 64
MAX_EXPANSION = 3  # by normal forms: letters of real scripts become three at most
_TOKEN = re.compile(r"[^\W_](?:[\w.\-]*[^\W_])?")
_JOINTS = re.compile(r"[._\-]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MARKS = re.compile(r"([^\w\s\x00-\x7f]{8})[^\w\s\x00-\x7f]+")
# Scripts that put no blanks between words are read as pairs of characters.
_UNSPACED = re.compile(f"[{UNSPACED}]+")
_STEMMER = Stemmer.Stemmer("english", 50_000)
_STEMMING = threading.Lock()  # the stemmer is not made for several threads
STOP_WORDS = frozenset(
    {
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "so",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "they",
        "this",
        "to",
        "up",
        "was",
        "we",
        "were",
        "what",
        "when",
        "which",
        "will",
        "with",
        "you",
        "your",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeywordQuery:
    """A query's terms as weights by dimension, and the score of a chunk that had them all."""

    weights: Mapping[int, float]
    full_score: float


def list_terms(text: str) -> list[str]:
    """Return the terms of a text, each as often as it occurs: words, parts and pairs."""
    words: list[str] = []
    for token in _TOKEN.findall(_normalise(text)):
        lowered = token.lower()
        if lowered not in STOP_WORDS:
            words.append(lowered[:MAX_TERM_CHARACTERS])
        spaced = [token] if token.isascii() else _UNSPACED.split(token)
        words.extend(_pair_characters(token) if len(spaced) > 1 else ())
        parts = [part.lower() for rest in spaced for part in _JOINTS.split(rest) if part]
        if len(parts) + len(spaced) > 2:
            words.extend(part[:MAX_TERM_CHARACTERS] for part in parts if part not in STOP_WORDS)
    with _STEMMING:
        stems: list[str] = _STEMMER.stemWords(words)
    return stems + [f"{first} {second}" for first, second in pairwise(stems)]


def cut_marks(text: str) -> str:
    """Return the text with long runs of marks cut: to order one takes its length squared."""
    return text if text.isascii() else _MARKS.sub(r"\1", text)


def _normalise(text: str) -> str:
    """Return the text in NFKC, which is cut where one ligature becomes 18 letters."""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFKC", cut_marks(text))
    return normal[: MAX_EXPANSION * len(text)]


def _pair_characters(token: str) -> list[str]:
    """Return the pairs of a token's unspaced runs, but for the token itself."""
    runs: list[str] = _UNSPACED.findall(token)
    return ["".join(pair) for run in runs for pair in pairwise(run) if run != token or len(run) > 2]


def hash_term(term: str) -> int:
    """Return the term's dimension, counted from zero."""
    return zlib.crc32(term.encode(errors="replace")) % N_TERMS


def count_terms(text: str) -> Counter[int]:
    """Return how often each hashed term occurs in a text."""
    return Counter(hash_term(term) for term in list_terms(text))


def weigh_terms(counts: Mapping[int, int], *, mean_length: float) -> dict[int, float]:
    """Return the BM25 document weights of a chunk by dimension.

    Args:
        counts: how often each hashed term occurs in the chunk.
        mean_length: number of terms of a chunk, on average over the corpus.
    """
    length = sum(counts.values())
    norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / max(mean_length, 1.0))
    kept = Counter(counts).most_common(MAX_DISTINCT_TERMS)
    return {term: count * (SATURATION + 1) / (count + norm) for term, count in kept}


def list_query_terms(text: str) -> dict[int, float]:
    """Return the distinct hashed terms of a query, each with the weight of its kind."""
    return {
        hash_term(term): PAIR_WEIGHT if " " in term else 1.0
        for term in dict.fromkeys(list_terms(text))
    }


def weigh_query(
    terms: Mapping[int, float], *, n_chunks: int, document_frequency: Mapping[int, int]
) -> KeywordQuery:
    """Weigh a query's terms by inverse document frequency; terms that no chunk has are left out.

    Args:
        terms: weight of its kind by hashed term.
        n_chunks: number of chunks in the corpus.
        document_frequency: in how many chunks each hashed term occurs.
    """
    weights: dict[int, float] = {}
    for term, kind_weight in terms.items():
        frequency = document_frequency.get(term, 0)
        if frequency > 0:
            rarity = math.log(1 + max(n_chunks - frequency + 0.5, 0.0) / (frequency + 0.5))
            weights[term] = kind_weight * rarity
    return KeywordQuery(weights=weights, full_score=(SATURATION + 1) * math.fsum(weights.values()))


def count_documents(counts: Iterable[Mapping[int, int]]) -> Counter[int]:
    """Return in how many chunks each hashed term occurs."""
    frequency: Counter[int] = Counter()
    for one in counts:
        frequency.update(one.keys())
    return frequency
