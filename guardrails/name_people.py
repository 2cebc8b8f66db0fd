# SPDX-License-Identifier: Apache-2.0
"""Names of people by chance, listed ones and ones nobody has listed.

Outsiders have names that no list has. So about half of the family names are composed of pieces
of a language, and a quarter of the given names are two listed ones crossed.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from guardrails.name_lists import NameLists

_PARTICLES: Final = ("van", "van der", "van den", "de", "de la", "del", "von", "bin", "al", "ter",
    "di", "da", "dos", "St.", "ten", "la", "le", "zu", "Ó", "ben")  # fmt: skip
_MIN_CROSSED_CHARACTERS: Final = 4


class People:
    """Makes names of people."""

    def __init__(self, lists: NameLists, chance: random.Random) -> None:
        self._chance = chance
        self._people = lists.people
        self._cultures = sorted(lists.people)
        # The cultures that tickets of a company in Europe or America meet most come more often.
        self._weights = [3 if culture == "english" else 1 for culture in self._cultures]

    def given(self, culture: str | None = None) -> str:
        """Return a given name."""
        chance = self._chance
        pieces = self._people[culture or self._culture()]
        if "gstarts" in pieces and chance.random() < 0.3:
            return join_pieces(chance.choice(pieces["gstarts"]), chance.choice(pieces["gends"]))
        name = chance.choice(pieces["given"])
        if chance.random() < 0.25:
            return _cross(name, chance.choice(pieces["given"]), chance)
        return name

    def family(self, culture: str | None = None) -> str:
        """Return a family name, at times of two parts or with a particle."""
        chance = self._chance
        pieces = self._people[culture or self._culture()]
        name = self._one_family(pieces)
        if (drawn := chance.random()) < 0.04:
            return f"{name}-{self._one_family(pieces)}"
        if drawn < 0.08:
            return f"{name} {self._one_family(pieces)}"
        if drawn < 0.12:
            return f"{chance.choice(_PARTICLES)} {name}"
        return name

    def full(self) -> str:
        """Return a given and a family name, at times with initials or more given names."""
        chance = self._chance
        culture = self._culture()
        other = culture if chance.random() < 0.7 else self._culture()
        given, family = self.given(culture), self.family(other)
        if (drawn := chance.random()) < 0.06:
            given = f"{given} {_initial(chance)}."
        elif drawn < 0.1:
            given = f"{given[0]}."
        elif drawn < 0.12:
            given = f"{given} {_initial(chance)}"
        elif drawn < 0.16:
            given = f"{given} {self.given(culture)}"
        elif drawn < 0.18:
            given = f"{_initial(chance)}.{_initial(chance)}."
        elif drawn < 0.21:
            given = f"{given}-{self.given(culture)}"
        elif drawn < 0.23 and culture in {"chinese", "japanese", "korean", "hungarian"}:
            return f"{family} {given}"
        return f"{given} {family}"

    def short(self) -> str:
        """Return a name of which one part is an initial."""
        chance = self._chance
        given, family = self.given(), self.family()
        return chance.choice(
            (f"{given} {family[0]}", f"{given} {family[0]}.", f"{given[0]}. {family}",
             f"{given[0]} {family}", f"{given[0]}. {_initial(chance)}. {family}")
        )  # fmt: skip

    def any(self) -> str:
        """Return a name as people are called: mostly given and family name."""
        drawn = self._chance.random()
        if drawn < 0.62:
            return self.full()
        return self.given() if drawn < 0.85 else self.family()

    def _culture(self) -> str:
        return self._chance.choices(self._cultures, self._weights)[0]

    def _one_family(self, pieces: Mapping[str, Sequence[str]]) -> str:
        chance = self._chance
        if "starts" in pieces and chance.random() < 0.55:
            return join_pieces(chance.choice(pieces["starts"]), chance.choice(pieces["ends"]))
        return chance.choice(pieces["family"])


def join_pieces(start: str, end: str) -> str:
    """Join the beginning and the end of a name; no letter stands in it three times over."""
    if len(start) > 1 and end and start[-1] == start[-2] == end[0]:
        end = end[1:]
    return start + end


def _cross(one: str, other: str, chance: random.Random) -> str:
    """Return the beginning of one name with the end of the other, or one if either is short."""
    if min(len(one), len(other)) < _MIN_CROSSED_CHARACTERS or not (one + other).isalpha():
        return one
    cut, tail = chance.randint(2, max(2, len(one) - 2)), chance.randint(2, 3)
    return one[:cut] + other[-tail:]


def _initial(chance: random.Random) -> str:
    return chance.choice("ABCDEFGHJKLMNPRSTVW")
