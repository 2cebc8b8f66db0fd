# SPDX-License-Identifier: Apache-2.0
"""A small grammar of sentence patterns: `[a|b]` is a choice, `{slot}` is filled.

A pattern is parsed once and expanded as often as wanted, with a source of randomness handed in.
"""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

Label = str  # PERSON, LOCATION, ORGANIZATION or ADDRESS; "" is none of them
Piece = tuple[str, Label]
Fill = Callable[[str], Iterable[Piece]]  # the pieces that a slot's name stands for

_TOKEN = re.compile(r"\{(\w+)\}|[\[|\]]|[^\[|\]{]+|\{")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that is filled."""

    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives of which one is taken."""

    options: tuple["Pattern", ...]


Pattern = tuple["str | Slot | Choice", ...]


@cache
def parse_pattern(line: str) -> Pattern:
    """Return the pattern of a line.

    Raises:
        ValueError: a bracket has no partner.
    """
    tokens = list(_TOKEN.finditer(line))
    pattern, position = _parse_sequence(tokens, 0, depth=0)
    if position != len(tokens):
        raise ValueError(f"a closing bracket has no partner in: {line}")
    return pattern


def _parse_sequence(
    tokens: list[re.Match[str]], position: int, *, depth: int
) -> tuple[Pattern, int]:
    items: list[str | Slot | Choice] = []
    while position < len(tokens):
        token = tokens[position]
        text = token.group()
        if text == "]" or (text == "|" and depth):
            break
        position += 1
        if token[1]:
            items.append(Slot(token[1]))
        elif text == "[":
            choice, position = _parse_choice(tokens, position, depth=depth + 1)
            items.append(choice)
        else:
            items.append(text)
    return tuple(items), position


def _parse_choice(tokens: list[re.Match[str]], position: int, *, depth: int) -> tuple[Choice, int]:
    options = []
    while True:
        option, position = _parse_sequence(tokens, position, depth=depth)
        options.append(option)
        if position == len(tokens):
            raise ValueError("an opening bracket has no partner")
        position += 1
        if tokens[position - 1].group() == "]":
            return Choice(tuple(options)), position


def expand(pattern: Pattern, chance: random.Random, fill: Fill) -> Iterator[Piece]:
    """Yield the pieces of one sentence of a pattern."""
    for item in pattern:
        if isinstance(item, str):
            yield item, ""
        elif isinstance(item, Slot):
            yield from fill(item.name)
        else:
            yield from expand(chance.choice(item.options), chance, fill)


def list_words(pattern: Pattern) -> Iterator[str]:
    """Yield the fixed texts of a pattern, of all alternatives."""
    for item in pattern:
        if isinstance(item, str):
            yield item
        elif isinstance(item, Choice):
            for option in item.options:
                yield from list_words(option)
