# SPDX-License-Identifier: Apache-2.0
"""Presidio recognisers for our field, and an analyser that never touches the network.

Presidio's own recognisers for payment cards and IBANs are kept (both check digits). Its others are
replaced: they need a language model, go online for public suffixes, or fire on KB numbers.
"""

# ruff: noqa: E501 - a regular expression does not read better in pieces

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.identifier_patterns import LANGUAGE, PATTERNS, SYSTEM_ACCOUNTS
from guardrails.name_recogniser import NameRecogniser
from guardrails.presidio_runtime import (
    AnalyzerEngine,
    CreditCardRecognizer,
    IbanRecognizer,
    LocalRecognizer,
    NoOpNlpEngine,
    Pattern,
    PatternRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)

SCORE_THRESHOLD: Final = 0.5
_IP_PATTERNS: Final = (
    Pattern(
        "IPv4",
        r"(?<![\w.:-])(?<!(?i:version|release|build|ver|v)[ .:]{1,2})\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)",
        0.8,
    ),
    Pattern(
        "IPv6",
        r"(?i)(?<![\w:.\])])(?=[0-9a-f:]{0,40}:[0-9a-f:]{0,40}:)[0-9a-f:]{3,39}(?:\.\d{1,3}){0,3}(?![\w:])",
        0.8,
    ),
)
_WORD: Final = regex.compile(r"[\p{L}\p{N}]+")
_MAX_GAP_CHARACTERS: Final = 2  # "Doe, Jane", "jane.doe"
# Public resolvers that helpdesk articles name.
_WELL_KNOWN_ADDRESSES: Final = frozenset(("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9"))


class AddressRecogniser(PatternRecognizer):
    """IP addresses that tell machines apart; loopback, unspecified and masks stay readable."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="IP", patterns=list(_IP_PATTERNS), global_regex_flags=regex.VERSION0
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        """Say whether the match is no address or an address that everybody has."""
        try:
            address = ipaddress.ip_address(pattern_text)
        except ValueError:
            return True
        if address.is_loopback or address.is_unspecified or address.is_multicast:
            return True
        return pattern_text.startswith(("255.", "0.")) or pattern_text in _WELL_KNOWN_ADDRESSES


class DirectoryRecogniser(LocalRecognizer):
    """Names of the directory, found word by word in time independent of the directory's size.

    A name of several words is found in any case, and as "Last, First". A single word is found as
    a word of its own, whatever punctuation is around it.

    Args:
        names: {entity: names}.

    """

    def __init__(self, names: dict[str, Iterable[str]]) -> None:
        self._by_first_word: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for entity, values in names.items():
            for value in values:
                self._add(entity, value)
        for candidates in self._by_first_word.values():
            candidates.sort(key=lambda candidate: -len(candidate[0]))
        super().__init__(supported_entities=sorted(names), supported_language=LANGUAGE)

    def load(self) -> None:
        """Do nothing: the names are in memory."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: Any = None
    ) -> list[RecognizerResult]:
        """Return the places of all known names."""
        del nlp_artifacts
        if not self._by_first_word:
            return []
        words = [(match.group().casefold(), *match.span()) for match in _WORD.finditer(text)]
        results = []
        for position, (word, start, _) in enumerate(words):
            for parts, entity in self._by_first_word.get(word, ()):
                span = words[position : position + len(parts)]
                if entity in entities and _is_name(span, parts):
                    results.append(_make_result(self, entity, start, span[-1][2]))
                    break
        return results

    def _add(self, entity: str, name: str) -> None:
        parts = tuple(match.group().casefold() for match in _WORD.finditer(name))
        if not parts or (len(parts) == 1 and (len(parts[0]) < 3 or parts[0] in SYSTEM_ACCOUNTS)):
            return
        self._by_first_word[parts[0]].append((parts, entity))
        if len(parts) > 1:
            turned = (parts[-1], *parts[:-1])
            self._by_first_word[turned[0]].append((turned, entity))


def _is_name(span: Sequence[tuple[str, int, int]], parts: tuple[str, ...]) -> bool:
    """Say whether adjacent words are the parts of a name."""
    return tuple(word for word, _, _ in span) == parts and all(
        after[1] - before[2] <= _MAX_GAP_CHARACTERS for before, after in pairwise(span)
    )


def _make_result(
    recogniser: LocalRecognizer, entity: str, start: int, end: int
) -> RecognizerResult:
    return RecognizerResult(
        entity_type=entity,
        start=start,
        end=end,
        score=0.99,
        recognition_metadata={
            RecognizerResult.RECOGNIZER_NAME_KEY: type(recogniser).__name__,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recogniser.id,
        },
    )


def build_analyser(
    people: Iterable[str] = (), hosts: Iterable[str] = (), *, name_models: Path | None = None
) -> AnalyzerEngine:
    """Return an analyser with our recognisers, offline, ready to use."""
    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    by_entity: dict[str, list[Pattern]] = defaultdict(list)
    for number, pattern in enumerate(PATTERNS):
        name = f"{pattern.entity} {number}"
        by_entity[pattern.entity].append(Pattern(name, pattern.expression, pattern.score))
    for entity, patterns in by_entity.items():
        registry.add_recognizer(
            PatternRecognizer(
                supported_entity=entity,
                name=f"{entity} recogniser",
                patterns=patterns,
                global_regex_flags=regex.VERSION0,
            )
        )
    registry.add_recognizer(AddressRecogniser())
    registry.add_recognizer(DirectoryRecogniser({"PERSON": people, "HOST": hosts}))
    registry.add_recognizer(CreditCardRecognizer(supported_entity="CARD"))
    registry.add_recognizer(IbanRecognizer(supported_entity="IBAN"))
    if name_models is not None:
        registry.add_recognizer(NameRecogniser(name_models))
    return AnalyzerEngine(
        registry=registry,
        nlp_engine=NoOpNlpEngine([{"lang_code": LANGUAGE, "model_name": ""}]),
        supported_languages=[LANGUAGE],
        default_score_threshold=SCORE_THRESHOLD,
    )
