# SPDX-License-Identifier: Apache-2.0
"""What credentials look like: keys and tokens by their form, passwords by the words before them."""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from typing import Final

from guardrails.pattern_parts import (
    CREDENTIAL_WORD,
    EQUALS,
    STATE_WORD,
    IdentifierPattern,
    patterns,
)
from guardrails.strange_words import is_compound
from guardrails.vocabulary import is_english

_MAX_COMPOUND: Final = 11  # letters
# Any of these is in a text that names a credential.
_NAMED: Final = "pass pwd pw psw kennwort mot contrase senha has\u0142o \u043f\u0430\u0440\u043e\u043b\u044c wachtwoord l\u00f6senord secret key token sig= sig: psk pin cred code"
# A password has a digit or a mark in it, or strange capitals; a word of a sentence has not.
_ODD: Final = r"(?=[^\s\"'`]{0,64}(?:[\d!@#$%^&*+~\\]|\?\w))(?!\$[A-Za-z]|\((?:[A-Z]|\d{1,5}\))|\(?[A-Z][a-z]{2,20}-[A-Z][a-z])"
_VALUE: Final = r"[^\s\"'`\u201c\u201d;<>]{3,256}(?<![.,:)\]])"


def _is_unknown(text: str) -> bool:
    """Say whether a value is no word of prose, nor, while it is short, two put together."""
    lower = text.lower()
    return not (is_english(lower) or (len(lower) <= _MAX_COMPOUND and is_compound(lower)))


