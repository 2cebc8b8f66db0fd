# SPDX-License-Identifier: Apache-2.0
"""Of many things that each need one string of several: those of which a text has one.

Sets of things are the bits of a number, so that hundreds are joined in one operation.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

_START: Final = 3  # characters by which longer strings are looked up


class CutText:
    """A text, and all that it has of one to three characters, cut when that is first asked for.

    Args:
        text: the text.

    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._pieces: dict[int, frozenset[str]] = {}

    def cut(self, length: int) -> frozenset[str]:
        """Return all that the text has of so many characters."""
        if length not in self._pieces:
            text, last = self.text, len(self.text) - length + 1
            self._pieces[length] = frozenset(
                [text[place : place + length] for place in range(last)] if length > 1 else text
            )
        return self._pieces[length]


class Requirements:
    """What each of many things needs, looked up together.

    Args:
        needs: of each thing: of these strings it needs one; none, or an empty one: always met.

    """

    def __init__(self, needs: Sequence[Collection[str]]) -> None:
        self._always = make_set(
            place for place, wanted in enumerate(needs) if not wanted or "" in wanted
        )
        who: dict[str, int] = {}
        for place, wanted in enumerate(needs):
            for need in wanted:
                who[need] = who.get(need, 0) | 1 << place
        self._short = [
            {need: things for need, things in who.items() if len(need) == length}
            for length in range(1, _START)
        ]
        # A longer one is looked for only where a text has its beginning.
        self._long: dict[str, list[tuple[str, int]]] = {}
        for need, things in who.items():
            if len(need) >= _START:
                self._long.setdefault(need[:_START], []).append((need, things))

    def find_met(self, cut_text: CutText) -> int:
        """Return the set of the things of which a text has what they need."""
        met, text = self._always, cut_text.text
        for length, short in enumerate(self._short, 1):
            for need in short.keys() & cut_text.cut(length):
                met |= short[need]
        for start in self._long.keys() & cut_text.cut(_START):
            for need, things in self._long[start]:
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
