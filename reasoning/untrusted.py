# SPDX-License-Identifier: Apache-2.0
"""What others wrote, and the little that reasoning takes from it: invariant 3 as types.

Tickets, telemetry, articles, script output and language models are untrusted. Their words travel
as `UntrustedText`, which cannot be compared, formatted, joined or parsed by accident. What may
decide something travels as claims: enums, ids and finite numbers. The functions that decide take
claims alone; `tests/reasoning/test_closed_types.py` reads their signatures.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NewType, NoReturn

from contracts.failure import FailureClass

ScriptId = NewType("ScriptId", str)  # of the catalogue
ChunkId = NewType("ChunkId", str)  # of the knowledge base


class UntrustedText:
    """Masked text that somebody else wrote.

    It can be quoted, as a JSON string that nothing in it can end, and weighed by what only counts
    or compares. Formatting it raises TypeError: it never becomes part of a sentence of ours.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def quote(self, max_characters: int) -> str:
        """Return the beginning as a JSON string literal of ASCII characters."""
        return json.dumps(self._text[:max_characters])

    @property
    def to_weigh(self) -> str:
        """The words themselves, for embeddings, term counts and language detection alone."""
        return self._text

    def __repr__(self) -> str:
        return f"<untrusted text of {len(self._text)} characters>"

    def __str__(self) -> NoReturn:
        raise TypeError("untrusted text is quoted, never made part of a text of ours")

    def __format__(self, specification: str) -> NoReturn:
        str(self)
        raise AssertionError(specification)  # unreachable: the line before raises


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageClaim:
    """What a retrieved passage may say: classes and scripts of its document, and its scores."""

    chunk_id: ChunkId
    failure_classes: tuple[FailureClass, ...]
    related_scripts: tuple[ScriptId, ...]
    score: float
    dense_score: float  # cosine similarity


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentClaim:
    """What the models or a person say an incident is."""

    failure_class: FailureClass
    confidence: float  # in [0, 1]
    by_person: bool


def read_incident(incident: Mapping[str, Any]) -> IncidentClaim:
    """Return the closed part of a case's incident; a class that does not exist is unknown."""
    return IncidentClaim(
        failure_class=_read_class(incident["failure_class"]) or FailureClass.UNKNOWN,
        confidence=min(max(_read_number(incident["confidence"]), 0.0), 1.0),
        by_person="class_label" in incident,
    )


def read_passages(passages: Sequence[Mapping[str, Any]]) -> tuple[PassageClaim, ...]:
    """Return the closed part of retrieved passages; what is outside the lists is dropped."""
    return tuple(
        PassageClaim(
            chunk_id=ChunkId(passage["chunk_id"]),
            failure_classes=tuple(
                known for name in passage["failure_classes"] if (known := _read_class(name))
            ),
            related_scripts=tuple(ScriptId(name) for name in passage["related_scripts"]),
            score=_read_number(passage["score"]),
            dense_score=_read_number(passage["dense_score"]),
        )
        for passage in passages
    )


def _read_class(name: object) -> FailureClass | None:
    try:
        return FailureClass(str(name))
    except ValueError:
        return None


def _read_number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else 0.0  # type: ignore[arg-type]
