# SPDX-License-Identifier: Apache-2.0
"""How recognisers see what is masked already: as one word that could be an identifier.

They were not made for texts with pseudonyms: a name model takes what stands beside `<PERSON_1>` for
a name, a pattern a word before it for an account. The word has the same length for everything, so
that what a recogniser sees does not depend on what was there, or on the pseudonym's number. Where
letters or digits touch it a space is between: what is glued to a pseudonym is no part of it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

STAND_IN: Final = "________"


class TextWithStandIns:
    """A text in which stretches are stood in for, and where its characters were before.

    Args:
        text: the text.
        taken: (start, end) of the stretches, in order and apart from each other.

    Attributes:
        shown: the text with its stand-ins.

    """

    def __init__(self, text: str, taken: Iterable[tuple[int, int]]) -> None:
        pieces: list[str] = []
        # Of each stand-in: where it begins and ends as shown, and where the text did.
        self._shown: list[tuple[int, int]] = []
        self._taken = list(taken)
        done = length = 0
        for number, (start, end) in enumerate(self._taken):
            following = self._taken[number + 1][0] if number + 1 < len(self._taken) else len(text)
            before = _space_beside(text[start - 1 : start] if done < start else "")
            after = _space_beside(text[end : end + 1] if end < following else "")
            piece = f"{before}{STAND_IN}{after}"
            pieces += (text[done:start], piece)
            length += start - done
            self._shown.append((length, length + len(piece)))
            length += len(piece)
            done = end
        pieces.append(text[done:])
        self.shown = "".join(pieces)

    def find_place(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the shown text is; what touches a stand-in has all of it."""
        if not self._taken:
            return start, end
        first = bisect_right(self._shown, start, key=lambda place: place[0]) - 1
        last = bisect_left(self._shown, end, key=lambda place: place[1])
        begins = self._taken[first][0] if first >= 0 and start < self._shown[first][1] else None
        ends = (
            self._taken[last][1] if last < len(self._shown) and self._shown[last][0] < end else None
        )
        return (
            self._move(start, first) if begins is None else begins,
            self._move(end, last - 1) if ends is None else ends,
        )

    def _move(self, place: int, before: int) -> int:
        """Return where a place outside of stand-ins is; `before` is the stand-in before it."""
        if before < 0:
            return place
        return place - self._shown[before][1] + self._taken[before][1]


def _space_beside(neighbour: str) -> str:
    return " " if neighbour.isalnum() or neighbour == "_" else ""


def merge(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return stretches in order, those that overlap as one; those that only touch stay two."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
