# SPDX-License-Identifier: Apache-2.0
"""Of many things that each need one string of several: those of which a text has one.

Sets of things are the bits of a number, so that hundreds are joined in one operation.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise


class Requirements:
    """What each of many things needs, looked up together.

    Args:
        needs: of each thing: of these strings it needs one; none: it is always met.

    """

    def __init__(self, needs: Sequence[Collection[str]]) -> None:
        self._always = make_set(place for place, wanted in enumerate(needs) if not wanted)
        who: dict[str, int] = {}
        for place, wanted in enumerate(needs):
            for need in wanted:
                who[need] = who.get(need, 0) | 1 << place
        # A string is looked for only where a text has its first two characters.
        self._by_start: dict[str, list[tuple[str, int]]] = {}
        for need, things in who.items():
            self._by_start.setdefault(need[:2], []).append((need, things))

    def find_met(self, text: str) -> int:
        """Return the set of the things of which a text has what they need."""
        met = self._always
        for start in {*text, *map("".join, pairwise(text))} & self._by_start.keys():
            for need, things in self._by_start[start]:
                if need in text:
                    met |= things
        return met


def make_set(places: Iterable[int]) -> int:
    """Return the set of these places."""
    found = 0
    for place in places:
        found |= 1 << place
    return found


def list_set(found: int) -> Iterator[int]:
    """Yield the places of a set, in order."""
    while found:
        lowest = found & -found
        yield lowest.bit_length() - 1
        found ^= lowest
