# SPDX-License-Identifier: Apache-2.0
"""Names of places and organisations, and addresses, by chance: half of the towns are in no list."""

import random
from collections.abc import Callable, Sequence
from typing import Final

from guardrails.name_lists import NameLists
from guardrails.name_people import People, join_pieces

_COMMON_SHARE: Final = 0.35  # of the words in names of organisations: any word may be one


class Places:
    """Makes names of places, streets and whole addresses."""

    def __init__(self, lists: NameLists, chance: random.Random, people: People) -> None:
        self._lists = lists
        self._chance = chance
        self._people = people
        self._cultures = sorted(lists.towns)

    def country(self) -> str:
        """Return a country."""
        return self._chance.choice(self._lists.places["countries"])

    def town(self, culture: str | None = None) -> str:
        """Return a composed town."""
        chance = self._chance
        pieces = self._lists.towns[culture or chance.choice(self._cultures)]
        start, end = chance.choice(pieces["starts"]), chance.choice(pieces["ends"])
        if start.endswith("~"):
            return f"{start[:-1]} {end.capitalize()}" if chance.random() < 0.8 else start[:-1]
        name = join_pieces(start, end)
        drawn = chance.random()
        if drawn < 0.05:
            return f"{chance.choice(('North', 'South', 'East', 'West', 'Upper', 'New', 'Lake', 'Fort', 'Mount', 'Port'))} {name}"  # noqa: E501
        if drawn < 0.08:
            start = chance.choice(pieces["starts"]).rstrip("~")
            other = join_pieces(start, chance.choice(pieces["ends"]))
            return f"{name} {chance.choice(('am', 'an der', 'on', 'upon', 'di', 'de', 'del', 'sur', 'nad', 'la', 'do', 'under', 'in'))} {other}"  # noqa: E501
        return name

    def city(self) -> str:
        """Return a known city, or a composed town."""
        known = self._chance.random() < 0.5
        name = self._chance.choice(self._lists.places["cities"]) if known else self.town()
        return name.upper() if self._chance.random() < 0.04 else name

    def any(self) -> str:
        """Return a country, a city, a region, or a city with what it lies in."""
        chance = self._chance
        drawn = chance.random()
        if drawn < 0.35:
            return self.country()
        if drawn < 0.72:
            return self.city()
        if drawn < 0.85:
            return chance.choice(self._lists.places["regions"])
        if drawn < 0.93:
            return self.town()
        return f"{self.city()}, {self.country() if chance.random() < 0.5 else self._state()}"

    def street(self, culture: str | None = None) -> str:
        """Return a street, mostly with a number."""
        chance = self._chance
        number = self._number()
        drawn = chance.random()
        culture = culture or chance.choice(self._cultures)
        if drawn < 0.04:
            return f"{chance.choice(('PO Box', 'P.O. Box', 'Postfach', 'Box', 'Postbus', 'Apartado', 'P. O. Box'))} {chance.randint(1, 9999)}"  # noqa: E501
        name = self._street_name(culture)
        before = self._lists.forms[culture] == "after"
        if chance.random() < 0.2:
            before = not before
        if drawn < 0.1:
            return name
        if drawn < 0.2:
            return f"{self._number()} {name} {number}"
        return f"{number} {name}" if before else f"{name} {number}"

    def address(self, separator: str | None = None) -> str:
        """Return a whole address, its parts between `separator` or by chance."""
        chance = self._chance
        if separator is None:
            separator = chance.choice((", ", ", ", ", ", " ", "\n", "\n ", ",\n"))
        if (drawn := chance.random()) < 0.03:
            return self._military(separator)
        if drawn < 0.05:
            return f"the corner of {self.street()} and {self.street()}"
        culture = chance.choice(self._cultures)
        parts = [self.street(culture)]
        glue = chance.choice((separator, " ", ", "))
        if chance.random() < 0.4:
            parts[0] += glue + self._unit()
        parts += self._town_lines(culture)
        return separator.join(parts)

    def _town_lines(self, culture: str) -> list[str]:
        """Return town, state, postcode and country in one of the orders that countries have."""
        chance = self._chance
        town = self.town(culture) if chance.random() < 0.65 else self.city()
        if chance.random() < 0.08:
            town = town.upper()
        post = self.postcode()
        lines = chance.choice((
            [f"{post} {town}"],
            [f"{town} {post}"],
            [town, f"{self._state()} {post}"],
            [town],
            [town, self._state()],
            [town, post],
            [],
        ))  # fmt: skip
        if lines and chance.random() < 0.45:
            has_post = any(post in line for line in lines)
            lines.append(self.country() if has_post else f"{self.country()} {post}")
        return lines

    def line(self) -> str:
        """Return a line that stands in an address below the street, without a town."""
        chance = self._chance
        if chance.random() < 0.6:
            return self._unit()
        if chance.random() < 0.5:
            return self.postcode()
        return f"{chance.choice(('PO Box', 'P.O. Box', 'Postfach'))} {chance.randint(1, 9999)}"

    def _street_name(self, culture: str) -> str:
        chance = self._chance
        word = chance.choice(self._lists.towns[culture]["street"])
        drawn = chance.random()
        if drawn < 0.3:
            base = self._people.family()
        elif drawn < 0.45:
            base = self._people.full()
        elif drawn < 0.7:
            base = self.town(culture)
        elif drawn < 0.85:
            base = chance.choice(self._lists.organisations["words"])
        else:
            base = self._people.given()
        if chance.random() < 0.1:
            return base  # hamlets and some countries have no word for street
        if self._lists.forms[culture] == "joined" and chance.random() < 0.8:
            return base + word
        return f"{word} {base}" if self._lists.forms[culture] == "before" else f"{base} {word}"

    def _number(self) -> str:
        chance = self._chance
        number = str(chance.randint(1, 199 if chance.random() < 0.7 else 9999))
        if chance.random() < 0.04:
            return f"{chance.randint(1, 99)} {number}"
        if chance.random() < 0.1:
            return number + chance.choice(("a", "b", "A", "C", "/2", "-4", " B"))
        return number

    def _unit(self) -> str:
        chance = self._chance
        word = chance.choice(
            (
                "Apt.",
                "Apt",
                "Suite",
                "Flat",
                "Unit",
                "#",
                "Apartment",
                "Floor",
                "Top",
                "Room",
                "Studio",
                "Bldg.",
                "Ste.",
                "Stg.",
            )
        )
        letter = chance.choice("ABCDEX") if chance.random() < 0.1 else ""
        return f"{word} {chance.randint(1, 999)}{letter}"

    def postcode(self) -> str:
        """Return a postcode of one of several countries' forms."""
        chance = self._chance
        form = chance.randrange(8)
        digits = "".join(chance.choices("0123456789", k=6))
        letters = "".join(chance.choices("ABDEGHLNPRSTWY", k=4))
        gap = chance.choice((" ", " ", ""))
        if form < 3:
            return digits[:5]
        return (
            f"{letters[:2]}{digits[0]} {digits[1]}{letters[2:]}",
            f"{digits[:4]}{gap}{letters[:2]}",
            f"{digits[:2]}-{digits[2:5]}",
            digits[:4],
            digits,
        )[form - 3]

    def _state(self) -> str:
        return self._chance.choice(self._lists.places["states"])

    def _military(self, separator: str) -> str:
        chance = self._chance
        if chance.random() < 0.3:
            unit = f"{chance.choice(('USS', 'USNS', 'USCGC', 'USNV'))} {self._people.family()}"
        else:
            kind = chance.choice(("PSC", "Unit", "CMR"))
            comma = chance.choice((",", ""))
            unit = f"{kind} {chance.randint(10, 9999)}{comma} Box {chance.randint(10, 9999)}"
        return (
            f"{unit}{separator}"
            f"{chance.choice(('APO', 'FPO', 'DPO'))} {chance.choice(('AE', 'AP', 'AA'))} "
            f"{chance.randint(9000, 99999):05}"
        )


