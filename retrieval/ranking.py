# SPDX-License-Identifier: Apache-2.0
"""How documents are ordered: a sum of parts, each of which can be shown.

Reciprocal ranks measured worse than meaning alone. Here each part keeps its own scale: cosines, and
the share of the query's keywords that a passage covers. What keywords are worth is decided per
query: much if some passage covers the query well and meaning is unsure of its best one, little for
a long story of which every passage covers a little. Past tickets vote for the documents that
helped with them; nobody's vote counts against a tenant without any.

The weights are a value: the defaults are for a corpus without labels, others are learned.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from retrieval.embedding import Vectors

Scores = npt.NDArray[np.float64]
PARTS = ("meaning", "whole", "keywords", "exact", "tickets", "learned", "trust")
# What 1.0 on a part's own scale is worth, for a corpus without labels. Chosen by nDCG@10 of
# `python -m benchmarks.retrieval` on four sets of different kinds: ADR 0009 has the alternatives.
DEFAULT_WEIGHTS = {
    "meaning": 0.5,
    "whole": 0.5,  # with meaning a mean of two cosines, by which the other parts are to be seen
    "keywords": 4.0,
    "exact": 0.1,
    "tickets": 0.03,  # of at most log(1 + 1 / VOTE_FLOOR) = 3.9: a document's votes add 0.12
    "learned": 0.0,  # there is no adapter without labels
    "trust": 1.0,
}
DISTRUST = {"external": 0.02}  # decides between documents that answer equally well, no more
# A code names one failure; a file, a number or a version may stand in a text for many reasons.
KIND_WEIGHTS = {"file": 0.5, "number": 0.5, "version": 0.5}
# The cosine by which a ticket's weight falls to 1 / e. Chosen by nDCG@10 on the later queries of a
# set, with the earlier ones as past tickets: `benchmarks.retrieval --holdout`.
VOTE_TEMPERATURE = 0.07
# The vote of imaginary tickets that nothing helped with, so that one ticket far away decides
# nothing: at a cosine of .68 it weighs as much as they do.
VOTE_PRIOR = 0.01
VOTE_FLOOR = 0.02  # the share of votes from which on each doubling adds the same, not twice as much


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of n candidate documents; arrays of shape (n,)."""

    meaning: Scores  # cosine similarity of the best passage
    whole: Scores  # cosine similarity of the mean passage
    coverage: Scores  # share of the query's weighed keywords in the best passage, 0 to 1
    exact: Scores  # share of the query's exact signals, 0 to below 1
    votes: Scores  # share of similar past tickets that it helped with, 0 to 1
    learned: Scores  # cosine similarity after the learned adapter, 0 without one
    trust: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Weights of the parts, and a linear map of shape (n_dimensions, n_dimensions) for queries."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_WEIGHTS))
    adapter: Vectors | None = None
    version: str = "default"


def adapt_query(ranking: Ranking, vector: Vectors) -> Vectors | None:
    """Return a query's unit vector as the learned adapter turns it; None without one."""
    if ranking.adapter is None or not ranking.weights["learned"]:
        return None
    turned: Vectors = vector + vector @ ranking.adapter
    return turned / max(float(np.linalg.norm(turned)), 1e-9)


def weigh_parts(ranking: Ranking, evidence: Evidence) -> dict[str, Scores]:
    """Return what each part adds to each document's score; the score is their sum."""
    coverage, meaning = evidence.coverage, evidence.meaning
    best_coverage = float(coverage.max(initial=0.0))
    doubt = 1.0 - float(np.clip(meaning.max(initial=0.0), 0.0, 1.0))
    unweighed = {
        "meaning": meaning,
        "whole": evidence.whole,
        "keywords": math.sqrt(best_coverage * doubt) * coverage,
        "exact": evidence.exact,
        "tickets": np.log1p(evidence.votes / VOTE_FLOOR),
        "learned": evidence.learned,
        "trust": -np.array([DISTRUST.get(one, 0.0) for one in evidence.trust]),
    }
    return {name: ranking.weights[name] * unweighed[name] for name in PARTS}


def sum_parts(parts: Mapping[str, Scores]) -> Scores:
    """Return the documents' scores, an array of shape (n,)."""
    total: Scores = np.sum([parts[name] for name in PARTS], axis=0)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarTicket:
    """A past ticket: how alike it is, and a document that helped with it or did not."""

    document_id: str
    similarity: float
    helped: bool


def count_votes(tickets: Sequence[SimilarTicket]) -> dict[str, float]:
    """Return for each document the share of similar past tickets that it helped with.

    A ticket weighs exp((similarity - 1) / 0.07). One that a document did not help with takes away
    half of its weight.
    """
    votes: dict[str, float] = {}
    total = VOTE_PRIOR
    for ticket in tickets:
        weight = math.exp((ticket.similarity - 1.0) / VOTE_TEMPERATURE)
        total += weight if ticket.helped else 0.0
        votes[ticket.document_id] = votes.get(ticket.document_id, 0.0) + (
            weight if ticket.helped else -weight / 2
        )
    return {document_id: max(vote, 0.0) / total for document_id, vote in votes.items()}


def match_exactly(wanted: Mapping[str, float], found: Sequence[str], *, n_chunks: int) -> float:
    """Return how much of a query's exact signals a document has, 0 to below 1.

    Args:
        wanted: in how many chunks each signal of the query occurs, by signal; none of them 0.
        found: the document's signals among them.
        n_chunks: number of chunks in the corpus.
    """
    if not wanted:
        return 0.0
    rarity = {
        signal: KIND_WEIGHTS.get(signal.partition(":")[0], 1.0)
        * math.log(1 + n_chunks / max(frequency, 1.0))
        for signal, frequency in wanted.items()
    }
    full = math.fsum(rarity.values()) + math.log(2 + n_chunks) / 2
    return math.fsum(rarity.get(signal, 0.0) for signal in set(found)) / full
