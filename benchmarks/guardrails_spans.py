# SPDX-License-Identifier: Apache-2.0
"""Scores found spans against labelled ones, by presidio-research's rules, and by what leaks.

The rules are those of `SpanEvaluator` in microsoft/presidio-research, in our own words: spans are
taken to whole tokens (spaCy's English tokeniser), tokens that say nothing (punctuation, stop words,
words such as "street") do not count at the edges, spans of one type with only such tokens between
them are one span, and a labelled span is found when the found spans that overlap it, together,
have an intersection over union of at least the threshold with it, in characters. Overall, types do
not matter; per type they do. F-beta with beta = 2.
"""

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import spacy
from spacy.lang.en.stop_words import STOP_WORDS

BETA: Final = 2.0
Span = tuple[int, int, str]  # start, end, type
_UNCOUNTED: Final = (
    frozenset(string.punctuation)
    | frozenset(STOP_WORDS)
    | frozenset(("", " ", "'s", "p.o.", "st.", "inc.", "mr.", "mrs.", "y/o"))
    | frozenset("\n" * count for count in range(1, 5))
    | frozenset("\t" * count for count in range(1, 5))
    | frozenset(">" * count for count in range(2, 7))
    | frozenset(
        " ".join(  # noqa: FLY002 - one line would be too long
            (
                "street st de rue via and a the or do as of address country state city zip po apt",
                "unit corner box suite miss year years month months old morning noon afternoon",
                "night evening this first last week weeks weekend day days age ago inc ltd",
            )
        ).split()
    )
)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A span in whole tokens; `first` and `last` are the characters that count."""

    kind: str
    first_token: int
    end_token: int
    first: int
    last: int


@dataclass(slots=True)
class Counts:
    """How many spans were labelled, found and both."""

    labelled: int = 0
    found: int = 0
    both: int = 0

    def f_beta(self) -> float:
        """Return F-beta; 0 where nothing is both."""
        if not self.both:
            return 0.0
        precision, recall = self.both / self.found, self.both / self.labelled
        return (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)

    def summarise(self) -> dict[str, float]:
        """Return precision, recall and F2."""
        return {
            "precision": self.both / self.found if self.found else 0.0,
            "recall": self.both / self.labelled if self.labelled else 0.0,
            "f2": self.f_beta(),
        }


@dataclass(slots=True)
class SpanScore:
    """The counts at one threshold, overall without types and per type."""

    threshold: float
    overall: Counts = field(default_factory=Counts)
    by_type: dict[str, Counts] = field(default_factory=dict)

    def add(
        self, tokens: Sequence[tuple[int, int, str]], labelled: Sequence[Span],
        found: Sequence[Span],
    ) -> None:  # fmt: skip
        """Count one text; tokens as (start, end, text)."""
        truths, guesses = _make_stretches(tokens, labelled), _make_stretches(tokens, found)
        self._match_overall(truths, guesses)
        for kind in {stretch.kind for stretch in (*truths, *guesses)}:
            self._match_type(
                kind,
                [stretch for stretch in truths if stretch.kind == kind],
                [stretch for stretch in guesses if stretch.kind == kind],
            )

    def _match_overall(self, truths: list[_Stretch], guesses: list[_Stretch]) -> None:
        self.overall.labelled += len(truths)
        used: set[_Stretch] = set()
        for truth in truths:
            chosen = _choose(truth, [guess for guess in guesses if guess not in used])
            if chosen and _overlap(truth, chosen) >= self.threshold:
                self.overall.both += 1
                self.overall.found += 1  # several that are one labelled span count once
                used.update(chosen)
        self.overall.found += sum(guess not in used for guess in guesses)

    def _match_type(self, kind: str, truths: list[_Stretch], guesses: list[_Stretch]) -> None:
        counts = self.by_type.setdefault(kind, Counts())
        counts.labelled += len(truths)
        used: set[_Stretch] = set()
        for truth in truths:
            chosen = _choose(truth, [guess for guess in guesses if guess not in used])
            if chosen and _overlap(truth, chosen) >= self.threshold:
                counts.both += 1
                counts.found += 1
                used.update(chosen)
        counts.found += sum(guess not in used for guess in guesses)


def _choose(truth: _Stretch, guesses: Sequence[_Stretch]) -> list[_Stretch]:
    """Return those of the overlapping stretches that each raise the overlap, left to right."""
    chosen: list[_Stretch] = []
    best = 0.0
    for guess in guesses:
        if guess.last <= truth.first or truth.last <= guess.first:
            continue
        overlap = _overlap(truth, [*chosen, guess])
        if overlap > best:
            chosen.append(guess)
            best = overlap
    return chosen


def _overlap(truth: _Stretch, guesses: Sequence[_Stretch]) -> float:
    """Return intersection over union in characters."""
    wanted = set(range(truth.first, truth.last))
    given = {place for guess in guesses for place in range(guess.first, guess.last)}
    return len(wanted & given) / len(wanted | given)


def _make_stretches(
    tokens: Sequence[tuple[int, int, str]], spans: Sequence[Span]
) -> list[_Stretch]:
    kinds = ["" for _ in tokens]
    for start, end, kind in sorted(spans, key=lambda span: span[0] - span[1]):
        for place, (first, last, _) in enumerate(tokens):
            if first < end and start < last and not kinds[place]:
                kinds[place] = kind
    runs: list[tuple[str, int, int]] = []
    for place, kind in enumerate(kinds):
        if not kind:
            continue
        if runs and runs[-1][0] == kind and _says_nothing(tokens[runs[-1][2] : place]):
            runs[-1] = (kind, runs[-1][1], place + 1)
        else:
            runs.append((kind, place, place + 1))
    stretches = []
    for kind, begin, end in runs:
        counted = [token for token in tokens[begin:end] if token[2].lower() not in _UNCOUNTED]
        if counted:
            stretches.append(_Stretch(kind, begin, end, counted[0][0], counted[-1][1]))
    return stretches


def _says_nothing(tokens: Sequence[tuple[int, int, str]]) -> bool:
    return all(text.lower().strip() in _UNCOUNTED for _, _, text in tokens)


class Tokeniser:
    """spaCy's English tokeniser, without a model."""

    def __init__(self) -> None:
        self._pipeline: Any = spacy.blank("en")

    def split(self, text: str) -> list[tuple[int, int, str]]:
        """Return (start, end, text) of the tokens, runs of white space among them."""
        return [(token.idx, token.idx + len(token), token.text) for token in self._pipeline(text)]


