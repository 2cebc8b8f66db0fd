# SPDX-License-Identifier: Apache-2.0
"""Credentials in a sentence or on a command line that look like words or like digests.

Words with hyphens as generators of passwords make them (`falcon-cobalt-sunset`), hexadecimal digits
that are called a token, the value after `-u x -p`. Digests of files, commits and fingerprints stay.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

from guardrails.pattern_parts import STATE_WORD, IdentifierPattern, patterns
from guardrails.spelling import is_misspelt
from guardrails.strange_words import is_compound
from guardrails.vocabulary import is_english

# Of phrases that speak of credentials and are none.
_ABOUT: Final = frozenset(
    """
    password passwords passcode passphrase key keys pin user users self service sign single factor
    multi two one time step end based reset change policy protected less only read write token auth
    authentication authorization login logon never expire expires expiring non auto default pre
    shared post public private case sensitive complex strong weak hash salt encoded encrypted less
    account accounts admin must next required require minimum maximum length old new current last
    manager management vault cloud premises windows hello business the and not for with without
    work case cross browser server client side web app mail wifi wpa enterprise personal
    """.split()  # noqa: SIM905 - a table
)
_DIGEST: Final = r"(?i:hash|sha-?\d|md5|commit|checksum|digest|fingerprint|thumbprint|revision|\brev\b|public|correlation|trace|object|blob|image|layer|etag|crc|\bskid\b|\bakid\b|keyid|key[ ]id|subject)"
_NAME: Final = (
    r"(?i:tokens?|keys?|secrets?|passwords?|passwd|api[ -]?keys?|credentials?|psk|passphrase|pat)"
)


def _is_phrase(text: str) -> bool:
    """Say whether words with hyphens are no term of the trade."""
    parts = re.split(r"[-_.]", text.lower().rstrip("0123456789-!"))
    return len(parts) > 1 and not any(part in _ABOUT for part in parts)


def _is_set(text: str) -> bool:
    """Say whether what a password was set to is one: a digit or a mark, a phrase, a strange word."""
    lower = text.lower()
    if any(map(str.isdigit, text)) or re.search(r"[!#$%&*+@~^]", text):
        return not re.fullmatch(r"\d{1,3}(?:[.,]\d+)?", text)
    if "-" in text or "_" in text:
        return _is_phrase(text)
    return text.isalpha() and not (is_english(lower) or is_compound(lower) or is_misspelt(lower))


PHRASES: Final[tuple[IdentifierPattern, ...]] = patterns(
    # what a password was set, reset or changed to
    (
        "SECRET",
        0.9,
        rf"(?i:\b(?:pass(?:word|phrase|code|wort|wd)?|pwd?|pw|pin|kennwort|psk|passkey|credentials?)\b(?:[ ](?:for|of|on)[ ][^\n;?!]{{1,48}}?)?(?:[ ](?:was|is|has[ ]been|have[ ]been|got|now|just|again|been|being|temporarily|manually|then)){{0,3}}[ ](?:re-?set|set|changed|updated|switched|rotated|re-?initiali[sz]ed|reverted|restored)(?:[ ](?:back|again|manually|temporarily|now)){{0,2}}[ ](?:to|as|=|->|:)[ ]?:?[ ]{{0,2}}[\"'`\u201c(]?)(?!(?i:{STATE_WORD})(?![\w!@#$%^&*-]))\K[^\s\"'`\u201d,;<>()]{{4,64}}(?<![.,:!?])",
        "pass pw pin kennwort psk cred",
        _is_set,
    ),
    # a phrase of words with hyphens, soon after the word for a credential
    (
        "SECRET",
        0.86,
        r"(?<=(?<![a-z])(?i:pass(?:word|phrase|code|wort|wd)?|pwd|pw|psk|kennwort|secret|(?:wi-?fi|wlan|wireless|wpa\d?|network|guest)[ -](?:key|code))s?[\"']?[ :=]{1,3}(?:[^\n;]{0,32}?[ :=\"'(])?)[A-Za-z]{3,12}(?:-[A-Za-z]{3,12}){2,6}(?:-?\d{1,4})?!?(?![\w@/\\-])",
        "pass pwd pw psk kennwort secret key code",
        _is_phrase,
    ),
    # "SSID x, key y": of a wireless network any phrase, and any word that nobody knows
    (
        "SECRET",
        0.86,
        r"(?<=\b(?i:ssid|hotspot|wi-?fi|wlan|wireless|wpa\d?|network)\b[^\n]{0,96}[ ,;(/](?i:key|passphrase|psk|code|pw|password)[ ]?(?i:is|:|=)?[ ]{1,3}[\"'`]?)[A-Za-z][\w!#$%&*+-]{6,62}(?![\w@\\/(]|\.\w)",
        "key passphrase psk code pw password",
        lambda text: _is_phrase(text) if "-" in text else _is_set(text),
    ),
    # --- hexadecimal digits that are called a credential, not a digest
    (
        "SECRET",
        0.86,
        rf"(?<![\w./:@-])(?i:[\da-f]{{32,128}})(?![\w./-])(?<=(?<!(?i:public|foreign|primary|partition|registry|host)[ _-])\b{_NAME}\b(?:(?!{_DIGEST}|[.][ ])[^\n;]){{0,64}}[ \"'`(=:][\dA-Fa-f]{{32,128}})",
        "token key secret pass credential psk pat",
    ),
    (
        "SECRET",
        0.86,
        rf"(?<![\w./:@-])(?i:[\da-f]{{32,128}})(?<!{_DIGEST}[ :=(]{{1,3}}[\dA-Fa-f]{{32,128}})(?=[ ,]{{1,2}}[(]?(?:(?:is|was|as|the|an?|my|our|old|new|this|api|access|\w{{2,12}})[ ]){{0,4}}{_NAME}\b)(?![ ,(]{{1,3}}(?:\w{{1,12}}[ ]){{0,4}}{_DIGEST})",
        "token key secret pass credential psk pat",
    ),
    # in a list of credentials: what stands beside is one, too
    (
        "SECRET",
        0.84,
        r"(?m)^[ \t]{0,4}[-*\u2022][ ]\K(?i:[\da-f]{32,128})(?=[ ]\([^()\n]{2,40}\)|[ ,;]|$)(?![ ]{1,3}[*]?[\w./-]{1,64}\.\w{1,5}\b)(?=[^\n]{0,120}\b(?i:revoked?|rotated?|in[ ]use|expired?|leaked|exposed|(?<!public[ ])(?:token|key|secret))\b)",
    ),
    # --- command lines
    (
        "SECRET",
        0.9,
        r"(?<=\b(?i:psexec\w{0,2}|paexec|winexe|wmiexec\S{0,3}|smbexec\S{0,3}|evil-winrm|crackmapexec|nxc|netexec|sqlcmd|bcp|osql|isql|mysql\w{0,6}|mariadb|mongo\w{0,8}|redis-cli|cqlsh|influx|docker|podman|helm|az|oc|vault|curl|lftp|mount|smbclient|rpcclient|ldap\w{2,10}|xfreerdp|rdesktop|plink|pscp|ftp|openvpn|snmp\w{2,6}|ipmitool|racadm|sqlplus|impdp|expdp|kinit|adcli|realm|wget|schtasks|sc|wmic|msdeploy|robocopy|cmdkey|net)(?:\.exe)?[ ][^\n|;]{0,200}[ ](?:-p|-P|-a|--pass|--password|--pwd|-pw|/p|/rp|/pass|/password|-w|-password)(?:[ :=]{1,2}))[\"']?(?![-/\"'$%])[^\s\"'|;]{4,64}",
        "-p -a --pass --pwd /p /rp -w",
    ),
    (
        "SECRET",
        0.9,
        r"(?<=[ ]-[uU][ ]?[^\s-][^\s]{0,63}[ ]-[pP][ ]?)(?![-/\"'$%<])[^\s\"'|;<>]{4,64}",
        "-u",
    ),
    ("SECRET", 0.9, r"(?<=[ ](?:-U|--user(?:name)?)[ =]?[\"']?[\w.\\/@-]{1,64}%)[^\s\"'|;]{3,64}", "%"),
    (
        "SECRET",
        0.9,
        r"(?<=\b(?i:net1?)(?:\.exe)?[ ](?i:use)[ ](?:[A-Za-z*]:?[ ])?\"?\\\\[^\s\"]{3,160}\"?[ ])(?![/*\"])[^\s\"'/]{4,64}(?=[ ][^\n]{0,40}/(?i:user):)",
        "/user:",
    ),
)  # fmt: skip
