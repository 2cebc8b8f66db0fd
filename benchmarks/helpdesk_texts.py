# SPDX-License-Identifier: Apache-2.0
"""Our development set of texts to a helpdesk: patterns filled with made-up identities, labelled.

Deterministic: the same texts on every machine with the same faker. Half of the patterns may be
looked at while rules are written; the other half is reported, and its misses were read late, when
the general faults that they showed were mended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks.helpdesk_identities import Identities, kind_of
from benchmarks.helpdesk_patterns import PATTERNS

FILLINGS: Final = 6  # of each pattern
_SLOT: Final = re.compile(r"\{([a-z_]+\d?)\}")
# Slots that set a scene and are no personal data.
_UNLABELLED: Final = frozenset(("time",))
Half = Literal["tuned", "reported"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpdeskText:
    """A text, the personal data in it as (start, end, kind), and whose half its pattern is of."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    half: Half


def make_helpdesk_texts(
    patterns: Sequence[str] = PATTERNS, fillings: int = FILLINGS
) -> list[HelpdeskText]:
    """Return every pattern, filled several times."""
    return [
        fill_pattern(pattern, seed=number * fillings + filling, half=_half_of(number))
        for number, pattern in enumerate(patterns)
        for filling in range(fillings)
    ]


def fill_pattern(pattern: str, *, seed: int, half: Half) -> HelpdeskText:
    """Return a pattern with identities in its slots.

    Raises:
        KeyError: a slot of the pattern is unknown.

    """
    identities = Identities(seed)
    values: dict[str, str] = {}
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    done = length = 0
    for slot in _SLOT.finditer(pattern):
        kind = slot[1]
        if kind not in values:
            values[kind] = identities.make(kind)
        before = pattern[done : slot.start()]
        start = length + len(before)
        length = start + len(values[kind])
        pieces += (before, values[kind])
        if kind not in _UNLABELLED:
            spans.append((start, length, kind_of(kind).upper()))
        done = slot.end()
    pieces.append(pattern[done:])
    return HelpdeskText(text="".join(pieces), spans=tuple(spans), half=half)


def _half_of(number: int) -> Half:
    return "reported" if number % 2 else "tuned"
