# SPDX-License-Identifier: Apache-2.0
r"""What every match of an expression looks like somewhere, so that few texts need be searched.

The shape of a text has one letter for letters in a row, a zero for each digit, one space for white
space, and all else as it is: `LT-0123 is` is `a-0000 a`. From an expression follow shapes of which
every match has one: of `[a-z]{2,4}-?\d{2}` it is `a00` or `a-00`. To look for these few strings
costs less than the search. What lookarounds see is left out, and so is what may be anything.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from itertools import product
from typing import Final, NamedTuple

from guardrails.expression_reach import PART, REPETITION

_LETTER, _DIGIT, _SPACE = "a", "0", " "
_GROUP: Final = re.compile(r"\((?:\?(?:[imsx-]*:|>|P?<\w+>))?")
_LOOKAROUND: Final = frozenset(("(?=", "(?!", "(?<=", "(?<!"))
_NO_WIDTH: Final = re.compile(r"\\[bBAZK]|[\^$]|\(\?[imsx-]+\)")
_SET: Final = re.compile(r"\[[^\^]", re.DOTALL)
_MEMBER: Final = re.compile(r"\\[pP]\{[^}]*\}|\\u[0-9A-Fa-f]{4}|\\.|.", re.DOTALL)
_ESCAPED: Final = {"d": _DIGIT, "n": _SPACE, "t": _SPACE, "r": _SPACE, "s": _SPACE}
_LETTERS: Final = re.compile(r"\\p\{[LM][a-z]?\}")
_BOUNDS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ESCAPE_CHARACTERS: Final = 2
_MOST_CODES: Final = 512  # of a range
_MOST: Final = 32  # shapes that a part of an expression may have
_MOST_DIGITS: Final = 6  # at the ends of a shape: more are as rare, and fewer expressions share it
_RARITY: Final = 4  # of a digit or mark, beside letters and spaces next to it
_COMMON: Final = frozenset((_LETTER, _SPACE))  # of these alone consists a part of every text
_LONG_START: Final = re.compile(rf"\A{_DIGIT}+(?={_DIGIT}{{{_MOST_DIGITS}}})")
_LONG_END: Final = re.compile(rf"(?<={_DIGIT}{{{_MOST_DIGITS}}}){_DIGIT}+\Z")
_ROW: Final = re.compile(rf"{_LETTER}{{2,}}|{_SPACE}{{2,}}")
Shapes = frozenset[str]
_EMPTY: Final[Shapes] = frozenset(("",))
_UNKNOWN: Final[Shapes] = frozenset()


class _ShapeTable(dict[int, str]):
    """What a character is in a shape, told when it is first seen."""

    def __missing__(self, code: int) -> str:
        self[code] = _shape_of(chr(code))
        return self[code]


_TABLE: Final = _ShapeTable()


def shape_of(text: str) -> str:
    """Return the shape of a text.

    >>> shape_of("LT-0123 is")
    'a-0000 a'
    """
    return _shorten(text.translate(_TABLE))


def _shorten(shape: str) -> str:
    return _ROW.sub(lambda row: row[0][0], shape)


def _shape_of(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LM":
        return _LETTER
    if category == "Nd":
        return _DIGIT
    return _SPACE if character.isspace() else character


@cache
def list_shapes(expression: str) -> Shapes:
    r"""Return shapes of which every match of an expression has one; none: nothing is known.

    >>> sorted(list_shapes(r"(?<!\w)[a-z]{2,4}-?\d{2}")), list_shapes(r"\w+")
    (['a-00', 'a00'], frozenset())
    """
    parts = iter(PART.findall(expression))
    found = {
        _LONG_END.sub("", _LONG_START.sub("", shape)) for shape in _read_alternatives(parts).rarest
    }
    return frozenset(
        shape for shape in found if not any(one in shape and one != shape for one in found)
    )


class _Part(NamedTuple):
    """What is known of a part of an expression.

    Attributes:
        all: the shapes of all that it matches; None: they are many.
        heads: with one of these each begins.
        tails: with one of these each ends.
        rarest: one of these is in each; none: nothing is known.

    """

    all: Shapes | None
    heads: Shapes
    tails: Shapes
    rarest: Shapes

    def then(self, other: "_Part") -> "_Part":
        """Return what is known of both, one after the other."""
        both = _join(self.all, other.all)
        if both is not None:
            return _exactly(both)
        heads = _join(self.all, other.heads)
        tails = _join(self.tails, other.all)
        between = _join(self.tails, other.heads)
        return _Part(
            None,
            self.heads if heads is None else heads,
            other.tails if tails is None else tails,
            _choose((self.rarest, other.rarest, between or _UNKNOWN)),
        )

    def repeat(self, fewest: int, most: int | None) -> "_Part":
        """Return what is known of it, repeated."""
        if self.all is None:
            return self if fewest else _ANYTHING
        powers = [_EMPTY]
        for _ in range(fewest if most is None else most):
            longer = _join(powers[-1], self.all)
            if longer is None:
                break
            powers.append(longer)
        if most is not None and len(powers) == most + 1:
            together = frozenset().union(*powers[fewest:])
            if len(together) <= _MOST:
                return _exactly(together)
        ends = powers[min(fewest, len(powers) - 1)]
        return _Part(None, ends, ends, _choose((ends,)))


def _exactly(shapes: Shapes) -> _Part:
    return _Part(shapes, shapes, shapes, _choose((shapes,)))


def _join(before: Shapes | None, after: Shapes | None) -> Shapes | None:
    """Return the shapes of one after the other; None where they are too many, or not known."""
    if before is None or after is None:
        return None
    both = frozenset(_shorten(one + other) for one, other in product(before, after))
    return both if len(both) <= _MOST else None


def _choose(known: Iterable[Shapes]) -> Shapes:
    """Return the shapes of which a text is least likely to have one."""
    return max(known, key=_rate, default=_UNKNOWN) if any(map(_rate, known)) else _UNKNOWN


def _rate(shapes: Shapes) -> int:
    """Return how rare the most common of some shapes is; 0: each text has one."""
    return min(map(_rate_one, shapes), default=0)


def _rate_one(shape: str) -> int:
    n_rare = sum(one not in _COMMON for one in shape)
    return n_rare and n_rare * _RARITY + len(shape)


_NOTHING: Final = _exactly(_EMPTY)
_ANYTHING: Final = _Part(None, _EMPTY, _EMPTY, _UNKNOWN)


def _read_alternatives(parts: Iterator[str]) -> _Part:
    """Read up to the end of a group, or of the expression."""
    alternatives: list[list[_Part]] = [[]]
    was_repeated = False
    for part in parts:
        sequence = alternatives[-1]
        is_repetition = REPETITION.fullmatch(part) is not None
        if part == ")":
            break
        if part == "|":
            alternatives.append([])
        elif is_repetition:
            if not was_repeated:  # else it says how eagerly
                sequence.append(sequence.pop().repeat(*_read_bounds(part)))
        elif part in _LOOKAROUND:
            _read_alternatives(parts)
            sequence.append(_NOTHING)
        elif part.startswith("(") and not _NO_WIDTH.fullmatch(part):
            group = _read_alternatives(parts)
            sequence.append(group if _GROUP.fullmatch(part) else _ANYTHING)
        else:
            sequence.append(_read_one(part))
        was_repeated = is_repetition
    return _unite([reduce(_Part.then, sequence, _NOTHING) for sequence in alternatives])


def _unite(alternatives: Sequence[_Part]) -> _Part:
    """Return what is known where it is one of several that matches."""
    whole = [one.all for one in alternatives if one.all is not None]
    if len(whole) == len(alternatives) and (shapes := _merge(whole)):
        return _exactly(shapes)
    rarest = [one.rarest for one in alternatives]
    return _Part(
        None,
        _merge([one.heads for one in alternatives]) or _EMPTY,
        _merge([one.tails for one in alternatives]) or _EMPTY,
        _merge(rarest) if all(rarest) else _UNKNOWN,
    )


def _merge(several: Sequence[Shapes]) -> Shapes:
    """Return the shapes of all; none where they are too many."""
    shapes = frozenset().union(*several)
    return shapes if len(shapes) <= _MOST else _UNKNOWN


def _read_bounds(repetition: str) -> tuple[int, int | None]:
    if repetition in _BOUNDS:
        return _BOUNDS[repetition]
    fewest, comma, most = repetition.strip("{}").partition(",")
    return int(fewest), int(most) if most else None if comma else int(fewest)


def _read_one(part: str) -> _Part:
    """Read what stands for one character, or for none."""
    if _NO_WIDTH.fullmatch(part):
        return _NOTHING
    if not _SET.match(part):
        shape = _read_member(part)
        return _exactly(frozenset((shape,))) if shape else _ANYTHING
    shapes: set[str] = set()
    members = _MEMBER.findall(part[1:-1])
    for place, member in enumerate(members):
        is_range = member == "-" and 0 < place < len(members) - 1
        found = _list_range(*members[place - 1 : place + 2 : 2]) if is_range else (member,)
        told = {_read_member(one) for one in found}
        if None in told:
            return _ANYTHING
        shapes.update(one for one in told if one)
    return _exactly(frozenset(shapes)) if shapes and len(shapes) <= _MOST else _ANYTHING


def _list_range(first: str, last: str) -> Iterable[str]:
    """Return the characters of a range; one that stands for anything where they are many."""
    ends = [_read_escape(end) for end in (first, last)]
    if None in ends or len(codes := range(ord(str(ends[0])), ord(str(ends[1])) + 1)) > _MOST_CODES:
        return (".",)
    return [f"\\{chr(code)}" if not chr(code).isalnum() else chr(code) for code in codes]


def _read_member(member: str) -> str | None:
    """Return what a character, or a class of them, is in a shape; None: it may be anything."""
    if _LETTERS.fullmatch(member):
        return _LETTER
    if member[0] == "\\" and member[1:] in _ESCAPED:
        return _ESCAPED[member[1:]]
    character = _read_escape(member)
    return None if character is None else _shape_of(character)


def _read_escape(member: str) -> str | None:
    """Return the character that is written; None where it is not one."""
    if len(member) == 1:
        return None if member == "." else member
    if member[1] in "xuU" and len(member) > _ESCAPE_CHARACTERS:
        return chr(int(member[2:], 16))
    is_sign = len(member) == _ESCAPE_CHARACTERS and not member[1].isalnum()
    return member[1] if is_sign else None
