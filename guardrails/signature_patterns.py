# SPDX-License-Identifier: Apache-2.0
"""People whom their place gives away: at the end of a text, in brackets, between bars, by initials.

The words themselves tell less than the place: nothing but a name is written after the last
sentence of a ticket. What prose, products and computing call something is left out.
"""
# ruff: noqa: E501, SIM905 - a regular expression does not read better in pieces

from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.ordinary_words import ORDINARY_WORDS
from guardrails.pattern_parts import (
    FULL_NAME,
    NAME,
    NO_NAME,
    PARTICLE,
    IdentifierPattern,
    patterns,
)
from guardrails.plain_words import is_plain

_LETTERS: Final = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019-][\p{L}\p{M}]+)*")
_MIN_CAPITALS: Final = 6  # fewer are an acronym
# What people write last that is not their name.
_LAST_WORDS: Final = frozenset(
    (
        "asap pls plz please thanks thank thx ty tia regards cheers urgent urgently help fyi eom lol"
        " ok okay sorry bye btw etc done fixed solved closed resolved update updated idk wtf omg"
        " today tomorrow now soon again anyone somebody someone anybody why how what when where who"
        " hello hi hey yes no none nope yep sure great nice same ditto attached screenshot below"
        " above end nothing everything weird strange annoying monday tuesday wednesday thursday"
        " friday saturday sunday danke merci gracias grazie bitte hilfe gruss gru\u00df lg mfg vg"
        " obrigado dzi\u0119ki ideas suggestions advice tips support itsm servicedesk helpdesk"
    ).split()
)
# Capitals that are no initials.
_NO_INITIALS: Final = r"(?!(?:IT|HR|PR|QA|ID|PC|TV|OS|IP|AD|AP|DC|UK|US|EU|UN|AM|PM|TO|ON|IN|AT|VM|VPN|SSD|HDD|USB|DNS|NAS|LAN|WAN|SSO|MFA|CEO|CFO|CIO|CTO|COO|CRM|ERP|SAP|GPO|OU|URL|PDF|DVD|LTE|API|SQL|TLS|SSL|SSH|RDP|FTP|UPS|BT|GP|SD|DR|MS|HP|HQ|L1|P1|NY|LA|SF|DE|FR|ES|AWS|GCP|OWA|MDM|SLA|CAB|PMO|SOC|NOC|RFC|TBD|NA|OK|OLD|NEW|RED|OFF|ALL|ANY|YES|NO|ME|US|HIM|HER|IE|FF|GB|MB|KB|TB|C|D)\b)"
_DOTTED: Final = r"(?!U\.S\.|U\.K\.|U\.N\.|E\.U\.|D\.C\.|A\.M\.|P\.M\.|P\.S\.|P\.O\.|I\.T\.|N\.A\.|E\.G\.|I\.E\.)\p{Lu}\.[ ]?\p{Lu}\."
_TRANSFER: Final = r"(?i:(?:re-?)?assign(?:ed|ing|s)?|transfer(?:red|ring)?|hand(?:ed|ing)?(?:[ -]?over)?|hand-?over|pass(?:ed|ing)?(?:[ ]on)?|escalat(?:ed|ing|ion)|forward(?:ed|ing)?|moved|taken[ ]over|took[ ]over|rerouted|dispatched|delegated|returned|given|owner(?:ship)?[ ](?:changed?|moved|went)|assignee(?:[ ]changed)?|changed)"
_MID: Final = r"(?:[ ](?!from\b|to\b|by\b)[\w#:-]{1,20}){0,4}"
_LOW: Final = r"(?!(?:the|a|an|my|me|our|us|your|you|his|her|him|their|them|it|this|that|to|and|or|but|for|from|in|on|at|as|by|if|is|was|all|any|both|every\w{0,6}|some\w{0,6}|no|not|support|people|users?|team|again|already|before|twice|about|with|via|when|what|how|why|who|where|them|back|over|up|out|off|i|we|he|she|they|which|these|those|so)\b)\p{Ll}[\p{L}\p{M}'\u2019-]{1,20}"
_TELL: Final = r"(?i:told|tell|asked|ask|asking|ping|pinged|cc|cc['\u2019]d|called|call|emailed|email|informed|inform|contacted|reminded|remind|spoke[ ](?:to|with)|talked[ ](?:to|with)|met|thanked|notified|notify|invite|invited|helped|phoned|texted|messaged)"


