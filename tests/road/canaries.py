# SPDX-License-Identifier: Apache-2.0
"""Canaries: personal data that stands nowhere else, another for each way in, and their disguises.

A canary found later tells by its name which kind it is and by which way it came in.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

WAYS = (
    "ticket", "webhook", "alert", "form", "report", "receipt", "article", "search", "mark", "label",
    "class", "approve", "reject", "close", "freeze", "import", "login", "address", "refused",
    "enrolment",
)  # fmt: skip
_SYLLABLES = [
    "bavo",
    "deru",
    "filo",
    "guse",
    "hawi",
    "joke",
    "kuza",
    "lemi",
    "mopa",
    "nuti",
    "pola",
    "raxe",
    "sibu",
    "tovu",
    "vawe",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One piece of personal data."""

    way: str
    kind: str
    text: str


def word_of(way: str) -> str:
    """Return a coined surname that belongs to a way alone."""
    number = WAYS.index(way)
    first, second = _SYLLABLES[number % 15], _SYLLABLES[(number * 4 + number // 15 + 7) % 15]
    return f"{first}{second}quist".title()


def known_name(way: str) -> str:
    """Return the name of a person whom the directory has."""
    return f"Tarek {word_of(way)}heim"


def known_user(way: str) -> str:
    """Return that person's user name."""
    return f"t{word_of(way).lower()}heim"


def canaries_of(way: str) -> dict[str, str]:
    """Return a way's canaries by kind: what nobody may find again."""
    word, number = word_of(way), WAYS.index(way)
    low = word.lower()
    return {
        "outsider": f"{word}ov",
        "person of the directory": f"{word}heim",
        "user of the directory": known_user(way),
        "domain user": f"{low}dom",
        "user principal name": f"{low}upn@corp.local",
        "e-mail": f"{low}.mail@example.org",
        "host": f"{low[:4].upper()}-LT-7{number:02d}7",
        "host of the directory": f"qx{low}-{number}",
        "sid": f"S-1-5-21-3623811015-3361044348-303008{number:02d}-1013",
        "windows path": f"{low}win",
        "linux path": f"{low}lin",
        "ip": f"10.77.66.{number + 100}",
        "mac": f"00:1b:44:11:3a:{number + 160:02x}",
        "serial": f"5CG77{number:02d}XQZ",
        "phone": f"+1 415 555 01{number:02d}",
        "token": f"ghp_{word}CANARYcanaryCANARYcanaryCANARY"[:40],
        "password": f"{word}!Pw{number:02d}#x",
        "recovery key": "-".join(f"{number + 10:02d}{group}{group}" for group in range(21, 29)),
    }


def text_of(way: str) -> str:
    """Return a ticket as people write them, with all of a way's canaries."""
    own = canaries_of(way)
    return (
        f"Dear helpdesk, my name is Velda {own['outsider']}. {known_name(way)} has it too, and so\n"
        f"does {own['user of the directory']}. I log in as CORP\\{own['domain user']} or as\n"
        f"{own['user principal name']}; write to {own['e-mail']} or call me at {own['phone']}.\n"
        f"The hostname: {own['host']} with IP {own['ip']}, MAC {own['mac']}, SID\n{own['sid']}.\n"
        f"Serial number: {own['serial']}. {own['host of the directory']} is next to it.\n"
        f"The disk is full, see C:\\Users\\{own['windows path']}\\AppData\\Local\\big.log and\n"
        f"/home/{own['linux path']}/.cache. I tried the token {own['token']} and\n"
        f"password: {own['password']}\nBitLocker recovery key {own['recovery key']}\n"
    )


def line_of(way: str) -> str:
    """Return that text on one line, for fields that take no more."""
    return " ".join(text_of(way).split())


def list_canaries() -> list[Canary]:
    """Return all canaries of all ways."""
    return [
        Canary(way=way, kind=kind, text=text)
        for way in WAYS
        for kind, text in canaries_of(way).items()
    ]


def disguises(text: str) -> Iterator[bytes]:
    """Yield what gives a text away, in lower case: plain, escaped, hex, UTF-16, base64."""
    for form in {text, json.dumps(text)[1:-1], quote(text), quote(text, safe="")}:
        yield form.lower().encode()
    content = text.encode()
    yield content.hex().encode()
    yield text.lower().encode("utf-16-le")
    yield text.lower().encode("utf-16-be")
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + content)
        # Only the characters that depend on the text alone.
        yield encoded[4 if offset else 0 : len(encoded) - 4].lower()


class Search:
    """Finds canaries in bytes."""

    def __init__(self, canaries: list[Canary]) -> None:
        self._needles = [
            (needle, canary) for canary in canaries for needle in set(disguises(canary.text))
        ]

    def find(self, content: bytes) -> set[Canary]:
        """Return the canaries that stand in some bytes, whatever their case and disguise."""
        lowered = content.lower()
        return {canary for needle, canary in self._needles if needle in lowered}
