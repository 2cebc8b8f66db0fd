# SPDX-License-Identifier: Apache-2.0
"""The tenant's own people and machines, found in texts exactly and in time that does not grow.

An index of words: each word of a text is looked up once, whatever the directory's size. People are
found as "Anna Schmidt", "Schmidt, Anna", "A. Schmidt", "anna.schmidt", with middle names and
particles between, in any case and spelling of accents. A part of a name that stands alone is masked
where it is capitalised; one that is also an ordinary word, or is written small, only where its
neighbours say that it is a person. User names, host names and serial numbers are found as they are,
unless they are ordinary words.

Adding is safe while others search. Nothing is taken out: who keeps it fresh builds a new one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple

from guardrails.ordinary_words import ORDINARY_WORDS
from guardrails.pattern_parts import SYSTEM_ACCOUNTS
from guardrails.person_names import (
    PARTICLES,
    fold,
    join_part,
    pieces_of,
    spellings,
    split_name,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


Span = tuple[int, int, str]  # start, end, entity
MIN_CHARACTERS: Final = 3
MIN_DIGITS: Final = 6  # of an identifier of digits alone: shorter ones are event ids and ports
MAX_ASKED: Final = 50_000  # texts whose answer is remembered
MAX_WORDS: Final = 8  # of an identifier
MAX_BETWEEN: Final = 3  # middle names and particles between two parts of a name
_WORD: Final = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")  # accents may be apart
_JOINTS: Final = frozenset("'\u2019-\u2010\u2011")
_GAPS: Final = frozenset(
    (" ", "  ", ", ", ",", ".", ". ", "_", "-", "\t", "\u00a0", "\n", ",\n", ", \n")
)
_PLAIN_GAPS: Final = frozenset((" ", "  ", ", ", ": ", ":", "\t", "\n", ",\n", " @", "@", ' "'))
_POSSESSIVE: Final = re.compile("['\u2019]s\\b", re.IGNORECASE)
# Before a person, whatever the name; and before a name that is no other word.
_ADDRESSING: Final = _words(
    "user colleague coworker mr mrs ms miss dr prof hi hello hey dear thanks regards cheers manager"
    " boss ask asked tell told contact contacted called ping pinged notify notified cc employee"
    " customer caller contractor intern technician sincerely wishes named name"
)
_BEFORE_A_NAME: Final = _ADDRESSING | _words(
    "from with by for to of and via behalf account login owner profile"
)
_SAYING: Final = _words(
    "said says told asked asks called wrote writes complained complains mentioned reported reports"
    " emailed phoned confirmed confirms replied answered"
)
_OWNED: Final = _words(
    "laptop pc computer machine desktop notebook macbook imac phone iphone ipad workstation account"
    " mailbox profile desk manager team monitor password"
)


@dataclass(slots=True)
class _Index:
    """What is looked up. Parts of names have numbers; a pair of parts is one number of both."""

    ordinary: frozenset[str]
    identifiers: dict[str, str] = field(default_factory=dict)
    longest: dict[str, int] = field(default_factory=dict)  # {first word: most words}
    parts: dict[str, int] = field(default_factory=dict)
    alone: set[int] = field(default_factory=set)
    pairs: set[int] = field(default_factory=set)
    initials: set[int] = field(default_factory=set)
    asked: dict[str, bool] = field(default_factory=dict)
    asked_of: int = 0  # how large the index was then


class _Word(NamedTuple):
    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A known part of a name at a place; `after` is the number of the word that follows."""

    number: int
    start: int
    end: int
    after: int
    is_ordinary: bool
    is_capital: bool


