# SPDX-License-Identifier: Apache-2.0
"""How many characters an expression can look at, so that it need not be tried far from its needs.

Counted from above: a group is as wide as its widest alternative, what looks ahead or behind counts
like what is matched, and a repetition counts as often as it may be. An expression without bound has
no reach.
"""

import re
from typing import Final

from guardrails.expression_parts import NO_WIDTH, PART, REPETITION

# Of no known width: several characters, what another group is, a group of another kind.
_UNKNOWN: Final = re.compile(r"\\[XR\d]|\(\?")


def count_reach(expression: str) -> int | None:
    r"""Return how wide a match may be with all that it looks at; None: no bound is known.

    >>> count_reach(r"(?<=a|bcd)x{2,5}(?i:\p{L}[ab])?\b"), count_reach("a+")
    (11, None)
    """
    open_groups: list[_Group] = [_Group()]
    for part in PART.findall(expression):
        group = open_groups[-1]
        if _UNKNOWN.fullmatch(part):
            return None
        if REPETITION.fullmatch(part):
            if not group.repeat(part):
                return None
        elif part.startswith("(") and not NO_WIDTH.fullmatch(part):
            open_groups.append(_Group())
        elif part == ")":
            open_groups.pop()
            open_groups[-1].add(group.width)
        elif part == "|":
            group.begin_alternative()
        else:
            group.add(0 if NO_WIDTH.fullmatch(part) else 1)
    return open_groups[0].width + 1  # an edge of a word looks at one more


class _Group:
    """A group that is being read.

    Attributes:
        was_repeated: whether its last item has its bound, so that a sign after it is no other.

    """

    def __init__(self) -> None:
        self._widest = self._before = self._last = 0
        self.was_repeated = False

    @property
    def width(self) -> int:
        """Return how wide it is, as far as it was read."""
        return max(self._widest, self._before + self._last)

    def add(self, width: int) -> None:
        """Take an item in."""
        self._before, self._last, self.was_repeated = self._before + self._last, width, False

    def repeat(self, sign: str) -> bool:
        """Let the last item stand as often as a sign says; say whether that has a bound."""
        if self.was_repeated:
            return True  # how eagerly it is repeated
        if sign in ("*", "+") or sign.endswith(",}"):
            return False
        self._last *= 1 if sign == "?" else int(sign.strip("{}").split(",")[-1])
        self.was_repeated = True
        return True

    def begin_alternative(self) -> None:
        """Go on with the next alternative."""
        self._widest, self._before, self._last, self.was_repeated = self.width, 0, 0, False
