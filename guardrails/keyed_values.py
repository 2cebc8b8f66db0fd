# SPDX-License-Identifier: Apache-2.0
"""Values whose key says what they are: `"hostname": "x"`, `"passwords": ["a", "b"]`.

They are masked whole, in lists and objects too, and wherever else the document has them as words:
a password that an object gives away may stand in a log beside it.
"""
# ruff: noqa: E501, SIM905 - tables of words

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from guardrails.pattern_parts import ENTITIES, PSEUDONYM
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
_MIN_ENDING: Final = 8  # letters of a key that says what a longer one is; and three shorter ones
_ENDS: Final = re.compile(
    rf"(?:{'|'.join(sorted((key for key in _KEYS if len(key) >= _MIN_ENDING), key=len)[::-1])}|passwd|secret|token|apikey)$"
)
SECRET: Final = "SECRET"  # noqa: S105 - an entity
_SOMEBODY, _MACHINE = "(somebody)", "(machine)"  # what an object is about; no entity by itself
_ABOUT: Final[dict[str, str]] = {
    key: about
    for about, keys in {
        _SOMEBODY: "owner employee person contact customer caller requester requestor manager assignee reporter author approver sender recipient member reportedby assignedto openedby createdby updatedby owners employees people persons contacts customers callers members approvers recipients",
        _MACHINE: "device host computer machine endpoint workstation laptop devices hosts computers machines endpoints workstations laptops",
    }.items()
    for key in keys.split()
}  # fmt: skip
_OF_SOMEBODY: Final[dict[str, str]] = {
    **dict.fromkeys("name first last middle given family full display nickname".split(), "PERSON"),
    **dict.fromkeys("id login account alias nick value".split(), "USERNAME"),
}
_OF_MACHINE: Final = dict.fromkeys(("name", "dnsname", "fqdn"), "HOST")
_PARTS: Final = {
    **dict.fromkeys((_SOMEBODY, "USERNAME", "PERSON"), _OF_SOMEBODY),
    **dict.fromkeys((_MACHINE, "HOST"), _OF_MACHINE),
}
# Keys whose value names another: `{"key": "password", "value": ...}`.
_NAMING: Final = frozenset(
    "key name type kind field label property setting option parameter param variable attribute id k n".split()
)
_NAMED: Final = frozenset(
    "value values val v content default text data string current new old before after".split()
)
_LETTERS: Final = re.compile(r"[^a-z0-9]+")
_MIN_REPEATED: Final = 4  # a shorter value, or a word, is in too many texts


def entity_of_key(key: str) -> str | None:
    """Return what the values under a key are, None where it does not say."""
    letters = _letters(key)
    if found := _KEYS.get(letters) or _KEYS.get(letters.removesuffix("s")):
        return found
    ending = _ENDS.search(letters)  # `dbPassword`, `client_hostname`
    return _KEYS[ending.group()] if ending else None


def _letters(key: Any) -> str:
    return _LETTERS.sub("", str(key).lower())


def entities_of(value: Mapping[Any, Any], entity: str | None) -> Iterator[tuple[Any, str | None]]:
    """Yield (key, what its value is) of an object whose own key says `entity`.

    A key says it, or what the object is about: `{"user": {"name": ...}}`; or another value does:
    `{"name": "password", "value": ...}`.
    """
    named = next(
        (
            found
            for key, item in value.items()
            if isinstance(item, str) and _letters(key) in _NAMING
            and (found := entity_of_key(item))
        ),
        None,
    )  # fmt: skip
    for key in value:
        letters = _letters(key)
        own = entity_of_key(key)
        if SECRET in {entity, own}:
            yield key, SECRET
        elif named and letters in _NAMED:
            yield key, named
        else:
            yield key, own or _PARTS.get(entity or "", {}).get(letters) or _ABOUT.get(letters)


def list_keyed(value: Any, entity: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield (entity, value) of all strings under such keys, in the order of the document."""
    if isinstance(value, str):
        plain = plain_text(value)
        if is_masked_under(entity, plain):
            yield str(entity), plain
    elif isinstance(value, Mapping):
        for key, said in entities_of(value, entity):
            yield from list_keyed(value[key], said)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from list_keyed(item, entity)


def is_masked_under(entity: str | None, plain: str) -> bool:
    """Say whether a string is masked whole, given what its key says."""
    return entity in ENTITIES and bool(plain.strip()) and not PSEUDONYM.fullmatch(plain)


def may_recur(value: str) -> bool:
    """Say whether a value is told from words, so that it is masked elsewhere, too."""
    stripped = value.strip()
    return len(stripped) >= _MIN_REPEATED and not (
        stripped.isalpha() and is_english(stripped.lower())
    )