class Directory:
    """Names, user names, host names and serial numbers of a tenant.

    Args:
        is_complete: False where it will be filled by `replace`, before which nobody may rely on it.
        ordinary: words that also mean something else than a person or a machine, in lower case.

    """

    def __init__(
        self, *, is_complete: bool = True, ordinary: frozenset[str] = ORDINARY_WORDS
    ) -> None:
        self._index = _Index(ordinary)
        self._is_complete = is_complete

    @property
    def is_complete(self) -> bool:
        """Whether it was filled."""
        return self._is_complete

    @property
    def n_names(self) -> int:
        """How many parts of people's names are looked for."""
        return len(self._index.parts)

    @property
    def n_identifiers(self) -> int:
        """How many user names, host names and serial numbers are looked for."""
        return len(self._index.identifiers)

    def replace(self, fresh: "Directory") -> None:
        """Look for what another directory holds, from the next text on."""
        self._index = fresh._index  # noqa: SLF001 - the same class
        self._is_complete = True

    def add_person(self, name: str) -> None:
        """Add a person by the name that others call them by; one word counts alone."""
        self._add_parts(split_name(name), stand_alone=True)

    def add_account(self, account: str) -> None:
        r"""Add a user name, such as `jdoe`, `CORP\jdoe` or `anna.schmidt@corp.example`.

        One that is made of a name's parts makes these known as a pair.
        """
        bare = account.rpartition("\\")[2]
        local = bare.partition("@")[0]
        self._add_identifier(local, "USERNAME")  # the rest of an address says nothing of them
        parts = tuple(part for part in re.split(r"[._]", local) if len(part) > 1)
        if len(parts) > 1 and all(part.isalpha() for part in parts):
            self._add_parts(parts, stand_alone=False)

    def add_host(self, name: str) -> None:
        """Add a host's name; of a fully qualified one also its first label."""
        for form in dict.fromkeys((name, name.partition(".")[0])):
            self._add_identifier(form, "HOST")

    def add_serial(self, serial: str) -> None:
        """Add a serial number or asset tag."""
        self._add_identifier(serial, "SERIAL")

    def _add_identifier(self, value: str, entity: str) -> None:
        words = _WORD.findall(value)
        key = _fold_all(value.strip()).strip("._-$ ")
        if not 0 < len(words) <= MAX_WORDS or not self._is_telling(key, words):
            return
        index = self._index
        index.identifiers.setdefault(key, entity)
        if len(words) > 1:
            first = fold(words[0])
            index.longest[first] = max(index.longest.get(first, 0), len(words))

    def _is_telling(self, key: str, words: list[str]) -> bool:
        """Tell whether an identifier says which one is meant: not a word that everybody uses."""
        if len(key) < MIN_CHARACTERS or key in SYSTEM_ACCOUNTS:
            return False
        if key.isdigit():
            return len(key) >= MIN_DIGITS
        return any(fold(word) not in self._index.ordinary for word in words)

    def _add_parts(self, parts: tuple[str, ...], *, stand_alone: bool) -> None:
        index = self._index
        names = [*parts, *(piece for part in parts for piece in pieces_of(part))]
        forms = [(self._number(name), fold(name[0])) for name in names]
        if stand_alone:
            index.alone.update(number for number, _ in forms)
        for (one, letter), (other, another) in combinations(forms, 2):
            index.pairs.add(_pair(one, other))
            index.initials.add(_initial(letter, other))
            index.initials.add(_initial(another, one))

    def _number(self, part: str) -> int:
        parts = self._index.parts
        forms = spellings(join_part(part))
        number = next((parts[form] for form in forms if form in parts), len(parts) + 1)
        for form in forms:
            parts.setdefault(form, number)
        return number

    def names_person(self, text: str) -> bool:
        """Tell whether a person is named; remembered until the directory changes."""
        index = self._index
        if not index.parts:
            return False
        names = index.asked
        if len(names) > MAX_ASKED or index.asked_of != len(index.parts) + len(index.pairs):
            index.asked_of = len(index.parts) + len(index.pairs)
            names = index.asked = {}
        if text not in names:
            names[text] = any(entity == "PERSON" for _, _, entity in self.find_spans(text))
        return names[text]

    def find_spans(self, text: str) -> list[Span]:
        """Return the places of all that is known; they may overlap."""
        index = self._index
        if not index.parts and not index.identifiers:
            return []
        return [*_Search(index, text).run()]


