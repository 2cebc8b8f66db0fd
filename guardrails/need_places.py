# SPDX-License-Identifier: Apache-2.0
"""Where in a long text an expression can match: near what every match of it needs.

The text is looked at in blocks. Which of them hold a need are the bits of a number, so that needs
are joined and widened by a form's reach (guardrails.expression_reach) in a few operations.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_BLOCK: Final = 256  # characters
_MOST_BLOCKS_OF_REACH: Final = 8  # what reaches farther is tried everywhere
_DIGIT: Final = re.compile(r"\d")
_ONES: Final = re.compile("1+")
_MOSTLY: Final = 0.8  # of a text: one look at all of it costs less than many


class NeedPlaces:
    """Where a text has what expressions need.

    Args:
        lower_text: the text in lower case, of the same length.

    """

    def __init__(self, lower_text: str) -> None:
        self._text = lower_text
        self._n_blocks = -(-len(lower_text) // _BLOCK)
        self._blocks: dict[str, int] = {}
        self._digits: int | None = None

    def list_near(
        self, needs: Iterable[str], reach: int | None, *, digits: bool
    ) -> list[tuple[int, int]]:
        """Return the stretches outside of which nothing matches, in order and apart.

        Args:
            needs: of these strings every match has one; none: that is not known.
            reach: how far from it, at most, a match and what it looks at end; None: unknown.
            digits: whether every match has a digit.

        """
        whole = [(0, len(self._text))]
        n_around = -(-(reach or 0) // _BLOCK)
        if reach is None or n_around > _MOST_BLOCKS_OF_REACH:
            return whole
        blocks = (1 << self._n_blocks) - 1
        wanted = list(needs)
        if wanted:
            found = 0
            for need in wanted:
                found |= self._find(need)
            blocks &= _widen(found, n_around)
        if digits:
            blocks &= _widen(self._find_digits(), n_around)
        if blocks.bit_count() > _MOSTLY * self._n_blocks:
            return whole
        return list(_list_runs(blocks, len(self._text)))

    def _find(self, need: str) -> int:
        if need not in self._blocks:
            found, place = 0, self._text.find(need)
            while place >= 0:
                block = place // _BLOCK
                found |= 1 << block
                place = self._text.find(need, (block + 1) * _BLOCK)
            self._blocks[need] = found
        return self._blocks[need]

    def _find_digits(self) -> int:
        if self._digits is None:
            self._digits, place = 0, _DIGIT.search(self._text)
            while place:
                block = place.start() // _BLOCK
                self._digits |= 1 << block
                place = _DIGIT.search(self._text, (block + 1) * _BLOCK)
        return self._digits


def _widen(blocks: int, n_around: int) -> int:
    """Return blocks with so many before and behind each of them."""
    wide = blocks
    for distance in range(1, n_around + 1):
        wide |= blocks << distance | blocks >> distance
    return wide


def _list_runs(blocks: int, length: int) -> Iterator[tuple[int, int]]:
    for run in _ONES.finditer(f"{blocks:b}"[::-1]):
        start = run.start() * _BLOCK
        if start < length:
            yield start, min(run.end() * _BLOCK, length)
