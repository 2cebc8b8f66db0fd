# SPDX-License-Identifier: Apache-2.0
"""Texts with and without names, from our own patterns: what the name model is trained from.

Half of the texts hold no name at all: of a technical text nothing may be taken for a name.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from guardrails.name_grammar import Piece, expand, list_words, parse_pattern
from guardrails.name_lists import NameLists
from guardrails.name_people import People
from guardrails.name_places import Organisations, Places

ENTITIES: Final = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS")
_JOINTS: Final = (" ", " ", "\n", ". ", ". ", "; ", "\n\n", " - ", ", ")
_CONSONANTS: Final = "bcdfghjklmnprstvwxz"
_VOWELS: Final = "aeiouy"
_BEGINNINGS: Final = (
    "un", "re", "dis", "pre", "de", "over", "sub", "multi", "inter", "non", "auto", "mis", "out",
    "super", "anti", "micro", "cyber", "e-", "sys", "net", "lib",
)  # fmt: skip
_ENDINGS: Final = (
    "s", "s", "es", "ed", "ing", "ing", "er", "ers", "or", "ly", "ize", "ized", "izes", "ise",
    "ability", "able", "ation", "ations", "ment", "ness", "less", "ful", "ee", "ees", "ity",
    "ive", "al", "ally", "ant", "ance", "ware", "set", "box", "bar", "load", "list",
)  # fmt: skip
_ENDINGS_OF_PROGRAMS: Final = (
    "d", "ctl", "fs", "x", "kg", "tables", "rc", "db", "32", "2", "sh", "conf", "mgr", "svc",
    "cfg", "tab", "top", "wd", "mon", "sync", "gpt", "ssl",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and where its names are.

    Attributes:
        text: as somebody could have written it.
        spans: (start, end, entity), in order, none overlapping.

    """

    text: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillingWords:
    """What sentences are filled with.

    Attributes:
        common: ordinary lower-case words.
        tails: pieces with which rarer words go on after a common one.

    """

    common: Sequence[str]
    tails: Sequence[str]


