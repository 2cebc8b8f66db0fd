# SPDX-License-Identifier: Apache-2.0
"""From the name model's scores to names: how sure is sure enough, and what is never a name."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from guardrails.name_samples import ENTITIES


class FoundName(NamedTuple):
    """A name in a text."""

    start: int
    end: int
    entity: str
    score: float  # 0 to 1


# Capitals are what people write names with: without them the model has to be surer, and surest
# where the same text has capitals elsewhere.
MIN_SCORE: Final = {"PERSON": 0.8, "LOCATION": 0.8, "ORGANIZATION": 0.93, "ADDRESS": 0.8}
MIN_SCORE_IN_SMALL_LETTERS: Final = {
    "PERSON": 0.92, "LOCATION": 0.92, "ORGANIZATION": 0.96, "ADDRESS": 0.9,
}  # fmt: skip
MIN_SCORE_WITHOUT_CAPITALS: Final = {
    "PERSON": 0.99, "LOCATION": 0.99, "ORGANIZATION": 0.99, "ADDRESS": 0.96,
}  # fmt: skip
MIN_SCORE_OF_ABBREVIATIONS: Final = 0.98
# Of what a second look found, nothing had less than .65 in the first (docs/adr/0037).
DOUBTFUL_SCORE: Final = 0.05
_GOES_ON: Final = 0.2  # a token beside one that is surely part of a name
_GOES_ON_WITH_CAPITAL: Final = 0.08  # the second part of a person's name, between spaces
_PERSON_LABELS: Final = [1 + 2 * ENTITIES.index("PERSON"), 2 + 2 * ENTITIES.index("PERSON")]
_ABBREVIATION: Final = re.compile(r"[A-Z]{2,6}s?")
_CODE_BEFORE: Final = frozenset("_`$%^")
_CODE_AFTER: Final = frozenset("_`$%({[=@")
_SLASHES: Final = re.compile(r"[\\/]")
_EDGES: Final = " \t\r\n,;:-\u2013\u2014\"'()[]{}<>/|*•·+=~"


def decode(text: str, places: Sequence[tuple[int, int]], scores: Any) -> list[FoundName]:
    """Return the names in a text, in order.

    Args:
        text: the text.
        places: (start, end) of its tokens.
        scores: of shape (n_tokens, n_labels), probabilities.

    """
    if not places:
        return []
    named = 1 - scores[:, 0]
    if float(named.max()) < min(MIN_SCORE.values()):
        return []
    found = []
    in_small_letters = text == text.lower()
    _go_on(text, places, named, scores)
    for entity, tokens in _divide(named, scores[:, 1:].argmax(axis=1)):
        start, end = _trim(text, places[tokens[0]][0], places[tokens[-1]][1])
        score = float(named[tokens].max())
        if start < end and _is_sure(
            text, FoundName(start, end, entity, score), in_small_letters=in_small_letters
        ):
            found.append(FoundName(start, end, entity, score))
    return found


def list_doubtful(places: Sequence[tuple[int, int]], scores: Any) -> list[tuple[int, int]]:
    """Return the places of the words that might be names, if others around them were known."""
    if not places:
        return []
    return [places[token] for token in np.flatnonzero(scores[:, 0] <= 1 - DOUBTFUL_SCORE).tolist()]


def _go_on(text: str, places: Sequence[tuple[int, int]], named: Any, scores: Any) -> None:
    """Let a person's name take in the capitalised word beside it, that no tail of it is left."""
    persons = scores[:, _PERSON_LABELS].sum(axis=1)
    for token in range(len(places) - 1):
        (start, end), (next_start, next_end) = places[token], places[token + 1]
        if text[end:next_start] != " " or not (
            text[start].isupper() and text[next_start].isupper()
        ):
            continue
        for sure, unsure, width in (
            (token, token + 1, next_end - next_start), (token + 1, token, end - start)
        ):  # fmt: skip
            if (
                persons[sure] >= MIN_SCORE["PERSON"]
                and _GOES_ON_WITH_CAPITAL <= named[unsure] < _GOES_ON
                and width > 1
            ):
                named[unsure] = _GOES_ON


def _divide(named: Any, labels: Any) -> Iterator[tuple[str, list[int]]]:
    """Yield (entity, tokens) of tokens in a row that are parts of one name."""
    tokens: list[int] = []
    last = -1
    for token in range(len(named)):
        if named[token] < _GOES_ON:
            if tokens:
                yield ENTITIES[last], tokens
            tokens = []
            continue
        entity, begins = int(labels[token]) // 2, int(labels[token]) % 2 == 0
        if tokens and (begins or entity != last):
            yield ENTITIES[last], tokens
            tokens = []
        tokens.append(token)
        last = entity
    if tokens:
        yield ENTITIES[last], tokens


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave off punctuation at both ends that is no part of a name."""
    while start < end and text[start] in _EDGES:
        start += 1
    while start < end and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def _is_sure(text: str, found: FoundName, *, in_small_letters: bool) -> bool:
    """Say whether a name is sure enough, given how it is written and what it is glued to."""
    before, after = text[found.start - 1 : found.start], text[found.end : found.end + 1]
    if (before and (before.isalnum() or before in _CODE_BEFORE)) or (
        after and (after.isalnum() or after in _CODE_AFTER)
    ):
        return False  # part of an identifier or a call
    if (_SLASHES.match(before) or _SLASHES.match(after)) and _lies_in_path(text, found):
        return False
    name = text[found.start : found.end]
    n_letters = sum(letter.isalpha() for letter in name)
    if n_letters < 2 and found.entity != "ADDRESS":
        return False
    if not n_letters:
        return found.entity == "ADDRESS" and found.score >= MIN_SCORE_OF_ABBREVIATIONS
    if _ABBREVIATION.fullmatch(name) and not text.isupper():
        return found.score >= MIN_SCORE_OF_ABBREVIATIONS
    bars = MIN_SCORE
    if name == name.lower():
        bars = MIN_SCORE_IN_SMALL_LETTERS if in_small_letters else MIN_SCORE_WITHOUT_CAPITALS
    return found.score >= bars[found.entity]


def _lies_in_path(text: str, found: FoundName) -> bool:
    """Say whether a name stands in a path, and not beside another ("Smith/Jones")."""
    start = max(text.rfind(" ", 0, found.start), text.rfind("\n", 0, found.start)) + 1
    before, after = text[start : found.start], text[found.end : found.end + 80].split(None, 1)
    chunk = before + (after[0] if after and not text[found.end].isspace() else "")
    return "\\" in chunk or chunk.count("/") > 1
