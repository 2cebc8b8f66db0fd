# SPDX-License-Identifier: Apache-2.0
"""Many expressions, of which few can match a text: which they are is told without a search."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from guardrails.expression_traces import list_shapes, list_words
from guardrails.requirements import CutText, Requirements, list_set
from guardrails.trace_alphabets import SHAPES, WORDS

# Several ask about a text, one after the other, in each of many threads; a long one is read anew.
_KEPT_TEXTS: Final = 64
_SHORT: Final = 2048  # characters


class ExpressionIndex:
    """Expressions by what their matches have (guardrails.expression_traces).

    Args:
        expressions: of the `regex` library.

    """

    def __init__(self, expressions: Sequence[str]) -> None:
        self._words = Requirements([list_words(expression) for expression in expressions])
        self._shapes = Requirements([list_shapes(expression) for expression in expressions])

    def find_possible(self, text: str) -> int:
        """Return the set (guardrails.requirements) of the expressions that a text may match."""
        words, shape = _trace_short(text) if len(text) < _SHORT else _trace(text)
        return self._shapes.find_met(shape) & self._words.find_met(words)

    def list_possible(self, text: str) -> list[int]:
        """Return the places of the expressions that a text may match, in order."""
        return list(list_set(self.find_possible(text)))


def _trace(text: str) -> tuple[CutText, CutText]:
    """Return the words and the shape of a text."""
    return CutText(WORDS.trace(text)), CutText(SHAPES.trace(text))


_trace_short = lru_cache(maxsize=_KEPT_TEXTS)(_trace)