class _Search:
    """One text's search."""

    def __init__(self, index: _Index, text: str) -> None:
        self._index = index
        self._text = text
        self._small: set[str] | None = None
        self._words = [
            _Word(match.start(), match.end(), fold(match[0])) for match in _WORD.finditer(text)
        ]

    def run(self) -> Iterator[Span]:
        index, words = self._index, self._words
        position = 0
        while position < len(words):
            key = words[position].key
            n_words = index.longest.get(key, 1 if key in index.identifiers else 0)
            if n_words and (found := self._find_identifier(position, n_words)):
                yield found
            after = position + 1
            if key in index.parts or len(key) == 1 or self._is_joined(position):
                name = self._find_name(position)
                if name is not None:
                    start, end, after = name
                    yield start, end, "PERSON"
            position = after

    def _find_identifier(self, position: int, n_words: int) -> Span | None:
        """Return the longest identifier that begins with a word."""
        words = self._words
        start = words[position].start
        for last in range(min(position + n_words, len(words)) - 1, position - 1, -1):
            end = words[last].end
            entity = self._index.identifiers.get(_fold_all(self._text[start:end]))
            if entity is not None:
                return start, end, entity
        return None

    def _is_joined(self, position: int) -> bool:
        words = self._words
        return position + 1 < len(words) and self._gap(position) in _JOINTS

    def _gap(self, position: int) -> str:
        """Return what stands between a word and the next."""
        return self._text[self._words[position].end : self._words[position + 1].start]

    def _part_at(self, position: int) -> _Part | None:
        words, parts = self._words, self._index.parts
        word = words[position]
        if self._is_joined(position):
            after = words[position + 1]
            number = parts.get(word.key + after.key)
            if number is not None:
                return self._make_part(number, position, position + 1)
        number = parts.get(word.key)
        return None if number is None else self._make_part(number, position, position)

    def _make_part(self, number: int, first: int, last: int) -> _Part:
        words = self._words
        start, end = words[first].start, words[last].end
        key = "".join(word.key for word in words[first : last + 1])
        return _Part(
            number, start, end, last + 1, key in self._index.ordinary, self._text[start].isupper()
        )

    def _find_name(self, position: int) -> tuple[int, int, int] | None:
        """Return the (start, end, word after) of the name that begins with a word."""
        part = self._part_at(position)
        if part is None:
            return self._find_after_initial(position)
        end, after, numbers = part.end, part.after, [part.number]
        is_ordinary, is_capital = part.is_ordinary, part.is_capital
        following = part.after
        n_between = 0
        while following < len(self._words) and n_between <= MAX_BETWEEN:
            if self._gap(following - 1) not in _GAPS:
                break
            other = self._part_at(following)
            if other is not None and self._belongs(other, numbers):
                end, after, n_between = other.end, other.after, 0
                numbers.append(other.number)
                is_ordinary &= other.is_ordinary
                is_capital &= other.is_capital
                following = other.after
                continue
            key = self._words[following].key
            if other is None and len(key) > 1 and key not in PARTICLES:
                break
            n_between += 1
            following = following + 1 if other is None else other.after
        if len(numbers) > 1 and (is_capital or not is_ordinary):
            return part.start, end, after
        return self._find_before_initial(part) or self._find_alone(position, part)

    def _belongs(self, part: _Part, numbers: list[int]) -> bool:
        return any(_pair(part.number, number) in self._index.pairs for number in numbers)

    def _find_after_initial(self, position: int) -> tuple[int, int, int] | None:
        """Find "A. Schmidt"; of a part that is an ordinary word only with its dot and capitals."""
        words = self._words
        word = words[position]
        if len(word.key) != 1 or position + 1 >= len(words):
            return None
        gap = self._gap(position)
        part = self._part_at(position + 1) if gap in (" ", ".", ". ", "-", "_") else None
        if part is None or _initial(word.key, part.number) not in self._index.initials:
            return None
        is_capital = self._text[word.start].isupper()
        if part.is_ordinary and not (is_capital and part.is_capital and gap[0] == "."):
            return None
        if gap == " " and not is_capital:
            return None  # "a" is an article
        return word.start, part.end, part.after

    def _find_before_initial(self, part: _Part) -> tuple[int, int, int] | None:
        """Find "Schmidt, A." and "Anna S.", with a capital."""
        words = self._words
        if part.after >= len(words) or not part.is_capital:
            return None
        word = words[part.after]
        has_dot = self._text[word.end : word.end + 1] == "."
        gap = self._gap(part.after - 1)
        if len(word.key) != 1 or gap not in (" ", ", ") or not self._text[word.start].isupper():
            return None
        if _initial(word.key, part.number) not in self._index.initials:
            return None
        if part.is_ordinary and not (has_dot and gap == ", "):
            return None
        return part.start, word.end + has_dot, part.after + 1

    def _find_alone(self, position: int, part: _Part) -> tuple[int, int, int] | None:
        if part.number not in self._index.alone or part.end - part.start < MIN_CHARACTERS:
            return None
        found = part.start, part.end, part.after
        if part.is_capital and not part.is_ordinary and not self._is_written_small(position):
            return found
        before = self._words[position - 1].key if position else ""
        is_after = before != "" and self._gap(position - 1) in _PLAIN_GAPS
        if part.is_ordinary and not part.is_capital:
            return None
        if is_after and before in (_ADDRESSING if part.is_ordinary else _BEFORE_A_NAME):
            return found
        return found if self._acts(part) else None

    def _acts(self, part: _Part) -> bool:
        """Tell whether what follows is what people do or own."""
        words = self._words
        possessive = _POSSESSIVE.match(self._text, part.end)
        following = part.after + (1 if possessive else 0)
        if following >= len(words) or self._gap(following - 1) != " ":
            return False
        key = words[following].key
        return key in _OWNED if possessive else key in _SAYING

    def _is_written_small(self, position: int) -> bool:
        """Tell whether the same word stands in the text without its capital: then it is a word."""
        if self._small is None:
            self._small = {one.key for one in self._words if self._text[one.start].islower()}
        return self._words[position].key in self._small


def _fold_all(text: str) -> str:
    return text.lower() if text.isascii() else "".join(map(fold, text))


def _pair(one: int, other: int) -> int:
    return (one << 32 | other) if one < other else (other << 32 | one)


def _initial(letter: str, number: int) -> int:
    return number << 32 | ord(letter)