SECRETS: Final[tuple[IdentifierPattern, ...]] = patterns(
    (
        "SECRET",
        1.0,
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]{1,16384}?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|\Z)",
        "-----begin",
    ),
    (
        "SECRET",
        1.0,
        r"PuTTY-User-Key-File-\d:[\s\S]{1,16384}?(?:Private-MAC: \w{1,128}|\Z)",
        "putty-user-key-file",
    ),
    ("SECRET", 1.0, r"\beyJ[\w-]{8,4096}\.[\w-]{4,8192}(?:\.[\w-]{0,2048})?", "eyj"),
    ("SECRET", 1.0, r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b", "akia asia aroa aida"),
    (
        "SECRET",
        1.0,
        r"\b(?:gh[pousr]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,64}|xox[abeprs]-[\w-]{10,255}|sk-[\w-]{20,255}|[rs]k_(?:live|test)_\w{16,128}|AIza[\w-]{30,60}|ya29\.[\w-]{20,255}|hvs\.[\w-]{20,255}|npm_\w{30,60}|pypi-[\w-]{16,255}|hf_\w{20,64}|dop_v1_\w{40,80}|shp(?:at|ca|pa|ss)_\w{24,64}|SG\.[\w-]{16,64}\.[\w-]{16,64}|AGE-SECRET-KEY-1\w{50,64})",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat glpat- xox sk- k_live k_test aiza ya29. hvs. npm_ pypi- hf_ dop_v1 shpat shpca shppa shpss sg. age-secret",
    ),
    ("SECRET", 1.0, r"(?<![\d-])\d{6}(?:[- ]\d{6}){7}(?![\d-])"),  # BitLocker recovery key
    (
        "SECRET",
        0.98,
        r"(?<![\w-])[A-Z0-9]{4}(?:-[A-Z0-9]{4}){5}(?![\w-])",
        "-",
    ),  # FileVault recovery key
    (
        "SECRET",
        0.95,
        r"(?<![\w-])(?=[A-Z0-9-]{0,28}\d)[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![\w-])",
        "-",
    ),  # product key
    (
        "SECRET",
        0.95,
        r"(?i:\b(?:bearer|basic|negotiate|ntlm|digest)[ ]+)\K(?=[\w.~+/-]{0,64}[\d=]|[\w-]{16})[\w.~+/=-]{8,4096}",
        "bearer basic negotiate ntlm digest",
    ),
    ("SECRET", 1.0, r"://[^\s/:@]{1,128}:\K[^\s/]{1,256}?(?=@[\w\[])", "@"),
    ("USERNAME", 0.95, r"://\K[^\s/:@]{1,128}(?=:[^\s/]{1,256}?@[\w\[])", "@"),
    # Long random strings: mixed case and several digits.
    (
        "SECRET",
        0.8,
        r"(?<![\w+/=.\\-])(?=[A-Za-z+/_-]{0,40}\d[^\d\s]{0,40}\d)(?=[^\sa-z]{0,40}[a-z])(?=[^\sA-Z]{0,40}[A-Z])(?=\w{0,40}[g-zG-Z])[A-Za-z0-9]{32,128}={0,2}(?![\w/\\.-])",
        "0 1 2 3 4 5 6 7 8 9",
    ),
    # a credential word, a colon or an equals sign, a value
    (
        "SECRET",
        0.92,
        rf"(?i:(?<![a-z]){CREDENTIAL_WORD}{EQUALS})(?!(?i:{STATE_WORD})(?![\w!@#$%^&*-]))\K(?:(?<=[\"'])[^\"'`\n]{{3,128}}(?=[\"'])|[^\s\"'`,;&<>]{{3,512}}(?:(?<=\d{{4}})[ ]\d{{4}}){{0,3}})",
        _NAMED,
    ),
    # "password is x", "password for Y is x", "the wi-fi password of Y is x", "with the password x"
    (
        "SECRET",
        0.9,
        rf"(?i:\b{CREDENTIAL_WORD}[ ](?:(?:for|of|on|to|at|from)[ ][^\n;?]{{1,60}}?[ ])?(?:is|was|are|being|set[ ]to|changed[ ]to|=)[ :]{{1,2}}(?:now[ ]|still[ ])?[\"'`\u201c]?)(?!(?i:{STATE_WORD})(?![\w!@#$%^&*-])){_ODD}\K{_VALUE}",
        _NAMED,
    ),
    (
        "SECRET",
        0.9,
        rf"(?i:\b{CREDENTIAL_WORD}[ ](?:for|of|on|to)[ ][^\n:;!?()]{{1,60}}?[ ]{{0,2}}[:=][ ]{{0,2}}[\"'`\u201c]?)(?!(?i:{STATE_WORD})(?![\w!@#$%^&*-]))\K{_VALUE}",
        _NAMED,
    ),
    (
        "SECRET",
        0.88,
        rf"(?i:(?:\b|/[ ]?|,[ ])(?:pass(?:word|wd|phrase|code|wort)?|pwd|pw|pin|passcode|kennwort|creds?|credentials)[ ]{{1,2}}(?:of[ ])?[\"'`\u201c]?)(?!(?i:{STATE_WORD})(?![\w!@#$%^&*-])){_ODD}\K{_VALUE}",
        _NAMED,
    ),
    (
        "SECRET",
        0.88,
        rf"(?mi:^[ \t]*(?:key|pass|psk)[ ]?[:=][ ]{{1,8}}){_ODD}(?!HKEY|HKLM|HKCU)\K[^\s\"'`,;<>\\]{{8,64}}",
        "key pass psk",
    ),
    # "asks for a password, I tried x", "reset the password, new one should be x"
    (
        "SECRET",
        0.85,
        rf"(?i:\b{CREDENTIAL_WORD}\b[^\n]{{0,80}}?\b(?:tried|typed?|entered|enter|used?|using|try|be|it[ ]is|it['\u2019]s|one[ ]is|new[ ]one|old[ ]one|namely|with)[ :]{{1,2}}[\"'`\u201c]?)(?=[^\s]{{0,40}}\d)(?=[^\s]{{0,40}}[A-Za-z!@#$%^&*+?])(?!(?i:kb\d|0x|v?\d+\.\d|https?:|[A-Z]{{1,4}}-?\d{{1,6}}(?![\w!@#$%])|windows|office|http|error|usb|wpa|\d{{1,4}}(?:st|nd|rd|th|gb|mb|ghz|am|pm|h|min)\b))\K[^\s\"'`<>\\/.:,;()]{{5,64}}",
        _NAMED,
    ),
    (
        "SECRET",
        0.87,
        r"(?i:\b(?:ssid|hotspot|wi-?fi|wlan|wireless|wpa\d?|network)\b[^\n]{0,60}?\b(?:key|code|passphrase|password|pass)[ ]?(?:is|:|=)?[ ]{1,3}[\"'`]?)(?=[^\s]{0,40}\d)\K[^\s\"'`,;<>()]{8,63}(?<![.,:])",
        "key code pass",
    ),
    # of a radio network or a device, with nothing between but a space: a word that nobody knows
    (
        "SECRET",
        0.86,
        r"(?i:\b(?:wpa[23]?|wi-?fi|wlan|wireless|pre-?shared)[ -](?:key|psk|passphrase|password|pw)[ ]|\bpsk[ ])(?:is[ ])?\K[A-Za-z][\w!#$%&*+-]{7,62}(?![\w@\\(]|\.\w)",
        "key psk passphrase password pw",
        _is_unknown,
    ),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:psk|passphrase|passcode|(?:wpa[23]?|wi-?fi|wlan|wireless|pre-?shared)[ -](?:key|password|pw))[ ]{1,2}(?:is[ ])?)[\"\u201c'`]\K[^\"\u201d'`\n]{4,63}(?=[\"\u201d'`])",
        "key psk passphrase passcode password pw",
    ),
    (
        "SECRET",
        0.88,
        rf"(?i:\bsnmp(?:-server|v[123]c?)?[ ](?:(?:ro|rw|read|write|read-only|read-write|the|our)[ ]){{0,2}}community(?:[ ](?:string|name))?(?:[ ](?:is|was))?[ ]?[:=]?[ ]?[\"'`]?)(?!(?i:public|private|strings?|names?|{STATE_WORD})(?!\w))\K[^\s\"'`,;<>]{{4,64}}(?<![.:)])",
        "community",
        _is_unknown,
    ),
    (
        "SECRET",
        0.86,
        rf"(?i:\b(?:code|safe|secret|security|pass)[ -]?word(?:[ ]is|[ ]was|[ ]?:)[ ][\"'`]?)(?!(?i:{STATE_WORD})(?!\w))(?<!(?i:password)[ :\w]{{1,6}}[\"'`]?)\K\p{{L}}{{4,30}}(?=[\"'`]?(?:[.,;!?\n]|[ ]*\Z))",
        "word",
    ),
    (
        "SECRET",
        0.86,
        r"(?i:\b(?:host|meeting|room|webinar)[ ](?:host[ ])?(?:key|passcode)(?:[ ]is|[ ]?[:=])?[ ])\K\d{6,10}(?![\w-])",
        "key passcode",
    ),
    # "name / key", where the key is long
    (
        "SECRET",
        0.85,
        r"(?<=[\w.@-]{2,64}[ ][/|][ ])(?=[A-Za-z_-]{0,64}\d)[A-Za-z0-9_+=-]{24,128}(?![\w./\\-])",
        " / ",
    ),
    (
        "USERNAME",
        0.83,
        r"(?<![\w./\\-])[a-z_\d][\w.-]{2,31}(?=[ ]/[ ](?=[A-Za-z_-]{0,64}\d)[A-Za-z0-9_+=-]{24,128}(?![\w./\\-]))",
        " / /",
    ),
    (
        "SECRET",
        0.9,
        rf"(?i:(?<!\S)(?:--?|/){CREDENTIAL_WORD}[ :=])(?!\$[A-Za-z]|\([A-Z])\K[^\s\"'`-][^\s\"'`]{{2,256}}",
        _NAMED,
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\bnet[ ]use[ ][^\n]{3,160}?/user:\S{2,80}[ ])\K(?![/*])\S{3,128}",
        "/user:",
    ),
    ("SECRET", 0.9, r"(?i:(?<!\S)(?:-p|-P)[ ]?[\"'])\K[^\"'\n]{3,128}(?=[\"'])", "-p"),
    (
        "SECRET",
        0.88,
        r"(?i:\b(?:otp|one[- ]time (?:code|password|passcode)|verification code|mfa code|2fa code|sms code|tan|backup code|voicemail (?:pin|code)|door code|alarm code|puk)[ ]{0,2}(?:is|was|:|=|#)?[ ]{0,2}[\"'`]?)\K\d[\d -]{2,10}\d\b",
        "otp code tan one-time pin puk passcode",
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\b(?:pin|puk)(?:[ ](?:code|number|no\.?))?[ ]{0,2}(?:is|was|:|=|#|of)?[ ]{1,2}[\"'`(]?)\K\d{4,8}\b",
        "pin puk",
    ),
    (
        "SECRET",
        0.9,
        r"(?i:\b(?:recovery|filevault|bitlocker|encryption|unlock)[ ](?:recovery[ ])?(?:key|password)[^\n:]{0,40}?(?:is|was|:|=)[ ]{0,2}[\"'`]?)\K(?=[A-Z0-9-]{0,40}\d)[A-Z0-9]{4,8}(?:[- ][A-Z0-9]{4,8}){2,11}\b",
        "recovery filevault bitlocker encryption unlock",
    ),
    (
        "SECRET",
        0.82,
        r"(?i:\b(?:combo|combination|lock|safe|cage|locker|gate)\b[^\n\d]{0,40}?)\K\d{1,2}-\d{1,2}-\d{1,2}(?![\w-])",
        "combo combination lock safe cage gate",
    ),
    (
        "SECRET",
        0.86,
        r"(?<![\w.-])(?!(?:0x|sha\d|md5))[a-z]{2,10}_(?=[A-Za-z\d]{0,60}\d)(?=[A-Za-z\d]{0,60}[A-Z])(?=[A-Za-z\d]{0,60}[a-z])[A-Za-z\d]{18,120}(?![\w-])",
        "_",
    ),
)