def _is_strange(word: str) -> bool:
    lower = word.lower()
    if sum(letter.isupper() for letter in word) > 2 and not word.isupper():
        return False
    return not (lower in _LAST_WORDS or lower in ORDINARY_WORDS or is_plain(lower))


def _is_name(text: str) -> bool:
    """Say whether no word of a text is one of prose, computing or products."""
    words = [word for word in _LETTERS.findall(text) if len(word) > 2]
    return bool(words) and all(_is_strange(word) for word in words)


def _has_name(text: str) -> bool:
    """Say whether most of the words of a text are strange; one may be a name and a word."""
    if text.isupper() and len(text) < _MIN_CAPITALS:
        return False
    words = [word for word in _LETTERS.findall(text) if len(word) > 1]
    strange = sum(_is_strange(word) for word in words)
    closes = any(word.lower() in _LAST_WORDS for word in words)
    return 0 < len(words) <= 2 * strange and not closes


SIGNATURES: Final[tuple[IdentifierPattern, ...]] = patterns(
    # after the last sentence: "... error -36. noemi", "... who did that?? /Per", "...\n- tom"
    (
        "PERSON",
        0.8,
        rf"(?:[.!?\u2026)\]:]['\"\u201d)]?[ ]{{1,3}}|(?<![*\u2022-]\s[^\n]{{0,160}})\n[ \t]{{0,8}})(?:[/~*\u2013\u2014-]{{1,2}}[ ]?|//[ ]?)?{NO_NAME}\K{FULL_NAME}(?=[ ]?[.!]?\s{{0,8}}\Z)",
        "",
        _has_name,
    ),
    (
        "PERSON",
        0.8,
        r"(?:[.!?\u2026]['\"\u201d)]?[ ]{1,3}|(?<![*\u2022-]\s[^\n]{0,160})\n[ \t]{0,8})(?:[/~*\u2013\u2014-]{1,2}[ ]?|//[ ]?)?\K\p{Ll}[\p{L}\p{M}'\u2019-]{1,20}(?:[ ]\p{Ll}[\p{L}\p{M}'\u2019-]{1,20})?(?=[ ]?\s{0,8}\Z)",
        "",
        _is_name,
    ),
    ("PERSON", 0.8, rf"[.!?\u2026)][ ]{{0,2}}//?[ ]?\K{NAME}(?=\s{{0,8}}\Z)", "/"),
    # marked as a signature, wherever a line ends: "/Per", "// tom", "-- Anna", "~jo"
    (
        "PERSON",
        0.8,
        rf"(?m)[.!?\u2026,)][ \t]{{0,4}}(?:/{{1,2}}|--?|\u2013|\u2014|~)[ ]?{NO_NAME}\K{NAME}(?:[ ]{NAME}|[ ]\p{{Lu}}\.?)?(?=[ \t]{{0,4}}$)",
        "/ - \u2013 \u2014 ~",
        _is_name,
    ),
    (
        "PERSON",
        0.78,
        r"(?m)[.!?][ \t]{0,4}(?:/{1,2}|--?|\u2013|~)[ ]?\K\p{Ll}[\p{L}\p{M}'-]{1,20}(?=[ \t]{0,4}$)",
        "/ - \u2013 ~",
        _is_name,
    ),
    (
        "PERSON",
        0.8,
        r"[.!?\u2026)][ \t\n]{1,4}(?:/{1,2}|--?|\u2013|~)[ ]?\K\p{Lu}{2,3}(?=\s{0,8}\Z)",
        "/ - \u2013 ~",
    ),
    # in brackets, between bars
    (
        "PERSON",
        0.78,
        rf"(?<=[\w'\u2019]{{2,32}}[ ]\(){NO_NAME}(?=[^)]{{0,80}}\p{{Ll}})(?:{NAME}[ ](?:{PARTICLE}[ ]){{0,2}}{NAME}(?:[ ]{NAME})?)(?=\)|,[ ](?i:ext|tel|it|hr|room|desk|finance|sales|floor))",
        "(",
        _is_name,
    ),
    (
        "PERSON",
        0.8,
        rf"(?<=[\w.)][ ]?[/|;][ ]|[:\t][ ]?){NAME}(?:-{NAME})?,[ ]{NAME}(?:[ ](?:{NAME}|\p{{Lu}}\.))?(?=[ ]?[/|;()\n\t]|[ ][\u2013-][ ]|\s{{0,4}}\Z)",
        ",",
        _has_name,
    ),
    (
        "PERSON",
        0.8,
        rf"(?i:(?:\d|\b(?:no|nr|id|number)\.?)[ ]?(?:[/|,;:\u2013-]|for|of|is|belongs[ ]to)[ ])\K{NAME},[ ]{NAME}(?=[ ]?[/|;().\n\t]|,|\Z)",
        ",",
        _is_name,
    ),
    # initials
    (
        "PERSON",
        0.8,
        rf"(?i:\b{_TRANSFER}{_MID}[ ](?:from|to|by|with|between)[ ]|\b(?:asked|ask|told|cc|per|ping|called|spoke[ ](?:to|with)|done[ ]by|checked[ ]by|approved[ ]by|closed[ ]by|opened[ ]by|created[ ]by|updated[ ]by|worked[ ]by|owner:?|assignee:?|agent:?|engineer:?|technician:?|initials:?|by:|from:|to:)[ ])\K(?:{_DOTTED}|{_NO_INITIALS}\p{{Lu}}{{2,3}}(?=[ ]?[,.;:)\n]|[ ](?i:to|from|and|on|at|because|reason|yesterday|today|who)\b|\Z))",
        "assign transfer hand pass escalat forward moved take took rerout dispatch delegat return given owner change ask told cc per ping call spoke done checked approved closed opened created updated worked agent engineer technician initials by: from: to:",
    ),
    (
        "PERSON",
        0.8,
        rf"(?i:\b{_TRANSFER}{_MID}[ ]from[ ])(?:{_DOTTED}|\p{{Lu}}{{2,3}}|{FULL_NAME})(?i:[ ]to[ ])\K(?:{_DOTTED}|{_NO_INITIALS}\p{{Lu}}{{2,3}}(?![\w-]))",
        "from",
    ),
    # two small words after a verb of telling
    (
        "PERSON",
        0.76,
        rf"(?<![\p{{L}}-]){_TELL}[ ]\K{_LOW}[ ]{_LOW}(?=[ ]?(?:[,.;:!?)\n]|\Z)|[ ](?:already|about|that|to|and|if|yesterday|today|but|twice|again|from|in|at|he|she|this|last|before|on|as|who|for|because|so)\b)",
        "told tell ask ping cc call mail inform contact remind spoke talk met thank notif invite help phone text messag",
        _is_name,
    ),
    (
        "PERSON",
        0.74,
        rf"(?<![\p{{L}}-])(?i:told|asked|ask|pinged|cc['\u2019]?d?|spoke[ ](?:to|with)|talked[ ](?:to|with)|reminded|emailed|phoned|texted|thanks[ ]to)[ ]\K{_LOW}(?=[ ]?(?:[,.;!?)\n]|\Z)|[ ](?:already|about|that|to|and|if|yesterday|today|but|twice|from)\b)",
        "told ask ping cc spoke talk remind mail phone text thanks",
        _is_name,
    ),
)
