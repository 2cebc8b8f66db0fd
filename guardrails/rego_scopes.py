# SPDX-License-Identifier: Apache-2.0
"""Which names a rule binds, and where they hold. Pure.

Arguments hold in the whole rule; what `some ... in` and `:=` bind holds in the body, comprehension
or brackets in which it stands; what `every` binds, in the body of the `every`. What stands after an
`else` is a body of its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guardrails.rego_text import RegoTextError, Rule, RuleKind, Token

_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A name, the tokens [start, end) in which it holds, and where it is declared."""

    name: str
    start: int
    end: int
    declared_at: tuple[int, ...]


def find_closing(tokens: Sequence[Token], opening: int) -> int:
    """Return the position of the bracket that closes the one at `opening`."""
    depth = tokens[opening].depth
    for at in range(opening + 1, len(tokens)):
        if tokens[at].depth == depth and tokens[at].text in _CLOSED_BY.values():
            return at
    return len(tokens)


def list_bindings(rule: Rule) -> list[Binding]:
    """Return what a rule binds.

    Raises:
        RegoTextError: a `some` that binds nothing by itself.

    """
    return [*_bind_arguments(rule), *_bind_variables(rule)]


def _bind_arguments(rule: Rule) -> Iterator[Binding]:
    if rule.kind is RuleKind.FUNCTION:
        for at in _list_names(rule.tokens, 2, find_closing(rule.tokens, 1)):
            yield Binding(
                name=rule.tokens[at].text, start=0, end=len(rule.tokens), declared_at=(at,)
            )


def _bind_variables(rule: Rule) -> Iterator[Binding]:
    tokens = rule.tokens
    for at, token in enumerate(tokens):
        if token.text == ":=" and (at > 1 or token.depth):
            names = _list_assigned(tokens, at)
            start, end = _find_scope(rule, at)
        elif token.text in ("some", "every") and token.kind == "name":
            after = _find_in(tokens, at)
            names = _list_names(tokens, at + 1, after)
            start, end = (
                _find_scope(rule, at) if token.text == "some" else _find_every_body(tokens, after)
            )
        else:
            continue
        for name in names:
            yield Binding(name=tokens[name].text, start=start, end=end, declared_at=(name,))


def _list_assigned(tokens: Sequence[Token], at: int) -> list[int]:
    """Return the positions of the names to the left of a `:=`."""
    if tokens[at - 1].kind == "name":
        return [at - 1]
    opening = at - 1
    while (
        opening > 0
        and tokens[opening].depth >= tokens[at].depth
        and (tokens[opening].text not in _CLOSED_BY or tokens[opening].depth != tokens[at].depth)
    ):
        opening -= 1
    before = tokens[opening - 1] if opening else None
    if before is not None and (before.kind == "name" or before.text in _CLOSED_BY.values()):
        return []  # the key of a rule's value, NAME[key] := ..., binds nothing
    return _list_names(tokens, opening, at)


def _list_names(tokens: Sequence[Token], start: int, end: int) -> list[int]:
    return [
        at
        for at in range(start, min(end, len(tokens)))
        if tokens[at].kind == "name" and tokens[at].text not in ("true", "false", "null")
    ]


def _find_in(tokens: Sequence[Token], at: int) -> int:
    """Return the position of the `in` of a `some` or `every`."""
    word, line = tokens[at].text, tokens[at].line
    for position in range(at + 1, len(tokens)):
        token = tokens[position]
        if token.text == "in" and token.depth == tokens[at].depth:
            return position
        if token.line != line or token.text in (";", ":=", "=", "."):
            break
    raise RegoTextError(f"{word} is written with a collection: {word} x in COLLECTION", line)


def _find_scope(rule: Rule, at: int) -> tuple[int, int]:
    """Return the brackets around a position, or the body that it stands in."""
    tokens = rule.tokens
    depth = tokens[at].depth
    first, last = _find_branch(tokens, at)
    for opening in range(at - 1, first - 1, -1):
        token = tokens[opening]
        if token.text in _CLOSED_BY and token.depth == depth - 1:
            if depth == 1 and opening and tokens[opening - 1].text == "if":
                break
            return opening, find_closing(tokens, opening)
    return first, last


def _find_branch(tokens: Sequence[Token], at: int) -> tuple[int, int]:
    """Return the part of a rule between two of its `else`."""
    cuts = [n for n, token in enumerate(tokens) if token.text == "else" and token.depth == 0]
    first = max((n for n in cuts if n <= at), default=0)
    return first, min((n for n in cuts if n > at), default=len(tokens))


def _find_every_body(tokens: Sequence[Token], after: int) -> tuple[int, int]:
    """Return the brackets after the collection of an `every`, which begins after its `in`."""
    position = (
        after + 2
        if tokens[after + 1].text not in _CLOSED_BY
        else (find_closing(tokens, after + 1) + 1)
    )
    while position < len(tokens):
        token = tokens[position]
        if token.text == "{" and token.depth == tokens[after].depth:
            return position, find_closing(tokens, position)
        position += 1
    return after, after
