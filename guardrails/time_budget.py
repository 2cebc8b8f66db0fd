# SPDX-License-Identifier: Apache-2.0
"""How long a piece of text may be looked at: seconds of this thread's processor, not of a clock.

What takes longer is hostile, or an expression of ours is bad; who looks decides what is done with
the text then. Not a part of what is found: a machine that is busy, or slow, finds the same.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_ends_at: ContextVar[float | None] = ContextVar("masking_ends_at", default=None)
# Hostile texts stay far below it on two cores of 2026; a slow machine has a third of their speed.
_SECONDS, _SECONDS_A_TEXT, _CHARACTERS_A_SECOND = 10.0, 0.002, 10_000
UNBOUNDED_SECONDS: Final = 20.0  # for one expression where nobody set a budget


@contextmanager
def spend_at_most(seconds: float) -> Iterator[None]:
    """Let what runs inside spend so many seconds at most, of what is left of the budget around."""
    around = _ends_at.get()
    ends_at = time.thread_time() + seconds
    token = _ends_at.set(ends_at if around is None else min(around, ends_at))
    try:
        yield
    finally:
        _ends_at.reset(token)


def left_seconds() -> float:
    """Return how many seconds are left of the budget.

    Raises:
        TimeoutError: none.

    """
    ends_at = _ends_at.get()
    if ends_at is None:
        return UNBOUNDED_SECONDS
    left = ends_at - time.thread_time()
    if left <= 0:
        raise TimeoutError("the text takes too long")
    return left


def seconds_for(n_texts: int, n_characters: int) -> float:
    """Return how many seconds so many texts with so many characters may take together."""
    return _SECONDS + n_texts * _SECONDS_A_TEXT + n_characters / _CHARACTERS_A_SECOND
