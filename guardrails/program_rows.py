# SPDX-License-Identifier: Apache-2.0
"""Tables of programs whose rows stand for one or more names: no name has two rows."""

from collections.abc import Iterable
from typing import TypeVar

_Row = TypeVar("_Row")


def index_rows(rows: Iterable[tuple[str, _Row]]) -> dict[str, _Row]:
    """Return the row of each name.

    Args:
        rows: of (names, as words of one text; what holds for each of them).

    Raises:
        ValueError: a name stands in two rows.

    """
    found: dict[str, _Row] = {}
    for names, row in rows:
        for name in names.split():
            if name in found:
                raise ValueError(f"two rows for {name}")
            found[name] = row
    return found


def read_names(text: str) -> frozenset[str]:
    """Return the words of a text, each of which stands there once.

    Raises:
        ValueError: one stands there twice.

    """
    return frozenset(index_rows([(text, None)]))
