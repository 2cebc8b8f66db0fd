# SPDX-License-Identifier: Apache-2.0
"""Why a hit was found, in words and figures: for people at the portal and at the command line.

Pure: what `retrieval.ranking` has weighed is named, not weighed again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.keywords import list_terms
from retrieval.ranking import PARTS
from retrieval.search import Passage

PART_NAMES = {
    "meaning": "Meaning of the passage",
    "whole": "Meaning of the document",
    "keywords": "Keywords",
    "exact": "Exact codes and names",
    "tickets": "Similar tickets",
    "learned": "Learned from what helped",
    "trust": "Trust of the source",
}
SEEMS_FAR = 0.35  # a best passage of which both similarity and coverage are below is a guess
FAR_COVERAGE = 0.2
UNRELATED = 0.1  # below this similarity only common words can be what is covered
LEAST_SHOWN = 0.0005  # what is less reads as 0.000
CODES = frozenset({"kb", "cve", "code", "event", "number", "mail", "constant"})
_WORD = re.compile(r"[^\W_](?:[\w.\-]*[^\W_])?")
_HEADING = re.compile(r"^#{1,6}[ \t]+", re.MULTILINE)
_PREFIXES = {"event": "event ", "number": "number ", "version": "version ", "mail": "mail status "}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartShare:
    """What one part adds to a score, and how long its bar is, 0 to 1."""

    name: str
    title: str
    amount: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Characters of a passage; whether they match a word of the query."""

    text: str
    is_matched: bool


def name_signal(signal: str) -> str:
    """Return an exact signal as people write it: `kb:5034441` is KB5034441."""
    kind, _, value = signal.partition(":")
    if kind == "kb":
        return f"KB{value}"
    if kind == "cve":
        return f"CVE-{value}"
    if kind == "constant":
        return value.upper()
    return f"{_PREFIXES.get(kind, '')}{value}"


def explain_hit(passage: Passage, n_helped: int = 0) -> list[str]:
    """Return the reasons for a hit as short phrases, the most telling ones first.

    Args:
        passage: the document's best passage.
        n_helped: how many similar past tickets the document helped with.
    """
    reasons = [f"meaning {passage.dense_score:.2f}"]
    if passage.coverage > 0:
        reasons.append(f"keywords cover {passage.coverage * 100:.0f} %")
    if passage.signals:
        names = ", ".join(name_signal(signal) for signal in passage.signals)
        reasons.append(f"{names} {'matches' if len(passage.signals) == 1 else 'match'}")
    if n_helped:
        tickets = "similar ticket" if n_helped == 1 else "similar tickets"
        reasons.append(f"helped with {n_helped} {tickets}")
    elif passage.votes > 0:
        reasons.append(f"past tickets vote {passage.votes * 100:.0f} %")
    if passage.trust == "external":
        reasons.append("external: ranked lower")
    return reasons


def find_longest(passages: Sequence[Passage]) -> float:
    """Return the largest amount of a part of these passages, whichever way it goes."""
    return max((abs(amount) for one in passages for amount in one.parts.values()), default=0.0)


def list_shares(parts: Mapping[str, float], *, longest: float | None = None) -> list[PartShare]:
    """Return the parts that add something or take it away, as ranking sums them.

    Bars of several hits can be compared where `longest`, which fills one, is the same for all;
    without it the longest of these parts does.
    """
    if longest is None:
        longest = max((abs(amount) for amount in parts.values()), default=0.0)
    return [
        PartShare(
            name=name,
            title=PART_NAMES[name],
            amount=parts[name],
            share=min(abs(parts[name]) / longest, 1.0) if longest else 0.0,
        )
        for name in PARTS
        if abs(parts.get(name, 0.0)) >= LEAST_SHOWN
    ]


def seems_far(passages: Sequence[Passage]) -> bool:
    """Tell whether nothing close was found: no passage is near by meaning, words or codes."""
    return all(
        passage.dense_score < SEEMS_FAR
        and (passage.coverage < FAR_COVERAGE or passage.dense_score < UNRELATED)
        and not passage.signals
        and not passage.votes
        for passage in passages
    )


def group_passages(passages: Sequence[Passage]) -> dict[str, list[Passage]]:
    """Return passages by their document's id, both in the order in which they were found."""
    documents: dict[str, list[Passage]] = {}
    for passage in passages:
        documents.setdefault(passage.document_id, []).append(passage)
    return documents


def list_missing_signals(signals: Sequence[str], passages: Sequence[Passage]) -> list[str]:
    """Return the query's codes and numbers that no document found has: it was asked for by name."""
    found = {signal for passage in passages for signal in passage.document_signals}
    return [
        signal for signal in signals if signal.partition(":")[0] in CODES and signal not in found
    ]


def list_query_stems(text: str) -> frozenset[str]:
    """Return the stems of a query's words, as keywords are matched."""
    return frozenset(term for term in list_terms(text) if " " not in term)


def read_passage(passage: Passage) -> str:
    """Return a passage as people read it: the marks of an article's headings are left out."""
    return _HEADING.sub("", passage.text) if passage.kind == "article" else passage.text


def mark_words(text: str, stems: frozenset[str]) -> list[Word]:
    """Cut a passage at the words that match the query; joined, the pieces are the passage."""
    pieces: list[Word] = []
    place = 0
    for found in _WORD.finditer(text):
        if stems.isdisjoint(list_terms(found[0])):
            continue
        if place < found.start():
            pieces.append(Word(text=text[place : found.start()], is_matched=False))
        pieces.append(Word(text=found[0], is_matched=True))
        place = found.end()
    if place < len(text):
        pieces.append(Word(text=text[place:], is_matched=False))
    return pieces
