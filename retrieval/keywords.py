# SPDX-License-Identifier: Apache-2.0
"""BM25 as inner product of sparse vectors over hashed terms.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). A chunk's
vector holds the saturated term frequencies, a query's vector holds the terms' inverse document
frequencies; their inner product is the BM25 score. Terms are hashed into 2**20 dimensions.
"""

import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping

N_TERMS = 1_048_576
SATURATION = 1.2  # k1
LENGTH_WEIGHT = 0.75  # b
MAX_DISTINCT_TERMS = 900  # pgvector indexes at most 1,000 non-zero elements
TOKEN = re.compile(r"[a-z0-9][a-z0-9_.\-]*[a-z0-9]|[a-z0-9]")
STOP_WORDS = frozenset(
    [
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
    ]
)


def list_terms(text: str) -> list[str]:
    """Return the lower-case terms of a text; dotted and dashed terms also as their parts."""
    terms: list[str] = []
    for token in TOKEN.findall(text.lower()):
        if token in STOP_WORDS:
            continue
        terms.append(_stem(token))
        parts = re.split(r"[._\-]", token)
        if len(parts) > 1:
            terms.extend(_stem(part) for part in parts if part and part not in STOP_WORDS)
    return terms


def _stem(token: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s"):
        if token.endswith(ending) and len(token) - len(ending) >= 3 and token[-2:] != "ss":
            return token[: -len(ending)]
    return token


def hash_term(term: str) -> int:
    """Return the term's dimension, counted from zero."""
    return zlib.crc32(term.encode()) % N_TERMS


def weigh_chunk(text: str, *, mean_length: float) -> dict[int, float]:
    """Return the BM25 document weights of a chunk by dimension."""
    terms = list_terms(text)
    norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * len(terms) / max(mean_length, 1.0))
    counts = Counter(hash_term(term) for term in terms).most_common(MAX_DISTINCT_TERMS)
    return {term: count * (SATURATION + 1) / (count + norm) for term, count in counts}


def weigh_query(
    text: str, *, n_chunks: int, document_frequency: Mapping[str, int]
) -> dict[int, float]:
    """Return the inverse document frequencies of the query's known terms by dimension."""
    weights: dict[int, float] = {}
    for term in {hash_term(term) for term in list_terms(text)}:
        frequency = document_frequency.get(str(term), 0)
        if frequency:
            weights[term] = math.log(1 + (n_chunks - frequency + 0.5) / (frequency + 0.5))
    return weights


def count_documents(texts: Iterable[str]) -> dict[str, int]:
    """Return in how many texts each hashed term occurs."""
    frequency: Counter[int] = Counter()
    for text in texts:
        frequency.update({hash_term(term) for term in list_terms(text)})
    return {str(term): count for term, count in frequency.items()}