@dataclass(slots=True)
class Leakage:
    """What of labelled spans no found span covers; white space is no secret."""

    entities: int = 0
    fully_masked: int = 0
    characters: int = 0
    leaked: int = 0
    missed_by_type: Counter[str] = field(default_factory=Counter)
    labelled_by_type: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, labelled: Sequence[Span], found: Sequence[Span]) -> None:
        """Count one text."""
        covered = {place for start, end, _ in found for place in range(start, end)}
        for start, end, kind in labelled:
            places = [place for place in range(start, end) if not text[place].isspace()]
            leaked = sum(place not in covered for place in places)
            self.entities += 1
            self.fully_masked += not leaked
            self.characters += len(places)
            self.leaked += leaked
            self.labelled_by_type[kind] += 1
            self.missed_by_type[kind] += bool(leaked)

    def summarise(self) -> dict[str, Any]:
        """Return the shares, and per type the share of entities fully masked."""
        return {
            "fully_masked": self.fully_masked / self.entities if self.entities else 1.0,
            "leaked_chars": self.leaked / self.characters if self.characters else 0.0,
            "entities": self.entities,
            "fully_masked_by_type": {
                kind: 1 - self.missed_by_type[kind] / count
                for kind, count in sorted(self.labelled_by_type.items())
            },
        }
