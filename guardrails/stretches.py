# SPDX-License-Identifier: Apache-2.0
"""Stretches of a text, looked up by place in time that does not grow with how many there are."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Stretches:
    """Stretches (start, end) in order and apart from each other.

    Args:
        stretches: in that order.

    """

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        places = list(stretches)
        self._starts = [start for start, _ in places]
        self._ends = [end for _, end in places]

    def hold(self, start: int, end: int) -> bool:
        """Say whether all from `start` to `end` lies within one of them."""
        place = bisect_right(self._starts, start) - 1
        return place >= 0 and end <= self._ends[place]

    def touch(self, start: int, end: int) -> bool:
        """Say whether any of them has a character from `start` to `end`."""
        place = bisect_right(self._ends, start)
        return place < len(self._starts) and self._starts[place] < end

    def list_outside(self, places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the places (start, end) that are within none of them."""
        return [place for place in places if not self.hold(*place)]

    def leave_out(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield what from `start` to `end` lies outside of all; nothing of what is inside one."""
        for place in range(bisect_right(self._ends, start), bisect_left(self._starts, end)):
            if start < self._starts[place]:
                yield start, self._starts[place]
            start = self._ends[place]
        if start < end:
            yield start, end

    def cut(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return what of them lies from `start` to `end`, counted from `start`."""
        places = range(bisect_right(self._ends, start), bisect_left(self._starts, end))
        return [
            (max(self._starts[place], start) - start, min(self._ends[place], end) - start)
            for place in places
        ]
