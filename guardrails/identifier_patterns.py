# SPDX-License-Identifier: Apache-2.0
r"""What identifiers of people and machines look like in tickets, logs and telemetry.

Regular expressions of the `regex` library; `\K` drops the context before it from the match. Every
repetition is bounded, so that hostile text costs linear time. Higher scores win overlaps.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from dataclasses import dataclass
from typing import Final

LANGUAGE: Final = "en"
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
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierPattern:
    """One form of one entity.

    Attributes:
        entity: the pseudonym's kind, for instance USERNAME.
        expression: what the whole match looks like, after the context.
        score: 0 to 1; the higher wins where two overlap.

    """

    entity: str
    expression: str
    score: float


_NAME: Final = r"\p{Lu}[\p{L}'\u2019-]{1,30}"
_FULL_NAME: Final = rf"{_NAME}(?:[ ]\p{{Lu}}\.)?(?:[ ](?:(?:van|von|de|der|den|da|di|la|el|al|bin)[ ]){{0,2}}{_NAME}){{0,3}}"
_TWO_NAMES: Final = rf"{_NAME}(?:[ ]\p{{Lu}}\.)?(?:[ ](?:(?:van|von|de|der|den|da|di|la|el|al|bin)[ ]){{0,2}}{_NAME}){{1,3}}"
_IS: Final = r"(?:[ \t]{0,3}(?:[:=#]|is|was)[ \t]{0,3}|[ \t]{1,3})[\"'`(]?"
_EQUALS: Final = r"[ \t]{0,3}[:=][ \t]{0,3}[\"'`]?"
_RDN: Final = r"(?:CN|OU|DC|UID|O|L|ST|C)=[^,;=\"\n]{1,64}"
_DEVICE_WORD: Final = (
    r"(?:LT|LAP|LAPTOP|NB|PC|WS|WKS|WKST|DT|DSK|DESKTOP|SRV|SVR|DC|FS|MBP|IMAC|TAB|VDI|PRN|PRT|WIN)"
)
_CREDENTIAL_WORD: Final = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|client[_-]?secret|(?:api|access|account|private)"
    r"[_ -]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|session[_-]?token|token"
    r"|recovery key|sig|psk|pre-?shared key|wi-?fi (?:key|password)|pin)"
)
_STATE_WORD: Final = (
    r"(?:expired|required|incorrect|invalid|wrong|reset|changed|none|null|empty|yes|no|true|false"
    r"|not|missing|unknown|locked|disabled|enabled|active|if|for|the|and|or|in|get-\w{1,40}|denied|failed|rejected|revoked|\[redacted\]|\*+)"
)

PATTERNS: Final[tuple[IdentifierPattern, ...]] = tuple(
    IdentifierPattern(entity=entity, expression=expression, score=score)
    for entity, score, expression in (
        # --- secrets
        (
            "SECRET",
            1.0,
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{1,16384}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
        ),
        ("SECRET", 1.0, r"\beyJ[\w-]{8,4096}\.[\w-]{4,8192}\.[\w-]{0,2048}"),
        ("SECRET", 1.0, r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        (
            "SECRET",
            1.0,
            r"\b(?:gh[pousr]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,64}|xox[abeprs]-[\w-]{10,255}|sk-[\w-]{20,255}|AIza[\w-]{30,60}|hvs\.[\w-]{20,255}|npm_\w{30,60})",
        ),
        ("SECRET", 1.0, r"(?<![\d-])\d{6}(?:-\d{6}){7}(?![\d-])"),  # BitLocker recovery key
        ("SECRET", 0.95, r"\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}\b"),  # product key
        ("SECRET", 0.95, r"(?i:\b(?:bearer|basic)[ ]+)\K[\w.~+/=-]{8,4096}"),
        ("SECRET", 1.0, r"://[^\s/:@]{1,128}:\K[^\s/@]{1,256}(?=@)"),
        (
            "SECRET",
            0.92,
            rf"(?i:(?<![a-z]){_CREDENTIAL_WORD}\"?{_EQUALS})(?!(?i:{_STATE_WORD})\b)\K[^\s\"'`,;&<>]{{3,512}}",
        ),
        (
            "SECRET",
            0.9,
            rf"(?i:\b{_CREDENTIAL_WORD} (?:is|was|to)[ :]{{1,2}}[\"'`]?)(?=[^\s\"'`]{{0,64}}[\d!@#$%^&*])\K[^\s\"'`,;<>]{{4,128}}(?<![.])",
        ),
        ("SECRET", 0.9, rf"(?i:(?<!\S)--?{_CREDENTIAL_WORD}[ ])\K[^\s\"'`-][^\s\"'`]{{2,256}}"),
        ("USERNAME", 0.95, r"://\K[^\s/:@]{1,128}(?=:[^\s/@]{1,256}@)"),
        (
            "PERSON",
            0.82,
            rf"(?m)(?:^|[;|])[ \t]*(?i:cc|from|to|attn|name)[ ]?:[ ]{{1,2}}[\"']?\K{_TWO_NAMES}",
        ),
        # --- directory identities
        ("SID", 0.95, r"\bS-1-(?:5-21|12-1)(?:-\d{1,10}){3,5}\b"),
        (
            "DN",
            0.995,
            rf"(?i)\b(?=(?:[A-Z]{{1,6}}=[^,;=\"\n]{{1,64}},[ ]?){{0,12}}(?:OU|DC|UID)=)(?:{_RDN},[ ]?){{1,12}}(?:CN|OU|DC|UID|O|L|ST|C)=[^,;=\"\s]{{1,64}}(?<![.])",
        ),
        (
            "EMAIL",
            0.995,
            r"(?<![\w.+%'-])[\w+%'][\w.+%'-]{0,63}@(?:[\w-]{1,63}\.){1,8}(?!(?:service|socket|timer|target|mount|slice|scope|path|device|swap)\b)\p{L}{2,24}(?![\w-])",
        ),
        (
            "UNC_PATH",
            0.995,
            r"(?<![\\\w:])\\\\(?![?.]\\)[\w.$-]{1,64}(?:\\[^\s\\/:*?\"<>|]{1,128}){1,16}",
        ),
        (
            "USERNAME",
            0.85,
            r"(?<![\\\w:.%-])(?!(?:HKLM|HKCU|HKCR|HKU|HKCC|HKEY_\w{1,30}|SOFTWARE|SYSTEM|SAM|SECURITY|HARDWARE|WINDOWS|BUILTIN|NT)\\)[A-Z][A-Z0-9-]{1,14}\\[A-Za-z][\w.-]{1,62}\$?(?<![.-])(?![\w\\])",
        ),
        (
            "USERNAME",
            0.85,
            r"(?i:\b(?:user|account|login|logon|as)(?:name)?[ ]{0,2}[:=]?[ ]{0,2}[\"']?)\K[a-z][a-z0-9-]{1,14}\\[a-z][\w.-]{1,62}(?![\w\\])",
        ),
        # --- paths that hold a user's name
        (
            "USERNAME",
            0.88,
            r"(?i:(?:\b[a-z]:)?(?<!\w\.)[\\/]{1,2}(?:users|documents and settings)[\\/]{1,2})(?!(?i:public|default|all users|shared|default user|guest|administrator|localized|%|\$|<|\{|\*))\K(?:[^\s\\/:*?\"'<>|,;]{1,64}(?:[ ][^\s\\/:*?\"'<>|,;]{1,32}){1,3}(?=[\\/])|[^\s\\/:*?\"'<>|,;()]{1,64}(?<![.]))",
        ),
        (
            "USERNAME",
            0.88,
            r"(?<![\w.])/(?:home|media|run/media|export/home|var/spool/mail|var/mail|var/spool/cron/crontabs)/(?!(?:linuxbrew|lost\+found|cdrom|usb|floppy|root)\b|[.$<{*%])\K[^\s/:*?\"'<>|,;()\[\]]{1,64}(?<![.])",
        ),
        # --- names in context
        (
            "USERNAME",
            0.8,
            rf"(?i:\b(?:user(?:[ _-]?(?:name|id))?|account(?:[ _-]name)?|login|logon|upn|samaccountname|ruser|logname|owner){_EQUALS})(?!(?i:{_STATE_WORD}|root|system|admin|administrator|daemon|nobody|local|network|name|id|n/a)\b)\K[\w.@+-]{{2,64}}(?<![.])",
        ),
        (
            "USERNAME",
            0.8,
            r"(?i:\b(?:for|of|by|from|invalid|unknown|as)[ ](?:(?:invalid|illegal|unknown|the)[ ])?user[ ][\"']?)(?!(?i:root|system|admin|administrator|daemon|nobody|name|account|profile|accounts|profiles|data|is|was|from|and|or|to|the|at|on|in|with|who|that|has|can|cannot|input|interface|session|sessions|mode|settings|experience|error|reports?)\b)\K[\w.+-]{2,64}(?<![.])",
        ),
        ("USERNAME", 0.75, r"(?i:\buser[ ][\"'])\K[\w.@+ -]{2,64}(?=[\"'])"),
        ("USERNAME", 0.75, r"(?i:\buser[ ])\K(?=[a-z._-]{0,31}\d)[a-z][a-z0-9._-]{2,31}\b"),
        (
            "PERSON",
            0.85,
            rf"(?i:\bmy[ ](?:full[ ])?name(?:[ ]is|['\u2019]s)[ ]){{1}}\K{_FULL_NAME}",
        ),
        (
            "PERSON",
            0.85,
            r"(?i:\bmy[ ](?:full[ ])?name(?:[ ]is|['\u2019]s)[ ])\K[a-z][a-z'-]{1,30}(?:[ ](?!(?:and|but|from|i|my|the|in|at|with|on|here)\b)[a-z][a-z'-]{1,30})?",
        ),
        (
            "PERSON",
            0.8,
            rf"(?i:\b(?:i['\u2019]?m|i am|this is|it['\u2019]s)[ ])\K{_TWO_NAMES}(?=[ ]?(?:[,.;!\n]|\Z|from|in|at|and|here|with|on)\b?)",
        ),
        (
            "PERSON",
            0.85,
            rf"(?i:\b(?:(?:best|kind|warm|many)[ ](?:regards|wishes|thanks)|regards|sincerely|cheers|thanks|thank you|best|yours(?:[ ]truly)?|many thanks|br|rgds)[ ]?[,.!\u2013-]?[ ]?\s{{0,4}})(?!(?i:the|for|in|team|support|help|it|all|service|so|please)\b)\K{_FULL_NAME}(?=[ \t]*(?:\n|\Z|[,.|(]))",
        ),
        (
            "PERSON",
            0.82,
            rf"(?i:\b(?:user|caller|customer|colleague|coworker|employee|manager|requester|contact(?:[ ]person)?|approver|technician|engineer|requested[ ]by|reported[ ]by|raised[ ]by|opened[ ]by|assigned[ ]to|on[ ]behalf[ ]of|spoke[ ](?:to|with)|display[ _]?name|full[ _]?name|owner)[ ]{{0,2}}[:=]?[ ]{{1,2}}[\"']?)(?!(?i:account|control|profile|state|access|service|portal|windows|microsoft|google|office|apple|mac|linux|the|self|help|command|task|event|device|control|start|settings|device|safe|active|group|local|internet|remote|system|disk|network|print)\b)\K{_TWO_NAMES}",
        ),
        ("PERSON", 0.82, rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?[ ]\K{_FULL_NAME}"),
        (
            "PERSON",
            0.78,
            rf"(?m)^[ \t]*(?i:hi|hello|hey|dear)[ ](?!(?i:team|all|support|help|service|it|there|everyone|folks|desk|sir|madam|colleagues?)\b)\K{_FULL_NAME}(?=[ ]?[,!:\n])",
        ),
        # --- machines
        (
            "HOST",
            0.85,
            r"(?i:\b(?:DESKTOP|LAPTOP|WIN)-)(?=[A-Z0-9]{0,14}\d|[A-Z]{7,11}\b)[A-Z0-9]{6,11}\b",
        ),
        (
            "HOST",
            0.8,
            rf"(?<![\w./\\-])(?:[A-Z0-9]{{2,8}}-)?{_DEVICE_WORD}-?(?:[A-Z]{{2,6}}-?)?\d{{2,6}}(?![\w.]\w|-\w)\b",
        ),
        (
            "HOST",
            0.8,
            r"(?i)(?<![\w.\\-])(?<!(?<![:/])/)(?!localhost\b)(?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}(?:local|lan|internal|corp|intranet|home\.arpa|localdomain)\b(?![\w-]|\.\w)",
        ),
        (
            "HOST",
            0.8,
            rf"(?i:\b(?:host(?:[ _-]?name)?|computer(?:[ _-]?name)?|machine(?:[ _-]?name)?|workstation(?:[ _-]?name)?|nodename|rhost|server[ _-]?name){_EQUALS})(?!(?i:{_STATE_WORD}|localhost|127\.|name)\b)(?=[\w.-]{{0,62}}[A-Za-z])\K[\w][\w.-]{{1,62}}(?<![.])",
        ),
        (
            "HOST",
            0.75,
            r"(?i:\b(?:host(?:name)?|computer|machine|laptop|workstation|server|device|pc)(?:[ ](?:name[d ]?|called|is))?[ ]{1,2}[\"'`(]?)\K(?=[A-Za-z0-9-]{0,30}\d)(?=[A-Za-z0-9-]{0,30}-)[A-Za-z][A-Za-z0-9-]{3,30}\b",
        ),
        (
            "HOST",
            0.8,
            r"\b\p{Lu}[\p{L}]{1,20}(?:['\u2019]s|s)[ -](?:MacBook|iMac|iPhone|iPad|Mac)(?:[ -](?:Pro|Air|mini|Mini|Studio))?(?:-\d{1,2})?(?:\.local)?\b",
        ),
        (
            "HOST",
            0.8,
            r"https?://(?:[^\s/@]{1,128}@)?(?!localhost\b)\K[A-Za-z][A-Za-z0-9-]{1,62}(?=[:/?#\s]|\Z)",
        ),
        (
            "HOST",
            0.7,
            r"(?m)^(?:[A-Z][a-z]{2}[ ]{1,2}\d{1,2}[ ][\d:]{8}|\d{4}-\d\d-\d\dT[\d:.+Z-]{8,24})[ ]\K[A-Za-z][\w.-]{1,62}(?=[ ][\w./-]{1,48}(?:\[\d{1,8}\])?:)",
        ),
        (
            "SERIAL",
            0.85,
            rf"(?i:\b(?:serial(?:[ _-]?(?:number|no\.?|nr\.?|num))?|s/n|service[ ]tag|asset[ ](?:tag|number)){_IS})(?=[A-Z0-9/-]{{0,24}}\d)\K[A-Za-z0-9][A-Za-z0-9/-]{{4,24}}\b",
        ),
        ("SERIAL", 0.8, r"\bSN:[ ]{0,2}\K(?=[A-Z0-9-]{0,24}\d)[A-Z0-9][A-Z0-9-]{4,24}\b"),
        (
            "MAC",
            0.9,
            r"(?i)(?<![0-9a-f:-])(?!(?:(?:ff[:-]){5}ff|(?:00[:-]){5}00))[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}(?![0-9a-f:-])",
        ),
        ("MAC", 0.85, r"(?i)(?<![0-9a-f.])[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}(?![0-9a-f.])"),
        (
            "SSID",
            0.85,
            r"(?i:\b(?:e?ssid|network[ ]name)[ ]{0,2}[:=][ ]{0,2})\K(?:\"[^\"\n]{1,32}\"|[^\s\",;]{1,32})",
        ),
        (
            "SSID",
            0.8,
            r"(?i:\b(?:wi-?fi|wireless|wlan|ssid)(?:[ ](?:network|called|named|is|ssid)){0,2}[ ]{1,2})\K[\"'\u201c][^\"'\u201d\n]{1,32}[\"'\u201d]",
        ),
        # --- people, other
        ("PHONE", 0.8, r"(?<![\w.+-])\+(?:[ ().-]{0,2}\d){8,15}(?![\w])"),
        ("PHONE", 0.8, r"(?<![\w.-])(?:\(\d{3}\)[ ]?|\d{3}[-. ])\d{3}[-.]\d{4}(?![\w.-]\w|\w)"),
        (
            "PHONE",
            0.8,
            rf"(?i:\b(?:phone|telephone|tel|mobile|cell(?:phone)?|fax|call(?:[ ]me)?(?:[ ](?:at|on|back[ ]on))?|reach[ ]me[ ](?:at|on))(?:[ ](?:number|no))?\.?(?:{_IS}))\K\(?\d(?:[ ()/.-]{{0,2}}\d){{6,14}}\b",
        ),
        ("PHONE", 0.8, r"(?i:\b(?:ext(?:ension)?\.?|extn\.?)[ ]{0,2}[:#]?[ ]{0,2})\K\d{3,6}\b"),
        ("SSN", 0.85, r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
        (
            "EMPLOYEE",
            0.85,
            rf"(?i:\b(?:employee|staff|personnel|badge)[ _-]?(?:id|no\.?|number|nr\.?)?{_IS})(?=[A-Z0-9-]{{0,16}}\d)\K[A-Za-z0-9][A-Za-z0-9-]{{2,16}}\b",
        ),
    )
)

# Values under these keys of a JSON object are masked whole: the key says what they are.
KEY_ENTITIES: Final[dict[str, str]] = {
    "hostname": "HOST",
    "host_name": "HOST",
    "computer_name": "HOST",
    "user": "USERNAME",
    "user_id": "USERNAME",
    "username": "USERNAME",
    "upn": "EMAIL",
    "email": "EMAIL",
    "display_name": "PERSON",
    "full_name": "PERSON",
    "serial_number": "SERIAL",
    "ssid": "SSID",
    "ip_address": "IP",
    "mac_address": "MAC",
    "password": "SECRET",
    "token": "SECRET",
}
