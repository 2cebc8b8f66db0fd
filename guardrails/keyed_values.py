# SPDX-License-Identifier: Apache-2.0
"""Values whose key says what they are: `"hostname": "x"`, `"passwords": ["a", "b"]`.

They are masked whole, in lists and objects too, and wherever else the document has them as words:
a password that an object gives away may stand in a log beside it.
"""
# ruff: noqa: E501 - a table of words

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from guardrails.pattern_parts import PSEUDONYM
from guardrails.sanitise import plain_text
from guardrails.vocabulary import is_english

# By the letters of a key in lower case: `serial_number`, `serialNumber` and `Serial-Number` are one.
_KEYS: Final[dict[str, str]] = {
    key: entity
    for entity, keys in {
        "HOST": "hostname computername machinename devicehostname localhostname nodename",
        "USERNAME": "user userid username login loginname logonname samaccountname loggedinuser lastuser primaryuser",
        "EMAIL": "upn userprincipalname email mail emailaddress",
        "PERSON": "displayname fullname givenname surname firstname lastname employeename",
        "SERIAL": "serialnumber assettag",
        "SSID": "ssid",
        "IP": "ipaddress ipv4address ipv6address",
        "MAC": "macaddress bssid",
        "PHONE": "phone phonenumber telephonenumber mobilephone",
        "DATE": "dateofbirth birthdate dob",
        "SECRET": "password passwords passwd pwd passphrase passcode secret secrets clientsecret sharedsecret token tokens accesstoken refreshtoken sessiontoken bearertoken authtoken apikey apikeys privatekey secretkey recoverykey bitlockerkey credential credentials psk wifikey wifipassword",
    }.items()
    for key in keys.split()
}  # fmt: skip
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_MIN_REPEATED: Final = 4  # a shorter value, or a word, is in too many texts


def entity_of_key(key: str) -> str | None:
    """Return what the values under a key are, None where it does not say."""
    letters = _LETTERS.sub("", key.lower())
    return _KEYS.get(letters) or _KEYS.get(letters.removesuffix("s"))


def keep_entity(entity: str | None, key: str) -> str | None:
    """Return what a value is under a key inside of an object whose own key says `entity`."""
    return entity_of_key(key) or (entity if entity == "SECRET" else None)


def list_keyed(value: Any, entity: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (entity, value) of all strings under such keys, in the order of the document."""
    if isinstance(value, str):
        plain = plain_text(value)
        if entity and plain.strip() and not PSEUDONYM.fullmatch(plain):
            yield entity, plain
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from list_keyed(item, keep_entity(entity, str(key)))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from list_keyed(item, entity)


def may_recur(value: str) -> bool:
    """Say whether a value is told from words, so that it is masked elsewhere, too."""
    stripped = value.strip()
    return len(stripped) >= _MIN_REPEATED and not (
        stripped.isalpha() and is_english(stripped.lower())
    )
