# SPDX-License-Identifier: Apache-2.0
"""Identities of people and machines for texts to a helpdesk: seeded, from faker and our schemes."""

# ruff: noqa: E501 - a table of forms

import base64
import random
import string
from typing import Final

from faker import Faker

from guardrails.check_digits import verhoeff_digit

LOCALES: Final = (
    "en_US", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "pl_PL", "it_IT", "nl_NL", "sv_SE",
    "tr_TR", "pt_BR", "cs_CZ", "da_DK", "vi_VN", "ru_RU", "el_GR", "ja_JP", "zh_CN", "en_NG",
)  # fmt: skip
SITES: Final = ("BER", "NYC", "LON", "MUC", "PAR", "SGP", "HQ", "DE01", "US", "BLR", "SYD", "AMS")
DIVISIONS: Final = ("corp", "emea", "ad", "int", "prod", "office", "lab", "hr")
PRIVATE_SUFFIXES: Final = ("local", "corp", "lan", "internal", "intra", "intranet", "home.arpa")
_HEX: Final = "0123456789abcdef"
_KINDS_WITH_DIGITS: Final = frozenset(("ipv6",))


def kind_of(slot: str) -> str:
    """Return what a slot holds: `host2` is a second `host`, `ipv6` is a kind of its own."""
    return slot if slot in _KINDS_WITH_DIGITS else slot.rstrip("0123456789")


