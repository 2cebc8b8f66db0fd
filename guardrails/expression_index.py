# SPDX-License-Identifier: Apache-2.0
"""Many expressions, of which few can match a text: which they are is told without a search."""

from collections.abc import Sequence

from guardrails.expression_traces import list_shapes, list_words, shape_of, words_of
from guardrails.requirements import Requirements, list_set


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
        return self._shapes.find_met(shape_of(text)) & self._words.find_met(words_of(text))

    def list_possible(self, text: str) -> list[int]:
        """Return the places of the expressions that a text may match, in order."""
        return list(list_set(self.find_possible(text)))
