# SPDX-License-Identifier: Apache-2.0
"""Look-ups of bash and zsh scripts that carry data away: a name that holds what a command printed.

Whoever serves a domain learns each name that is asked for in it: one below a domain that the script
names, or one that is put to a server which the script names. So do the neighbours, of what is asked
of all of them. A name that is computed in full reaches nobody in particular, but it may hold a
domain: what prints it is known to print addresses and names of machines, or it counts too.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from guardrails.bash_places import Places
from guardrails.bash_words import Word
from guardrails.command_words import make_effect
from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.program_rows import read_names
from guardrails.unix_paths import COMPUTED

_LOOKS_UP: Final = read_names(
    "dig host nslookup getent tracepath traceroute traceroute6 mtr ping ping6 resolvectl nmblookup"
    " ntpq ssh-keyscan finger whois arping avahi-resolve pg_isready sntp showmount rpcinfo lpstat"
)
_TAKES_SERVER: Final = frozenset(("dig", "host", "nslookup", "pg_isready", "whois", "resolvectl"))
# What prints names and addresses of machines; files that hold them are read by what is named so.
_PRINTS_MACHINES: Final = re.compile(
    r"\s*(?:sudo\s+)?(?:ip|route|netstat|nmcli|resolvectl|ipconfig|scutil|networksetup|hostname|uname|hostnamectl|dig|host|getent|who|echo|printf|ss|arp|seq|basename|/usr/sbin/\w+)\b"
    r"|[^|;&]*(?:/etc/(?:resolv\.conf|hosts|krb5\.conf|chrony\S*|ntp\.conf|sssd/\S+)|/var/lib/dhcp)"
)
_PRINTS_DOMAIN: Final = re.compile(
    r"(?:[\\\w$&}\])]\.|[/'\"]\.)[A-Za-z0-9-]+\.[A-Za-z]{2,}(?![\w.-])"
)
_OWN_DATABASES: Final = frozenset(
    ("passwd", "group", "shadow", "services", "protocols", "initgroups")
)
_NAMES_NO_HOST: Final = frozenset(("lpstat", "finger"))
_PART: Final = re.compile(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)|`[^`]*`|\$\{[^{}]*\}|\$\w+|\$[@*]")
_BELOW_DOMAIN: Final = re.compile(rf"{COMPUTED}[^\s/]*[.@][A-Za-z][\w-]*\.?$")
_SERVER: Final = re.compile(r"@?(?:--?[a-z]+=)?[\w-]+(?:\.[\w-]+)+\.?")
# Names that are asked for on the own network, and servers there or that pass a question on.
_LOCAL_NAME: Final = re.compile(
    r"\.(?:local|lan|internal|intranet|localdomain|localhost|arpa|test|invalid)\.?$", re.IGNORECASE
)
_LOCAL_SERVER: Final = re.compile(
    r"@?(?:10|127|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+"
    r"|@?(?:8\.8\.8\.8|8\.8\.4\.4|1\.1\.1\.1|1\.0\.0\.1|9\.9\.9\.9)"
)


def judge_lookups(node: Any, name: str, words: Sequence[Word], places: Places) -> list[Effect]:
    """Return the data that a look-up sends, if any."""
    if name not in _LOOKS_UP or (name == "getent" and not _asks_for_host(words)):
        return []
    texts = [places.list_texts(_as_text(word), node) for word in words]
    computed = [each for spelled in texts for each in spelled if COMPUTED in each]
    reaches_owner = any(
        _BELOW_DOMAIN.search(each) and not _LOCAL_NAME.search(each) for each in computed
    )
    asks_server = name in _TAKES_SERVER and any(
        _SERVER.fullmatch(each) and not _LOCAL_SERVER.fullmatch(each) and _is_server(name, each)
        for spelled in texts
        for each in spelled
    )
    printers = {each for word in words for each in _list_printers(word, node, places)}
    may_hold_domain = name not in _NAMES_NO_HOST and any(
        not _PRINTS_MACHINES.match(each) or _PRINTS_DOMAIN.search(each) for each in printers
    )
    sends = reaches_owner or may_hold_domain or (computed and asks_server)
    if not sends:
        return []
    return [make_effect(EffectKind.SENDS_DATA, EffectSeverity.MEDIUM, node)]


def _list_printers(word: Word, node: Any, places: Places) -> Iterator[str]:
    """Yield the commands that print a part of a word, also through a pipe and xargs."""
    if word.value is None and not re.search(r"[$`]", word.raw):
        yield from places.list_writers(node)
    elif word.value is None:
        for part in _PART.findall(word.raw):
            yield from places.list_printers(part, node)


def _asks_for_host(words: Sequence[Word]) -> bool:
    """Say whether a data base that getent asks may be one of the network's."""
    database = next((word for word in words if not (word.value or "").startswith("-")), None)
    return database is None or database.value is None or database.value not in _OWN_DATABASES


def _is_server(name: str, word: str) -> bool:
    return name != "dig" or word[:1] == "@"


def _as_text(word: Word) -> str:
    return word.raw if word.value is None else word.value.replace("$", "").replace("`", "")