class SampleMaker:
    """Makes texts without end; the same seed and lists make the same texts.

    Args:
        lists: what the texts are made of.
        seed: of the chances.
        words: to fill sentences with.

    """

    def __init__(self, lists: NameLists, *, seed: int, words: "FillingWords") -> None:
        self._lists = lists
        self._chance = random.Random(seed)  # noqa: S311 - texts, not secrets
        self._common = words.common
        self._tails = words.tails
        self._people = People(lists, self._chance)
        self._places = Places(lists, self._chance, self._people)
        self._organisations = Organisations(
            lists, self._chance, self._people, self._places, words.common
        )
        self._patterns = {
            name: [parse_pattern(line) for line in lines] for name, lines in lists.patterns.items()
        }
        self._slots = self._list_slots()

    def make(self) -> Sample:
        """Return the next text."""
        chance = self._chance
        drawn = chance.random()
        if drawn < 0.12:
            return self._finish([(chance.choice(self._lists.prose), "")])
        kinds: tuple[str, ...]
        if drawn < 0.44:
            kinds = ("negatives",) * chance.choice((1, 1, 2, 3))
        elif drawn < 0.59:
            kinds = ("helpdesk", *chance.choice(((), (), ("negatives",), ("helpdesk",))))
        elif drawn < 0.75:
            kinds = (
                "notes",
                *chance.choice(((), (), ("negatives",), ("notes",), ("notes", "helpdesk"))),
            )
        else:
            kinds = ("general", *chance.choice(((), (), (), ("general",), ("negatives",))))
        units = list(kinds)
        chance.shuffle(units)
        pieces: list[Piece] = []
        for number, kind in enumerate(units):
            if number:
                pieces.append((chance.choice(_JOINTS), ""))
            pieces += expand(chance.choice(self._patterns[kind]), chance, self._fill)
        return self._finish(pieces)

    def _finish(self, pieces: Sequence[Piece]) -> Sample:
        """Put the pieces together and write them as people write: in capitals, in none, ASCII."""
        chance = self._chance
        changes: list[Callable[[str], str]] = []
        drawn = chance.random()
        if drawn < 0.2:
            changes.append(str.lower)
        elif drawn < 0.23:
            changes.append(str.upper)
        if chance.random() < 0.2:
            changes.append(_without_accents)
        text, spans = "", []
        for piece, label in pieces:
            written = piece
            for change in changes:
                written = change(written)
            if label:
                if not changes and chance.random() < 0.03:
                    written = chance.choice((str.lower, str.upper))(written)
                spans.append((len(text), len(text) + len(written), label))
            text += written
        return Sample(text, tuple(spans))

    def _fill(self, name: str) -> Iterable[Piece]:
        make = self._slots.get(name)
        if make is None:
            return ((self._chance.choice(self._lists.technical[name]), ""),)
        return make()

    def _list_slots(self) -> Mapping[str, Callable[[], Iterable[Piece]]]:
        named: Mapping[str, tuple[str, Callable[[], str]]] = {
            "p": ("PERSON", self._people.any),
            "g": ("PERSON", self._people.given),
            "f": ("PERSON", self._people.family),
            "full": ("PERSON", self._people.full),
            "short": ("PERSON", self._people.short),
            "handle": ("PERSON", self._user),
            "o": ("ORGANIZATION", self._organisations.any),
            "l": ("LOCATION", self._places.any),
            "country": ("LOCATION", self._places.country),
            "city": ("LOCATION", self._places.city),
            "town": ("LOCATION", self._places.town),
            "a": ("ADDRESS", self._places.address),
            "ab": ("ADDRESS", lambda: self._places.address(self._chance.choice(("\n", "\n ")))),
            "street": ("ADDRESS", self._places.street),
            "addressline": ("ADDRESS", self._places.line),
            "postcode": ("ADDRESS", self._places.postcode),
        }
        plain: Mapping[str, Callable[[], str]] = {
            "nl": lambda: "\n",
            "lb": lambda: "[",
            "rb": lambda: "]",
            "jobtitle": lambda: self._chance.choice(self._lists.organisations["titles"]),
            "num": lambda: str(self._chance.randint(1, 400)),
            "num7": lambda: str(self._chance.randint(1_000_000, 9_999_999)),
            "hex4": lambda: self._hexadecimal(4),
            "hex8": lambda: self._hexadecimal(8),
            "kb": self._knowledge_number,
            "year": lambda: str(self._chance.randint(1900, 2030)),
            "date": self._date,
            "time": self._time,
            "phone": lambda: self._digits(
                self._chance.choice(
                    (
                        "+## ### #######",
                        "(###) ###-####",
                        "###-####",
                        "0## ## ## ##",
                        "### ### ###",
                        "ext. ####",
                    )
                )
            ),
            "card": lambda: self._digits(self._chance.choice(("#" * 16, "#### #### #### ####"))),
            "ip": lambda: ".".join(str(self._chance.randint(1, 254)) for _ in range(4)),
            "ver": lambda: ".".join(str(self._chance.randint(0, 40)) for _ in range(3)),
            "amount": lambda: self._chance.choice(("$#,###", "€ ##.##", "### EUR", "£##")).replace(
                "#", str(self._chance.randint(1, 9))
            ),
            "email": self._email,
            "user": self._user,
            "host": self._host,
            "word": self._word,
            "Word": lambda: self._word().capitalize(),
            "Term": lambda: self._chance.choice(self._lists.technical["term"]).capitalize(),
            "Tw": lambda: self._word().capitalize(),
            "CODE": lambda: self._word().upper(),
            "lc_words": self._words,
            "sentence": self._words,
            "Sentence": lambda: self._words().capitalize(),
            "SENTENCE": lambda: self._words().upper(),
            "worktitle": self._title,
        }
        return {
            **{slot: _labelled(make, label) for slot, (label, make) in named.items()},
            **{slot: _labelled(make, "") for slot, make in plain.items()},
        }

    def _word(self) -> str:
        """Return an ordinary word, at times misspelled or one that nobody knows."""
        chance = self._chance
        word = chance.choice(self._common)
        makers: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.55, lambda: word),
            (0.68, lambda: self._derive(word)),
            (0.80, lambda: word + chance.choice(self._tails)),
            (0.85, lambda: "".join(chance.choices(ascii_uppercase, k=chance.randint(2, 5)))),
            (0.89, lambda: word.capitalize() + chance.choice(self._common).capitalize()),
            (0.93, lambda: word[: chance.randint(1, 4)] + chance.choice(_ENDINGS_OF_PROGRAMS)),
            (0.95, lambda: _leave_out(word, chance.randrange(len(word)))),
            (0.98, lambda: word + chance.choice(self._common)),
            (1.00, self._babble),
        )
        drawn = chance.random()
        return next(make for limit, make in makers if drawn < limit)()

    def _babble(self) -> str:
        return "".join(
            self._chance.choice(_CONSONANTS if number % 2 else _VOWELS)
            for number in range(self._chance.randint(3, 8))
        )

    def _derive(self, word: str) -> str:
        """Return a word that English has, or could have, beside another."""
        chance = self._chance
        if chance.random() < 0.6:
            stem = word[:-1] if word[-1] in "ey" and chance.random() < 0.8 else word
            word = stem + chance.choice(_ENDINGS)
        if chance.random() < 0.4:
            word = chance.choice(_BEGINNINGS) + word
        return word

    def _words(self) -> str:
        chance = self._chance
        if chance.random() < 0.3:
            return " ".join(self._word() for _ in range(chance.randint(2, 7)))
        words = chance.choice(self._lists.prose).split()
        start = chance.randrange(max(1, len(words) - 3))
        part = " ".join(words[start : start + chance.randint(3, 12)])
        return part[:1].lower() + part[1:]

    def _title(self) -> str:
        chance = self._chance
        words = [chance.choice(self._lists.technical["titleword"]) for _ in range(3)]
        return chance.choice(
            (
                "The {0} {1}",
                "{0} of the {1}",
                "{0} {1}",
                "{0} and {1}",
                "{0}",
                "My {0} {1}",
                "{0} in the {1}",
                "{0}, {1} and {2}",
                "A {0} for {1}",
            )
        ).format(*words)

    def _digits(self, form: str) -> str:
        return re.sub("#", lambda _: str(self._chance.randint(0, 9)), form)

    def _hexadecimal(self, n_digits: int) -> str:
        digits = self._chance.choice(("0123456789abcdef", "0123456789ABCDEF"))
        return "".join(self._chance.choices(digits, k=n_digits))

    def _date(self) -> str:
        chance = self._chance
        day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1950, 2030)
        name = chance.choice(self._lists.technical["month"])
        return chance.choice(
            (f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year}", f"{day}.{month}.{year}",
             f"{name} {day}", f"{day} {name} {year}", f"{month:02}/{day:02}")
        )  # fmt: skip

    def _time(self) -> str:
        hour, minute = self._chance.randint(0, 23), self._chance.randint(0, 59)
        return f"{hour:02}:{minute:02}" + self._chance.choice(("", ":17", " am", " pm", "h"))

    def _knowledge_number(self) -> str:
        return f"KB{self._chance.randint(100_000, 9_999_999)}"

    def _user(self) -> str:
        given, family = self._people.given().lower(), self._people.family().lower()
        return self._chance.choice(
            (f"{given[0]}{family}", f"{given}.{family}", f"{family}{given[0]}", f"x{family[:3]}07")
        ).replace(" ", "")

    def _email(self) -> str:
        return f"{self._user()}@{self._word()}.{self._chance.choice(('com', 'org', 'de', 'local'))}"

    def _host(self) -> str:
        kind = self._chance.choice(("LAPTOP", "PC", "WS", "NB", "SRV", "DESKTOP", "MBP", "print"))
        return f"{kind}-{self._digits('####')}"


def list_known_words(lists: NameLists) -> set[str]:
    """Return the lower-case words of sentences and of the trade, names left out."""
    texts: list[str] = list(lists.prose)
    for lines in lists.patterns.values():
        for line in lines:
            texts += list_words(parse_pattern(line))
    for values in lists.technical.values():
        texts += values
    for key in ("titles", "kinds", "forms", "words"):
        texts += lists.organisations[key]
    return set(iterate_words(texts))


def iterate_words(texts: Iterable[str]) -> Iterator[str]:
    """Yield the lower-case words of texts."""
    for text in texts:
        for match in re.finditer(r"[^\W\d_]+", text):
            yield match.group().lower()


def _leave_out(word: str, place: int) -> str:
    return word[:place] + word[place + 1 :] or word


def _labelled(make: Callable[[], str], label: str) -> Callable[[], Iterable[Piece]]:
    return lambda: ((make(), label),)


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
