# SPDX-License-Identifier: Apache-2.0
r"""What every match of an expression has somewhere, so that few texts need be searched with it.

Two traces are read from an expression. Its words: of `(?:laptop|pc) [a-z]` each match has `laptop `
or `pc `. Its shapes, in which letters are `a` and digits `0`: of `[a-z]{2,4}-?\d{2}` each match has
`a00` or `a-00`. To look for such strings costs less than to search. What may be anything is left
out.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, reduce
from itertools import product, starmap
from typing import Final, NamedTuple

from guardrails.expression_parts import NO_WIDTH, PART, REPETITION
from guardrails.trace_alphabets import SHAPES, WORDS, Alphabet

Strings = frozenset[str]

# Of an expression: letters of which none is repeated, or one part.
_PARTS: Final = re.compile(rf"[A-Za-z]{{2,}}(?![*+?{{])|{PART.pattern}", re.DOTALL)
_GROUP: Final = re.compile(r"\((?:\?(?:[imsx-]*:|>|P?<\w+>))?")
_LOOKAROUND: Final = frozenset(("(?=", "(?!", "(?<=", "(?<!"))
_OPENS: Final = re.compile(r"\((?!\?[imsx-]+\))")
_SET: Final = re.compile(r"\[[^\^]", re.DOTALL)
_MEMBER: Final = re.compile(r"\\[pP]\{[^}]*\}|\\u[0-9A-Fa-f]{4}|\\.|.", re.DOTALL)
_SPACES: Final = frozenset((r"\n", r"\t", r"\r", r"\s"))
_LETTERS: Final = re.compile(r"\\p\{[LM][a-z]?\}")
_BOUNDS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ESCAPE_CHARACTERS: Final = 2
_MOST_PAIRS: Final = 4  # as a multiple of most_joined: many pairs become one string
_HEXADECIMAL: Final = 16
_MOST_CODES: Final = 512  # of a range
# What is not read here: verbose and fuzzy expressions, sets within sets, names of characters, and
# repetitions without a lowest bound.
_UNREADABLE: Final = re.compile(
    r"\(\?[a-z-]*x[a-z-]*[:)]|\{,|\{[^{}]*[a-z][^{}]*[<=]|\[\^?\[:|\\N\{|\[[^\]]*(?:--|&&|\|\||~~)"
)
_MOST_DIGITS: Final = 6  # at the ends of a shape: more are as rare, and fewer expressions share it
_LONG_START: Final = re.compile(rf"\A0+(?=0{{{_MOST_DIGITS}}})")
_LONG_END: Final = re.compile(rf"(?<=0{{{_MOST_DIGITS}}})0+\Z")
_FEWEST_BITS: Final = 3.0  # of what is worth to be looked for
_EMPTY: Final[Strings] = frozenset(("",))
_UNKNOWN: Final[Strings] = frozenset()


@cache
def list_shapes(expression: str) -> Strings:
    r"""Return strings of which one is in the shape of every match; none: nothing is known.

    >>> sorted(list_shapes(r"(?<!\w)[a-z]{2,4}-?\d{2}")), list_shapes(r"\w+")
    (['a-00', 'a00'], frozenset())
    """
    return _trace(expression, SHAPES)


@cache
def list_words(expression: str) -> Strings:
    r"""Return strings of which one is in the words of every match; none: nothing is known.

    >>> sorted(list_words(r"(?i:laptop|PC)[ ]\w+")), list_words(r"\w+")
    (['laptop ', 'pc '], frozenset())
    """
    return _trace(expression, WORDS)


def _trace(expression: str, alphabet: Alphabet) -> Strings:
    if _UNREADABLE.search(expression):
        return _UNKNOWN
    read = _Reader(alphabet).read_alternatives(iter(_PARTS.findall(expression)))
    found = {_LONG_END.sub("", _LONG_START.sub("", string)) for string in read.rarest}
    if alphabet.rate(frozenset(found)) < _FEWEST_BITS:
        return _UNKNOWN
    return frozenset(
        string for string in found if not any(one in string and one != string for one in found)
    )


class _Part(NamedTuple):
    """What is known of a part of an expression.

    Attributes:
        whole: the traces of all that it matches; None: they are many.
        heads: with one of these each begins.
        tails: with one of these each ends.
        rarest: one of these is in each; none: nothing is known.

    """

    whole: Strings | None
    heads: Strings
    tails: Strings
    rarest: Strings


def _exactly(strings: Strings) -> _Part:
    return _Part(strings, strings, strings, strings)


_NOTHING: Final = _exactly(_EMPTY)
_ANYTHING: Final = _Part(None, _EMPTY, _EMPTY, _UNKNOWN)


class _Reader:
    """Reads an expression.

    Args:
        alphabet: in which its traces are.

    """

    def __init__(self, alphabet: Alphabet) -> None:
        self._alphabet = alphabet
        self._read: dict[str, _Part] = {}

    def read_alternatives(self, parts: Iterator[str]) -> _Part:
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
                    sequence.append(self._repeat(sequence.pop(), *_read_bounds(part)))
            elif part in _LOOKAROUND:
                sequence.append(self._look_around(part, parts))
            elif part.startswith("(") and not NO_WIDTH.fullmatch(part):
                group = self.read_alternatives(parts)
                sequence.append(group if _GROUP.fullmatch(part) else _ANYTHING)
            else:
                if part not in self._read:
                    self._read[part] = self._read_one(part)
                sequence.append(self._read[part])
            was_repeated = is_repetition
        return self._unite([reduce(self._follow, one, _NOTHING) for one in alternatives])

    def _look_around(self, opening: str, parts: Iterator[str]) -> _Part:
        """Read what has no width: what must be there counts, what must not be there is skipped."""
        if "!" in opening:
            _skip_group(parts)
            return _NOTHING
        seen = self.read_alternatives(parts).rarest
        return (
            _Part(None, _EMPTY, _EMPTY, seen)
            if self._alphabet.rate(seen) >= _FEWEST_BITS
            else _NOTHING
        )

    def _follow(self, part: _Part, other: _Part) -> _Part:
        """Return what is known of both, one after the other."""
        both = self._join(part.whole, other.whole)
        if both is not None:
            return _exactly(both)
        heads = self._join(part.whole, other.heads)
        tails = self._join(part.tails, other.whole)
        between = self._join(part.tails, other.heads)
        return _Part(
            None,
            part.heads if heads is None else heads,
            other.tails if tails is None else tails,
            self._choose((part.rarest, other.rarest, between or _UNKNOWN)),
        )

    def _repeat(self, part: _Part, fewest: int, most: int | None) -> _Part:
        """Return what is known of a part that is there so many times; None: without bound."""
        if part.whole is None:
            return part if fewest else _ANYTHING
        powers = [_EMPTY]
        for _ in range(fewest if most is None else most):
            longer = self._join(powers[-1], part.whole)
            if longer is None:
                break
            powers.append(longer)
        if most is not None and len(powers) == most + 1:
            together = self._merge(powers[fewest:])
            if together:
                return _exactly(together)
        ends = powers[min(fewest, len(powers) - 1)]
        return _Part(None, ends, ends, ends)

    def _unite(self, alternatives: Sequence[_Part]) -> _Part:
        """Return what is known where it is one of several that matches."""
        whole = [one.whole for one in alternatives if one.whole is not None]
        if len(whole) == len(alternatives) and (strings := self._merge(whole)):
            return _exactly(strings)
        rarest = [one.rarest for one in alternatives]
        return _Part(
            None,
            self._merge([one.heads for one in alternatives]) or _EMPTY,
            self._merge([one.tails for one in alternatives]) or _EMPTY,
            self._merge(rarest) if all(rarest) else _UNKNOWN,
        )

    def _join(self, before: Strings | None, after: Strings | None) -> Strings | None:
        """Return the strings of one after the other; None: they are too many, or not known."""
        most = self._alphabet.most_joined
        if before is None or after is None or len(before) * len(after) > _MOST_PAIRS * most:
            return None
        if before == _EMPTY:
            return after
        both = frozenset(starmap(self._alphabet.join, product(before, after)))
        return both if len(both) <= most else None

    def _merge(self, several: Iterable[Strings]) -> Strings:
        """Return the strings of all; none where they are too many."""
        strings = frozenset().union(*several)
        return strings if len(strings) <= self._alphabet.most_united else _UNKNOWN

    def _choose(self, known: Iterable[Strings]) -> Strings:
        """Return the strings of which a text is least likely to have one."""
        told = [strings for strings in known if strings and "" not in strings]
        if len(told) > 1:
            return max(told, key=self._alphabet.rate)
        return told[0] if told else _UNKNOWN

    def _read_one(self, part: str) -> _Part:
        """Read what stands for one character, for none, or for a row of letters, once."""
        if part.isalpha():
            return _exactly(frozenset((self._alphabet.trace(part),)))
        if NO_WIDTH.fullmatch(part):
            return _NOTHING
        if not _SET.match(part):
            one = None if part == "." else self._read_member(part)
            return _exactly(frozenset((one,))) if one else _ANYTHING
        strings: set[str] = set()
        members = _MEMBER.findall(part[1:-1])
        for place, member in enumerate(members):
            is_range = member == "-" and 0 < place < len(members) - 1
            told = (
                self._read_range(*members[place - 1 : place + 2 : 2])
                if is_range
                else {self._read_member(member)}
            )
            if None in told:
                return _ANYTHING
            strings.update(one for one in told if one)
        return (
            _exactly(frozenset(strings))
            if len(strings) <= self._alphabet.most_united
            else _ANYTHING
        )

    def _read_range(self, first: str, last: str) -> set[str | None]:
        """Return what its characters are in a trace; None among them: it may be anything."""
        ends = [_read_escape(end) for end in (first, last)]
        if None in ends:
            return {None}
        codes = range(ord(str(ends[0])), ord(str(ends[1])) + 1)
        if not 0 < len(codes) <= _MOST_CODES:  # none: a class stands before the hyphen
            return {None}
        return {self._alphabet.table[code] for code in codes}

    def _read_member(self, member: str) -> str | None:
        """Return what a character, or a class of them, is in a trace; None: it may be anything."""
        if member in _SPACES:
            return " "
        name = "letters" if _LETTERS.fullmatch(member) else member
        character = _read_escape(member)
        if character is None:
            return self._alphabet.classes.get(name)
        return self._alphabet.table[ord(character)]


def _skip_group(parts: Iterator[str]) -> None:
    """Read up to the end of a group that does not count."""
    depth = 1
    while depth:
        part = next(parts)
        depth += 1 if _OPENS.match(part) else -1 if part == ")" else 0


def _read_bounds(repetition: str) -> tuple[int, int | None]:
    """Return how often at least and at most; None: without bound."""
    if repetition in _BOUNDS:
        return _BOUNDS[repetition]
    fewest, comma, most = repetition.strip("{}").partition(",")
    return int(fewest), int(most) if most else None if comma else int(fewest)


def _read_escape(member: str) -> str | None:
    """Return the character that is written; None where it is a class of them."""
    if len(member) == 1:
        return member
    if member[1] in "xuU" and len(member) > _ESCAPE_CHARACTERS:
        return chr(int(member[2:], _HEXADECIMAL))
    is_sign = len(member) == _ESCAPE_CHARACTERS and not member[1].isalnum()
    return member[1] if is_sign else None