class Organisations:
    """Makes names of organisations.

    Args:
        lists: our lists.
        chance: the source of randomness.
        people: whose names organisations have.
        places: likewise.
        common: ordinary words.

    """

    def __init__(
        self,
        lists: NameLists,
        chance: random.Random,
        people: People,
        places: Places,
        common: Sequence[str],
    ) -> None:
        self._lists = lists.organisations
        self._common = common
        self._chance = chance
        self._people = people
        self._places = places

    def any(self) -> str:
        """Return the name of an organisation."""
        drawn = self._chance.random()
        forms: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.14, lambda: f"{self._people.family()} {self._pick('forms')}"),
            (0.20, lambda: f"{self._people.family()} {self._pick('kinds')}"),
            (0.26, lambda: f"{self._pick('words')} {self._pick('words')} {self._pick('kinds')}"),
            (0.34, lambda: f"{self._pick('words')} {self._pick('kinds')}"),
            (0.40, lambda: f"{self._coined()} {self._pick('forms')}"),
            (0.58, self._coined),
            (0.66, lambda: f"{self._coined()} {self._pick('kinds')}"),
            (0.74, lambda: f"{self._places.town()} {self._pick('kinds')}"),
            (0.80, self._three),
            (0.85, lambda: f"{self._people.family()} and {self._people.family()}"),
            (0.89, lambda: f"{self._pick('words')}{self._pick('words').lower()}"),
            (0.93, lambda: f"{self._kind_of()} of {self._pick_of()}"),
            (1.0, lambda: f"{self._pick('words')} {self._pick('words')}"),
        )
        return next(make for limit, make in forms if drawn < limit)()

    def _three(self) -> str:
        family = self._people.family
        return f"{family()}, {family()} {self._chance.choice(('and', '&'))} {family()}"

    def _kind_of(self) -> str:
        return self._chance.choice(
            (
                "University",
                "Bank",
                "Department",
                "Museum",
                "College",
                "Ministry",
                "Institute",
                "Friends",
                "House",
                "Council",
                "Port",
                "Chamber",
            )
        )

    def _pick_of(self) -> str:
        if self._chance.random() < 0.5:
            return self._places.city()
        word = self._chance.choice(
            (
                "Arts",
                "Health",
                "Public Works",
                "Commerce",
                "Finance",
                "Better Schools",
                "Safe Roads",
                "Labour",
                "Design",
            )
        )
        return word if self._chance.random() < 0.7 else f"the {word}"

    def _coined(self) -> str:
        name = join_pieces(self._pick("starts"), self._pick("ends"))
        if self._chance.random() < 0.1:
            return name[0] + name[1:].replace(name[-4:], name[-4:].capitalize())
        return name

    def _pick(self, key: str) -> str:
        if key == "words" and self._chance.random() < _COMMON_SHARE:
            return self._chance.choice(self._common).capitalize()
        return self._chance.choice(self._lists[key])
