# SPDX-License-Identifier: Apache-2.0
r"""What the tables of identifiers are written in: a pattern, and the pieces that many share.

Expressions of the `regex` library; `\K` drops the context before it from the match. No repetition
of what searches a text is without bound, whatever a table says (`bound_repetitions`,
`compile_bounded`), so that hostile text costs linear time.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

LANGUAGE: Final = "en"
# What pseudonyms are given for; anything else in angle brackets is text like any other.
ENTITIES: Final = (
    "ADDRESS", "BANK_ACCOUNT", "CARD", "DATE", "DEVICE_ID", "DN", "DOMAIN", "EMAIL", "EMPLOYEE",
    "HOST", "IBAN", "IP", "LICENCE", "LOCATION", "MAC", "NATIONAL_ID", "ORGANIZATION", "PASSPORT",
    "PERSON", "PHONE", "SECRET", "SERIAL", "SID", "SSID", "SSN", "UNC_PATH", "URL", "USERNAME",
)  # fmt: skip
PSEUDONYM: Final = re.compile(rf"<({'|'.join(ENTITIES)})_(\d{{1,6}})>")
# Accounts that every system has say nothing about a person.
SYSTEM_ACCOUNTS: Final = frozenset(
    [
        "root",
        "admin",
        "administrator",
        "system",
        "guest",
        "user",
        "users",
        "daemon",
        "nobody",
        "bin",
        "sys",
        "www-data",
        "postgres",
        "mail",
        "service",
        "local",
        "network",
        "default",
        "public",
        "shared",
        "test",
        "ubuntu",
        "debian",
        "unknown",
        "staff",
        "wheel",
        "everyone",
        "_mbsetupuser",
        "systemd-network",
        "systemd-resolve",
        "systemd-timesync",
        "sshd",
        "polkitd",
        "messagebus",
        "dbus",
        "gdm",
        "lightdm",
        "avahi",
        "chrony",
        "ntp",
        "syslog",
        "_apt",
        "lp",
        "cups",
        "colord",
        "nginx",
        "apache",
        "mysql",
        "defaultaccount",
        "wdagutilityaccount",
        "owner",
        "operator",
    ]
)
# Of an expression: an escape, a set of characters, a bound, or any other character.
_TOKEN: Final = re.compile(
    r"\\[pP]\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|.", re.DOTALL
)
_MOST_REPETITIONS: Final = 128
_FEWEST: Final = {"*": 0, "+": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierPattern:
    """One form of one entity.

    Attributes:
        entity: the pseudonym's kind, for instance USERNAME.
        expression: what the whole match looks like, after the context.
        score: 0 to 1, a rank set by hand (docs/masking.md): below the analyser's threshold it
            counts only beside a word of `context`. The highest names a stretch that several cover.
        needs: of these lower-case strings at least one is in every match, in what it looks at
            before and after it, or among its context; a cheap test, and of a long text only what
            is near is tried (guardrails.need_places). Empty: always tried.
        check: says of a match whether it is one, for instance by its check digit.
        trim: says how many characters at its beginning are it; 0: none.
        digits: whether every match, or what it looks at, has a digit; as cheap as `needs`.
        context: lower-case words that make the match credible when near.

    """

    entity: str
    expression: str
    score: float
    needs: tuple[str, ...] = ()
    check: Callable[[str], bool] | None = None
    trim: Callable[[str], int] | None = None
    context: frozenset[str] = frozenset()
    digits: bool = False


# --- between a label and its value: "user: x", "user = x", 'user": "x', "user is x", "user x"
IS: Final = (
    r"[\"'`*_]{0,2}(?:[ \t]{0,8}(?:[:=#>|]{1,2}|\b(?:is|was|are|to)\b[ :]?)[ \t]{0,8}|[ \t]{1,3})"
    r"(?:the[ ])?[\"'`(\[*\u201c\u2018]{0,2}"
)
EQUALS: Final = r"[\"'`*_]{0,2}[ \t]{0,8}[:=][ \t]{0,8}[\"'`\[*]{0,2}"

# --- names of people. Scripts without capital letters count as capital.
PARTICLE: Final = r"(?:van|von|de|der|den|da|di|do|dos|du|del|la|le|el|al|bin|ibn|ter|ten|zu|af|y)"
NAME: Final = r"(?:\p{Lu}[\p{L}\p{M}'\u2019-]{1,30}|\p{Lo}[\p{Lo}\p{M}\p{Lm}]{0,15})"
INITIAL: Final = r"(?:\p{Lu}\.)"
MORE_NAMES: Final = rf"(?:[ ]{INITIAL}|[ ](?:{PARTICLE}[ ]){{0,2}}(?!(?:Mrs?|Ms|Dr|Prof)\b){NAME})"
FULL_NAME: Final = rf"(?<!\p{{L}})(?<!\p{{Lu}}\.)(?:{INITIAL}[ ]{{0,1}}){{0,2}}(?:{PARTICLE}[ ](?=\p{{Lu}}))?{NAME}{MORE_NAMES}{{0,4}}"
TWO_NAMES: Final = rf"(?<!\p{{L}})(?<!\p{{Lu}}\.)(?:{NAME}|{INITIAL}){MORE_NAMES}{{1,4}}"
LOWER_NAME: Final = r"\p{Ll}[\p{L}\p{M}'\u2019-]{1,30}"
# Words that no name begins with, where a name could stand.
NO_NAME_ANYWHERE: Final = (
    r"(?!(?i:account|active|all|also|and|any|apple|are|as|at|both|but|can|chrome|colleagues?|command|control|desk|device|disk|edge|event|everybody|everyone|excel|firefox|folks"
    r"|for|from|google|group|guys|hello|help|helpdesk|here|hi|how|i|if|in|internet|is|it|just|linux|local|mac|macos|madam|manager|me|microsoft|my|network|no|not|now|office|on|onedrive|or|our|outlook"
    r"|please|pls|power|print|profile|remote|safe|self|service|settings|sharepoint|sir|so|start|state|support|system|task|team|teams|thanks|that|the|there|they|this|to|today|user|we|what|when|who"
    r"|why|windows|with|word|you|your|zoom)\b)"
)
# The same at the beginning of a word, where names of several words begin: asked less often.
NO_NAME: Final = rf"(?<!\p{{L}}){NO_NAME_ANYWHERE}"
# What may follow "user" or "account" and is no account's name.
NO_ACCOUNT: Final = (
    r"(?!(?i:root|system|admin|administrator|admins?|administrators|daemon|nobody|local|network|name|names|id|ids|n|null|none|nil|true|false|yes|no|unknown|guest|default|public|account|accounts"
    r"|profile|profiles|data|input|interface|session|sessions|mode|settings?|experience|errors?|reports?|reported|says|said|states|is|was|were|has|had|have|can|cannot|can't|could|will|would"
    r"|does|did|do|doesn't|didn't|isn't|wants?|needs?|needed|gets?|got|tries|tried|sees|saw|cant|to|the|a|an|at|on|in|with|who|whose|that|which|this|and|or|of|for|from|by|as|if|when|after|before|while"
    r"|must|may|should|might|not|but|then|than|so|are|be|been|only|also|still|again|already|just|per|via|into|under|over|using|logs?|logged|logging|logon|login|signs?|signed|password|passwords|email|mail|mailbox|group|groups|folder|folders|directory"
    r"|file|files|rights|permissions?|access|control|agent|agents|credentials?|certificates?|domain|device|devices|machine|policy|policies|template|type|types|manager|management|list|info|information|details|level|space|state|status|support|guide|friendly|defined|specific|created|informed|notified|advised|contacted|confirmed|agreed|happy|aware|holders?"
    r"|clicks?|opens?|closes?|enters?|selects?|starts?|stops?|runs?|uses?|used|interaction|intervention|notices?|calls?|called|contacts?|switch(?:es|ing)?|lock(?:s|ed|out)?|unlock(?:s|ed)?|disabled|enabled|expired|expires|missing|deleted|removed|added|service|services|variable|variables|environment|defaults?|shell|home|preferences|library|libraries|launchd|agentsd?|units?|managers?|hive|registry|keys?|objects?|principal|count|limits?|quota|facing|base|side|land|space|now|there|here|it|its|their|they|he|she|we|you|your|my|our|his|her|all|any|each|every|some|other|another|new|same|right|first|last|one|two|both"
    r"|\$|%|<|\{|\*)(?![\w.@-]*\w))"
)
ACCOUNT: Final = r"[\p{L}\d_][\p{L}\d_.@+$-]{1,63}(?<![.@+-])"

# --- machines
DEVICE_WORD: Final = r"(?:LT|LAP|LAPTOP|NB|NBK|NOTEBOOK|PC|WS|WKS|WKST|WORKSTATION|DT|DSK|DESKTOP|SRV|SVR|SERVER|DC|FS|NAS|MBP|MBA|IMAC|TAB|VDI|RDS|PRN|PRT|PRINTER|CLT|CLIENT|KIOSK|HOST|NODE|THIN|ESX|HV|EXCH)"
# First parts of names with numbers that everybody has: updates, standards, tickets, hardware.
NO_HOST: Final = r"(?!(?i:KB|CVE|ISO|RFC|IEEE|AES|SHA|MD|UTF|MS|EN|DIN|USB|DDR|LPDDR|RTX|GTX|RX|HTTP|TLS|SSL|ERR|ERROR|EVENT|EVENTID|ID|INC|REQ|CHG|TKT|TASK|RITM|PRB|JIRA|SR|CASE|TICKET|BUG|WPA|CP|CODE|STOP|COVID|PORT|GUID|UUID|TCP|UDP|IPV|OFFICE|WINDOWS|WIN|MACOS|OSX|ADR|ANSI|AMD|ARM|X|NT|VT|GEN|CAT|LATIN|LEVEL|LINE|PAGE|STEP|VERSION|VER|BUILD|MODEL|TYPE|PART|SECTION|EXIT|SIGNAL|STATUS|MODE|RSA|ECDSA|ED|DSA|CHACHA|GCM|CBC|KERNEL|LINUX|UBUNTU|DEBIAN|FEDORA|RHEL|PYTHON|JAVA|JDK|JRE|LIB)[-_ ]?\d)(?!(?:wl|en|ww)(?:[ops]\d|x[\da-f]{12})[\da-z]{0,8}(?![\w-]))"
HOSTNAME: Final = r"[\p{L}\d][\p{L}\d_-]{1,62}(?:\.[\p{L}\d-]{1,63}){0,6}(?<![-.])"

# --- what a credential is called, and what may follow that is none
CREDENTIAL_WORD: Final = (
    r"(?:pass(?:word|wort|wd|phrase|code|key)?|pwd|pswd|psw|pw|kennwort|mot[ ]de[ ]passe|contrase\u00f1a|senha|has\u0142o|\u043f\u0430\u0440\u043e\u043b\u044c|wachtwoord|l\u00f6senord"
    r"|client[_ -]?secret|secret(?:[_ -]?key)?|(?:api|access|account|private|shared|storage|license|licence|product|security|network|encryption|subscription|instrumentation)[_ -]?key|key[ ]content|auth[_-]?token|access[_-]?token|refresh[_-]?token|session[_-]?token|bearer[_-]?token|id[_-]?token|token"
    r"|recovery[ ](?:key|password|code)|unlock[ ](?:key|code)|sig|psk|pre-?shared[ ]key|(?:wi-?fi|wlan|wireless|wpa2?)[ -](?:key|password|pw|pass|passphrase|code)|pin(?:[ ]code)?|credentials?|creds)"
)
STATE_WORD: Final = (
    r"(?:expired|expires|expiring|required|incorrect|invalid|wrong|reset|changed|change|none|null|empty|yes|no|true|false|not|missing|unknown|locked|disabled|enabled|active|if|for|the|and|or|in|on|of|is|was|to|a|an|it|my|your|get-\w{1,40}|denied|failed|rejected|revoked"
    r"|accepted|refused|correct|ok|good|bad|weak|strong|too|about|already|never|always|still|now|again|ask\w{0,3}|prompt\w{0,3}|works?|working|must|should|will|can\w{0,3}|has|have|does\w{0,3}|did\w{0,3}|\[redacted\]|\*+)"
)


def patterns(
    *rows: tuple[object, ...], trim: Callable[[str], int] | None = None, digits: bool = False
) -> tuple[IdentifierPattern, ...]:
    """Return patterns from rows (entity, score, expression, needs, check, context).

    `needs` and `context` are strings of words between spaces; what follows the expression may be
    left out. `trim` and `digits` are of all.
    """
    return tuple(replace(_pattern(*row), trim=trim, digits=digits) for row in rows)  # type: ignore[arg-type]


def bound_repetitions(expression: str) -> str:
    r"""Return an expression in which `*`, `+` and `{n,}` repeat 128 times at most, or n.

    Without a bound, an expression that begins anywhere goes on to the end of a long run from each
    of its characters.

    >>> bound_repetitions(r"[*+]\*+x*?y{3,}")
    '[*+]\\*{1,128}x{0,128}?y{3,128}'
    """
    pieces: list[str] = []
    was_repeated = False
    for part in _TOKEN.findall(expression):
        is_open = part in _FEWEST or part.endswith(",}")
        is_repetition = is_open and not was_repeated
        was_repeated = is_repetition or part == "?" or part.startswith("{")
        pieces.append(_bound(part) if is_repetition else part)
    return "".join(pieces)


def compile_bounded(expression: str) -> Any:
    """Return an expression of the `regex` library in which no repetition is without bound."""
    return regex.compile(bound_repetitions(expression), regex.VERSION0)


def _bound(repetition: str) -> str:
    fewest = _FEWEST[repetition] if repetition in _FEWEST else int(repetition[1:-2])
    return f"{{{fewest},{max(fewest, _MOST_REPETITIONS)}}}"


def _pattern(
    entity: str, score: float, expression: str, needs: str = "",
    check: Callable[[str], bool] | None = None, context: str = "",
) -> IdentifierPattern:  # fmt: skip
    return IdentifierPattern(
        entity=entity,
        expression=bound_repetitions(expression),
        score=score,
        needs=tuple(needs.split()),
        check=check,
        context=frozenset(context.split()),
    )
