# SPDX-License-Identifier: Apache-2.0
"""Look-ups of bash and zsh scripts that carry data away: a name that holds what a command printed.

Whoever serves a domain learns each name that is asked for in it. A name that is computed in full
reaches nobody in particular; one below a domain that the script names, or one that is put to a
server which the script names, reaches its owner.
"""

import re
from collections.abc import Sequence
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
    if name not in _LOOKS_UP:
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
    if not reaches_owner and not (computed and asks_server):
        return []
    return [make_effect(EffectKind.SENDS_DATA, EffectSeverity.MEDIUM, node)]


def _is_server(name: str, word: str) -> bool:
    return name != "dig" or word[:1] == "@"


def _as_text(word: Word) -> str:
    return word.raw if word.value is None else word.value.replace("$", "").replace("`", "")
