# SPDX-License-Identifier: Apache-2.0
"""How long a piece of text may be looked at: seconds of this thread's processor, not of a clock.

What takes longer is hostile, or an expression of ours is bad; who looks decides what is done with
the text then. Not a part of what is found: a machine that is busy, or slow, finds the same.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final


@dataclass(slots=True)
class _Call:
    """Whether somebody was told that the time of a call, or of a part of it, is spent."""

    is_told: bool = False


@dataclass(frozen=True, slots=True)
class _Budget:
    ends_at: float
    call: _Call


_budget: ContextVar[_Budget | None] = ContextVar("masking_budget", default=None)
# Hostile texts stay far below it on two cores of 2026; a slow machine has a third of their speed.
_SECONDS, _SECONDS_A_TEXT, _CHARACTERS_A_SECOND = 10.0, 0.002, 10_000
UNBOUNDED_SECONDS: Final = 20.0  # for one expression where nobody set a budget


@contextmanager
def spend_at_most(seconds: float) -> Iterator[None]:
    """Let what runs inside spend so many seconds at most, of what is left of the budget around."""
    around = _budget.get()
    ends_at = time.thread_time() + seconds
    token = _budget.set(
        _Budget(ends_at, _Call())
        if around is None
        else _Budget(min(around.ends_at, ends_at), around.call)
    )
    try:
        yield
    finally:
        _budget.reset(token)


def left_seconds() -> float:
    """Return how many seconds are left of the budget.

    Raises:
        TimeoutError: none.

    """
    budget = _budget.get()
    if budget is None:
        return UNBOUNDED_SECONDS
    left = budget.ends_at - time.thread_time()
    if left <= 0:
        raise TimeoutError("the text takes too long")
    return left


def is_first_overrun() -> bool:
    """Say whether this is the first time in a call that time is spent: a log is not to be flooded.

    Where nobody set a budget each time is the first.
    """
    budget = _budget.get()
    if budget is None:
        return True
    is_first = not budget.call.is_told
    budget.call.is_told = True
    return is_first


def seconds_for(n_texts: int, n_characters: int) -> float:
    """Return how many seconds so many texts with so many characters may take together."""
    return _SECONDS + n_texts * _SECONDS_A_TEXT + n_characters / _CHARACTERS_A_SECOND