class Identities:
    """Makes values of one text; the same slot has the same value within it.

    Args:
        seed: decides all values.

    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - identities, not keys
        locale = LOCALES[seed % len(LOCALES)]
        self._faker = Faker(locale)
        self._faker.seed_instance(seed)
        self._latin = Faker("en_US")
        self._latin.seed_instance(seed + 1)

    def make(self, slot: str) -> str:
        """Return a value for a slot, for instance `host` or, another one, `host2`.

        Raises:
            KeyError: there is no such kind.

        """
        maker = getattr(self, f"_{kind_of(slot)}", None)
        if maker is None:
            raise KeyError(slot)
        value: str = maker()
        return value

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _digits(self, count: int) -> str:
        return "".join(self._random.choice(string.digits) for _ in range(count))

    def _letters(self, count: int, letters: str = string.ascii_uppercase) -> str:
        return "".join(self._random.choice(letters) for _ in range(count))

    # --- people
    def _person(self) -> str:
        return f"{self._faker.first_name()} {self._faker.last_name()}"

    def _first(self) -> str:
        return str(self._faker.first_name())

    def _last(self) -> str:
        return str(self._faker.last_name())

    def _lower_person(self) -> str:
        return f"{self._latin.first_name()} {self._latin.last_name()}".lower()

    def _lower_first(self) -> str:
        return str(self._latin.first_name().lower())

    def _user(self) -> str:
        first, last = self._latin.first_name().lower(), self._latin.last_name().lower()
        return self._pick(
            f"{first[0]}{last}", f"{first}.{last}", f"{last}{first[0]}", f"{first[0]}.{last}",
            f"{first}{self._digits(2)}", f"{self._letters(2, string.ascii_lowercase)}{self._digits(5)}",
            f"{first}_{last}", f"u{self._digits(6)}", f"{last[:5]}{first[:2]}",
        )  # fmt: skip

    def _address(self) -> str:
        text = str(self._faker.address())
        return text if self._random.random() < 0.5 else text.replace("\n", ", ")

    def _dob(self) -> str:
        day = self._latin.date_of_birth(minimum_age=18, maximum_age=70)
        return day.strftime(
            self._pick("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y", "%d/%m/%Y")
        )

    # --- accounts
    def _company(self) -> str:
        name = "".join(c for c in self._latin.last_name().lower() if c.isalpha())
        return name + self._pick("", "corp", "-group", "tech")

    def _email(self) -> str:
        ending = self._pick("com", "de", "co.uk", "io", "org", "example", "com.br", "email")
        return f"{self._user()}@{self._company()}.{ending}"

    def _private_email(self) -> str:
        return f"{self._user()}@{self._private_domain()}"

    def _private_domain(self) -> str:
        lead = self._pick("", f"{self._pick(*DIVISIONS)}.")
        return f"{lead}{self._company()}.{self._pick(*PRIVATE_SUFFIXES)}"

    def _upn(self) -> str:
        return self._pick(self._email(), self._private_email())

    def _netbios(self) -> str:
        return self._pick(self._company().upper().replace("-", "")[:12], "CORP", "EMEA", "ACME")

    def _domain_user(self) -> str:
        domain = self._netbios()
        return f"{self._pick(domain, domain.lower())}\\{self._user()}"

    def _sid(self) -> str:
        numbers = "-".join(str(self._random.randrange(10**8, 4 * 10**9)) for _ in range(3))
        return f"S-1-5-21-{numbers}-{self._random.randrange(1000, 9999)}"

    def _dn(self) -> str:
        domain = ",".join(f"DC={part}" for part in self._private_domain().split("."))
        return f"CN={self._person()},OU={self._pick('Sales', 'Users', 'IT Staff')},{domain}"

    def _unc(self) -> str:
        share = self._pick("projects", "hr$", "Finance", "home")
        rest = self._pick("", f"\\{self._user()}", "\\2024\\budget.xlsx")
        return f"\\\\{self._pick(self._host_short(), self._fqdn())}\\{share}{rest}"

    def _employee(self) -> str:
        return self._pick(self._digits(6), f"E{self._digits(5)}", f"EMP-{self._digits(4)}",
                          self._digits(8))  # fmt: skip

    def _badge(self) -> str:
        return self._pick(
            self._digits(5), f"B-{self._digits(4)}", f"{self._digits(4)}-{self._digits(3)}"
        )

    # --- machines
    def _host(self) -> str:
        site, kind = (
            self._pick(*SITES),
            self._pick("LT", "WS", "PC", "NB", "DT", "WKS", "MBP", "VDI"),
        )
        first = "".join(c for c in self._latin.first_name() if c.isalpha())
        mixed = string.ascii_uppercase + string.digits
        return self._pick(
            f"{site}-{kind}-{self._digits(4)}", f"DESKTOP-{self._letters(6, mixed)}1",
            f"LAPTOP-{self._letters(7, mixed)}4", f"{site}{kind}{self._digits(5)}",
            f"{kind}-{first.upper()[:6]}-{self._digits(2)}", f"{first.lower()}-macbook-pro",
            f"{first}s-MacBook-Air", f"{site.lower()}-{kind.lower()}{self._digits(3)}",
            f"{self._company()[:6].strip('-').upper()}-{self._letters(1)}{self._digits(5)}",
            f"ubuntu-{self._pick('dev', 'build', 'ws')}-{self._digits(2)}", f"ws{self._digits(4)}",
        )  # fmt: skip

    def _host_short(self) -> str:
        return self._pick(
            f"srv-{self._pick('file', 'sql', 'app', 'print')}-{self._digits(2)}",
            f"{self._pick(*SITES).lower()}fs{self._digits(2)}", f"FS{self._digits(2)}",
            f"{self._pick('dc', 'nas', 'exch')}{self._digits(2)}",
        )  # fmt: skip

    def _printer(self) -> str:
        return self._pick(f"PRN-{self._pick(*SITES)}-{self._digits(2)}", f"prt{self._digits(3)}",
                          f"{self._pick(*SITES)}-PRN{self._digits(3)}")  # fmt: skip

    def _fqdn(self) -> str:
        public = f"{self._company()}.{self._pick('com', 'net', 'de', 'io')}"
        return f"{self._pick(self._host_short(), 'vpn', 'mail', 'git')}.{self._pick(self._private_domain(), self._private_domain(), public)}"

    def _ip(self) -> str:
        tail = f"{self._random.randrange(256)}.{self._random.randrange(1, 255)}"
        return self._pick(f"10.{self._random.randrange(256)}.{tail}", f"192.168.{tail}",
                          f"172.{self._random.randrange(16, 32)}.{tail}", self._latin.ipv4_public())  # fmt: skip

    def _ipv6(self) -> str:
        return self._pick(self._latin.ipv6(), f"fe80::{self._letters(4, _HEX)}:{self._digits(3)}:1")

    def _mac(self) -> str:
        pairs = [self._letters(2, _HEX) for _ in range(6)]
        joined = "".join(pairs)
        return self._pick(":".join(pairs), "-".join(pairs).upper(), ":".join(pairs).upper(),
                          f"{joined[:4]}.{joined[4:8]}.{joined[8:]}")  # fmt: skip

    def _serial(self) -> str:
        return self._pick(f"C02{self._letters(4)}{self._digits(2)}{self._letters(3)}",
                          f"PF{self._digits(1)}{self._letters(5, string.ascii_uppercase + '23')}7",
                          f"5CD{self._digits(4)}{self._letters(3)}", f"{self._digits(9)}X1")  # fmt: skip

    def _serial_short(self) -> str:
        return f"{self._letters(2)}{self._digits(1)}{self._letters(3)}{self._digits(1)}"

    def _asset(self) -> str:
        return self._pick(f"IT-{self._digits(5)}", f"AT{self._digits(6)}", self._digits(6),
                          f"INV-{self._digits(4)}-{self._digits(3)}")  # fmt: skip

    def _ssid(self) -> str:
        return self._pick(f"FRITZ!Box {self._digits(4)}", f"{self._company()}-guest", "NETGEAR58",
                          f"{self._latin.last_name()} Home", f"{self._company().title()}_5G")  # fmt: skip

    def _time(self) -> str:
        return self._pick("Feb 11 08:15:22", "2024-02-11T08:15:22.113Z", "Nov  3 17:01:59")

    # --- secrets
    def _password(self) -> str:
        word = self._pick("Summer", "Winter", "Welcome", "Dragon", "Monkey", "Berlin")
        mixed = string.ascii_letters + string.digits + "!#%?*+"
        return self._pick(f"{word}{self._digits(4)}!", f"{word}@{self._digits(2)}",
                          f"{self._letters(7, mixed)}9#x", f"{word.lower()}{self._digits(3)}")  # fmt: skip

    def _wifi_key(self) -> str:
        return self._pick(
            self._digits(16), self._password(), f"{self._letters(4)}-{self._digits(8)}"
        )

    def _pin(self) -> str:
        return self._digits(self._random.choice((4, 6)))

    def _bitlocker(self) -> str:
        return "-".join(self._digits(6) for _ in range(8))

    def _filevault(self) -> str:
        mixed = string.ascii_uppercase + string.digits
        return "-".join(self._letters(4, mixed) for _ in range(6))

    def _api_key(self) -> str:
        mixed = string.ascii_letters + string.digits
        return self._pick(f"sk-{self._letters(40, mixed)}", f"AKIA{self._letters(16)}",
                          f"ghp_{self._letters(36, mixed)}", self._letters(32, _HEX),
                          self._letters(40, mixed))  # fmt: skip

    def _jwt(self) -> str:
        parts = [base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") for text in
                 ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{self._digits(8)}"}}')]  # fmt: skip
        return ".".join((*parts, self._letters(43, string.ascii_letters + string.digits)))

    def _private_key(self) -> str:
        lines = "\n".join(self._letters(64, string.ascii_letters + "+/") for _ in range(3))
        kind = self._pick("RSA ", "OPENSSH ", "")
        return f"-----BEGIN {kind}PRIVATE KEY-----\n{lines}\n-----END {kind}PRIVATE KEY-----"

    # --- numbers
    def _phone(self) -> str:
        return str(self._pick(self._faker.phone_number(), self._latin.phone_number()))

    def _extension(self) -> str:
        return self._digits(self._random.choice((3, 4, 5)))

    def _card(self) -> str:
        number = str(self._latin.credit_card_number(self._pick("visa16", "mastercard", "amex")))
        spaced = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
        return self._pick(number, spaced if len(number) == 16 else number)

    def _iban(self) -> str:
        bank = Faker(self._pick("de_DE", "en_GB", "fr_FR", "nl_NL"))
        bank.seed_instance(self._random.randrange(10**9))
        number = str(bank.iban())
        spaced = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
        return self._pick(number, spaced)

    def _ssn(self) -> str:
        return str(self._latin.ssn())

    def _aadhaar(self) -> str:
        digits = self._pick(*"23456789") + self._digits(10)
        number = digits + verhoeff_digit(digits)
        return self._pick(number, f"{number[:4]} {number[4:8]} {number[8:]}")

    def _pan(self) -> str:
        return f"{self._letters(3)}P{self._letters(1)}{self._digits(4)}{self._letters(1)}"

    def _nino(self) -> str:
        digits = self._digits(6)
        spaced = f"{digits[:2]} {digits[2:4]} {digits[4:]}"
        return self._pick(f"AB{digits}C", f"JG {spaced} A", f"PX {spaced} D")

    def _licence(self) -> str:
        return self._pick(f"{self._letters(1)}{self._digits(7)}", self._digits(9),
                          f"{self._letters(1)}{self._digits(3)}-{self._digits(4)}-{self._digits(4)}")  # fmt: skip

    def _passport(self) -> str:
        return self._pick(f"{self._letters(1)}{self._digits(8)}", self._digits(9),
                          f"{self._letters(2)}{self._digits(7)}")  # fmt: skip
