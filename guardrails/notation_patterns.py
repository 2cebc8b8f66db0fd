# SPDX-License-Identifier: Apache-2.0
"""Values by the notation of the file that they are pasted from: YAML, TOML, XML, pairs, objects.

There a key may stand on another line than its value, or be a value itself: `name: password` and
then `value: ...`. What keys mean is as of guardrails.keyed_values, which reads parsed objects.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.pattern_parts import CREDENTIAL_WORD, patterns

_PREFIX: Final = r"(?:[\w.-]{1,24}(?:[_. -]|(?-i:(?<=[a-z\d])(?=[A-Z]))))?"
_NAMES: Final[dict[str, tuple[str, str]]] = {
    # entity: how such a value is called, what a text has that calls it so
    "SECRET": (
        rf"{_PREFIX}{CREDENTIAL_WORD}s?",
        "pass pwd pw psw kennwort mot contrase senha has\u0142o wachtwoord l\u00f6senord secret key token sig psk pin cred code",
    ),
    "USERNAME": (
        rf"{_PREFIX}(?:user(?:[_ -]?(?:name|id))?|log[io]n(?:[_ -]?(?:name|id))?|account[_ -]?(?:name|id)|sam[_ -]?account[_ -]?name|uid)",
        "user login logon account uid",
    ),
    "HOST": (
        rf"{_PREFIX}(?:host(?:[_ -]?name)?|(?:computer|machine|device|node|server)[_ -]?name)",
        "host computer machine device node server",
    ),
    "PERSON": (
        rf"{_PREFIX}(?:full|display|first|last|given|sur|family|employee|contact)[_ -]?name",
        "name",
    ),
}  # fmt: skip
_KEY_KEY: Final = r"(?:key|name|type|kind|field|label|property|setting|option|param(?:eter)?|variable|attribute|id|k|n|title)"
_VALUE_KEY: Final = r"(?:value|values|val|v|content|default|text|data|string|current|new|old)"
_IS: Final = r"[\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?"
_NEXT: Final = r"[\"']?[ \t]{0,8}[,;]?\s{0,40}[\"']?"
_STATES: Final = r"(?:true|false|null|none|yes|no|\d{1,2}|\*+)"
# Who or what an object is about, and its parts that tell which.
_PEOPLE: Final = r"(?:user|owner|employee|person|contact|customer|caller|requester|requestor|manager|assignee|reporter|author|approver|sender|recipient|member|reported[_ -]?by|assigned[_ -]?to|opened[_ -]?by|primary[_ -]?user|last[_ -]?user|logged[_ -]?in[_ -]?user)s?"
_NAMED: Final = (
    r"(?:(?:full|display|first|last|given|middle|sur|family)?[_ -]?name|first|last|given|family)"
)
_PEOPLE_NEEDS: Final = "user owner employee person contact customer caller request manager assign report author approver sender recipient member opened"
# What stands beside such a name where names stand in a row: no value.
_HEADER: Final = r"(?:user(?:[_ ]?name)?|login|name|e-?mail|host(?:[_ ]?name)?|url|port|server|database|id|value|type|description|notes?|expires?|required|optional|string|text|age|status)\b"
_BEFORE: Final = r"(?<![\p{L}\d$])"


def _make_rows() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for entity, (names, needs) in _NAMES.items():
        value = rf"(?!{_STATES}[\"'\s,<}}])\K[^\"'\n<>]{{1,256}}"
        rows += (
            # "key": "password", "value": "..." in JSON and YAML; <add key="password" value="..."/>
            (
                entity,
                0.9,
                rf"(?i:{_BEFORE}{_KEY_KEY}{_IS}{names}{_NEXT}{_VALUE_KEY}{_IS}){value}",
                needs,
            ),
            # the value before its key
            (
                entity,
                0.9,
                rf"(?i:{_BEFORE}{_VALUE_KEY}[\"'][ \t]{{0,8}}[:=][ \t]{{0,8}}[\"'])\K[^\"'\n<>]{{1,256}}(?=[\"'][ \t]{{0,8}},?\s{{0,40}}[\"']?(?i:{_KEY_KEY}{_IS}{names}[\"']))",
                needs,
            ),
            # <entry key="password">...</entry>; <name>password</name><value>...</value>
            (
                entity,
                0.9,
                rf"(?i:\b{_KEY_KEY}=[\"']{names}[\"'][^<>\n]{{0,80}}>\s{{0,40}}(?:<{_VALUE_KEY}>\s{{0,40}})?|<{_KEY_KEY}>{names}</{_KEY_KEY}>\s{{0,40}}<{_VALUE_KEY}>\s{{0,40}})\K[^<>\n]{{1,256}}",
                needs,
            ),
        )
    return rows


_SECRET_NAMES, _SECRET_NEEDS = _NAMES["SECRET"]
_SECRET_KEY: Final = rf"[\"']?(?i:{_SECRET_NAMES})[\"']?"
_SECRET_END: Final = rf"(?i:(?<!\p{{L}}){CREDENTIAL_WORD}s?)[\"']?"  # of a key, after its prefix

NOTATIONS: Final = patterns(
    *_make_rows(),
    # YAML: a block, folded or not, or a list, whose lines stand further in than its key
    (
        "SECRET",
        0.92,
        rf"(?m)^([ \t]{{0,60}})(?:-[ ]{{1,3}})?{_SECRET_KEY}[ \t]{{0,8}}:[ \t]{{0,8}}(?:[&!][\w!]{{1,40}}[ ]){{0,2}}(?:[|>][+-]?\d?[+-]?)[ \t]{{0,8}}(?:#[^\n]{{0,80}})?\n{{1,3}}\1[ \t]{{1,16}}\K\S[^\n]{{0,512}}(?:\n{{1,3}}\1[ \t]{{1,16}}[^\n]{{1,512}}){{0,63}}",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        rf"(?m)^([ \t]{{0,60}})(?:-[ ]{{1,3}})?{_SECRET_KEY}[ \t]{{0,8}}:[ \t]{{0,8}}\n\1[ \t]{{0,16}}-[ ]\K\S[^\n]{{0,512}}(?:\n\1[ \t]{{0,16}}-[ ][^\n]{{1,512}}){{0,63}}",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        rf"(?m)^([ \t]{{0,60}})(?:-[ ]{{1,3}})?{_SECRET_KEY}[ \t]{{0,8}}:[ \t]{{0,8}}\n{{1,3}}\1[ \t]{{1,16}}\K(?!-[ ])[^\s:]{{3,256}}(?=[ \t]{{0,8}}(?:\n|\Z))",
        _SECRET_NEEDS,
    ),
    # a string in three quotes, or between backticks, on lines of its own
    (
        "SECRET",
        0.92,
        rf"{_SECRET_END}[ \t]{{0,8}}[:=][ \t]{{0,8}}\n?(?i:[rbuf]{{0,2}})(\"\"\"|'''|```|`)\s{{0,40}}\K\S[\s\S]{{0,4000}}?(?=\s{{0,40}}(?:\1|\Z))",
        _SECRET_NEEDS,
    ),
    # a here-document
    (
        "SECRET",
        0.92,
        rf"{_SECRET_END}[ \t]{{0,8}}=[ \t]{{0,8}}(?:\"?\$\(cat[ ]{{0,3}})?<<-?[ ]?[\"']?(\w{{1,32}})[\"']?\n\s{{0,40}}\K\S[\s\S]{{0,4000}}?(?=\n[ \t]{{0,16}}\1)",
        _SECRET_NEEDS,
    ),
    # the only string of a key in JSON, TOML or a program, whatever it looks like
    (
        "SECRET",
        0.9,
        rf"{_BEFORE}[\"'](?i:{_SECRET_NAMES})[\"']\s{{0,40}}(?:[:=]|=>)\s{{0,40}}(?:\[\s{{0,40}})?[\"']\K[^\"'\n]{{1,256}}(?=[\"'])",
        _SECRET_NEEDS,
    ),
    # a string with quotes in it, in the escape of its notation
    (
        "SECRET",
        0.9,
        rf"{_SECRET_END}[ \t]{{0,8}}[:=][ \t]{{0,8}}(?:\"\K(?=[^\"\n]{{0,256}}\\[\"])(?:[^\"\\\n]|\\[^\n]){{1,256}}(?=\")|'\K(?=[^'\n]{{0,256}}'')(?:[^'\n]|''){{1,256}}(?='))",
        _SECRET_NEEDS,
    ),
    # digests of passwords as crypt(3) writes them, and what Oracle's drivers are told
    (
        "SECRET",
        0.95,
        r"(?<![\w$])\$(?:1|2[abxy]|5|6|y|7|apr1|argon2\w{0,2}|scrypt)\$[\w./$=,+-]{8,256}",
        "$",
    ),
    ("SECRET", 0.95, r"(?i:\bjdbc:oracle:\w{1,8}:)\K[\w.$-]{1,32}/[^\s@]{1,64}(?=@)", "jdbc:"),
    # a pair, an element of an array, a list
    (
        "SECRET",
        0.9,
        rf"{_BEFORE}[\"'](?i:{_SECRET_NAMES})[\"'][ \t]{{0,8}},[ \t]{{0,8}}[\"']\K(?!(?i:{_SECRET_NAMES}|{_HEADER})[\"'])[^\"'\n]{{1,256}}(?=[\"'](?!\s{{0,8}}[:=]))",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        rf"{_SECRET_END}(?:\]|\[[\w\"']{{1,12}}\])?[ \t]{{0,8}}=>[ \t]{{0,8}}[\"'`]\K[^\"'`\n]{{1,256}}(?=[\"'`])|\[[\"':]?(?i:{_SECRET_NAMES})[\"']?\][ \t]{{0,8}}=[ \t]{{0,8}}[\"']?\K[^\s\"'=&;]{{1,256}}|{_SECRET_END}\[\w{{0,12}}\][ \t]{{0,8}}=[ \t]{{0,8}}[\"']?\K[^\s\"'=&;]{{1,256}}",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        rf"{_BEFORE}[\"']?(?i:{_SECRET_NAMES})[\"']?[ \t]{{0,8}}[:=][ \t]{{0,8}}\[\s{{0,40}}\K[\"'][^\[\]]{{1,1000}}[\"'](?=\s{{0,40}},?\s{{0,40}}\])",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        rf"{_BEFORE}[\"'](?i:{_SECRET_NAMES})[\"']\s{{0,8}}:\s{{0,40}}\{{[^{{}}]{{0,200}}?[\"'](?i:{_VALUE_KEY})[\"']\s{{0,8}}:\s{{0,8}}[\"']\K[^\"'\n]{{1,256}}(?=[\"'])",
        _SECRET_NEEDS,
    ),
    # an element of XML, on lines of its own or as it is
    (
        "SECRET",
        0.9,
        rf"(?i:<(?:\w{{1,24}}:)?{_SECRET_NAMES}(?:[ ][^<>\n]{{0,80}})?>)\s{{0,40}}(?:<!\[CDATA\[\s{{0,40}})?\K[^\s<>\]][^<>\]]{{0,512}}",
        _SECRET_NEEDS,
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\bConvertTo-SecureString(?:[ ]-String)?[ ])\K[^\s\"'$()<>-][^\s\"'()<>]{2,256}(?=[ ])",
        "convertto-securestring",
    ),
    # two columns, or a row of a table of settings
    (
        "SECRET",
        0.88,
        rf"(?im)^[|\s]{{0,4}}{_SECRET_NAMES}[ \t]{{0,8}}[,;\t|][ \t]{{0,8}}\K(?!{_SECRET_NAMES}|{_HEADER}|{_STATES})[^\s,;|][^,;\t|\n]{{0,255}}(?=[ \t|]{{0,8}}$)",
        _SECRET_NEEDS,
    ),
    # --- an object about somebody: its names
    (
        "PERSON",
        0.88,
        rf"(?i:{_BEFORE}{_PEOPLE}(?:\.{_NAMED}|\[[\"']?{_NAMED}[\"']?\])[ ]?[=:][ ]?)[\"']?\K[\p{{L}}][^\n\"'&;=,]{{1,64}}",
        _PEOPLE_NEEDS,
    ),
    (
        "PERSON",
        0.88,
        rf"(?=[\"']?(?i:{_NAMED})[\"']?[ \t]{{0,8}}:)(?<=[\"'](?i:{_PEOPLE})[\"']\s{{0,8}}:\s{{0,40}}\[?\s{{0,40}}(?:\{{[^{{}}]{{0,200}}\}}\s{{0,8}},\s{{0,40}}){{0,8}}\{{[^{{}}]{{0,300}})(?<![\w-])[\"']?(?i:{_NAMED})[\"']?\s{{0,8}}:\s{{0,8}}[\"']\K[^\"'\n]{{2,80}}(?=[\"'])",
        _PEOPLE_NEEDS,
    ),
    (
        "USERNAME",
        0.88,
        rf"(?=[\"']?(?i:id|login|alias|nick|account|value)[\"']?[ \t]{{0,8}}:)(?<=[\"'](?i:{_PEOPLE})[\"']\s{{0,8}}:\s{{0,40}}\[?\s{{0,40}}(?:\{{[^{{}}]{{0,200}}\}}\s{{0,8}},\s{{0,40}}){{0,8}}\{{[^{{}}]{{0,300}})(?<![\w-])[\"']?(?i:id|login|alias|nick|account|value)[\"']?\s{{0,8}}:\s{{0,8}}[\"']\K[^\"'\n]{{2,80}}(?=[\"'])",
        _PEOPLE_NEEDS,
    ),
    (
        "PERSON",
        0.88,
        rf"(?im)(?={_NAMED}:[ \t])(?<=^[ \t]{{0,60}}(?:-[ ]{{1,3}})?{_PEOPLE}:[ \t]{{0,8}}\n(?:[ \t]{{1,60}}[^\n]{{0,200}}\n){{0,12}}[ \t]{{1,60}}(?:-[ ]{{1,3}})?){_NAMED}:[ \t]{{1,8}}[\"']?\K[^\n\"'#|>]{{2,80}}",
        _PEOPLE_NEEDS,
    ),
    (
        "PERSON",
        0.88,
        rf"(?im)^\[{{1,2}}[\"']?{_PEOPLE}[\"']?(?:[ .][^\]\n]{{0,40}})?\]{{1,2}}[ \t]{{0,8}}\n(?:[^\[\n][^\n]{{0,200}}\n){{0,8}}?[ \t]{{0,16}}{_NAMED}[ ]?=[ ]?[\"']?\K[^\n\"']{{2,80}}",
        _PEOPLE_NEEDS,
    ),
    (
        "PERSON",
        0.88,
        r"(?i:[\"'](?:first|last|given|sur|family|middle|full|display)[_ -]?name[\"'])\s{0,8}[:=]\s{0,8}[\"']\K[^\"'\n]{2,80}(?=[\"'])",
        "name",
    ),
    (
        "PERSON",
        0.88,
        rf"(?i:<{_PEOPLE}(?:[ ][^<>\n]{{0,80}})?>\s{{0,40}}(?:<\w{{1,24}}>[^<>]{{0,80}}</\w{{1,24}}>\s{{0,40}}){{0,6}}?<{_NAMED}>\s{{0,20}})\K[^<>\n]{{2,80}}",
        _PEOPLE_NEEDS,
    ),
)  # fmt: skip
