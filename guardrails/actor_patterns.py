# SPDX-License-Identifier: Apache-2.0
"""Accounts by what was done with or by them, and by their place in a line of a log.

"Uploaded by x", what stands beside a SID, the third field of an access log, a claim of OpenID
Connect. Where any word could stand ("caused by default"), words of English are none.
"""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from collections.abc import Sequence
from typing import Final

from guardrails.account_words import is_account_like
from guardrails.foreign_words import is_foreign_word
from guardrails.identifier_tokens import TECHNICAL
from guardrails.pattern_parts import SYSTEM_ACCOUNTS, IdentifierPattern, patterns
from guardrails.person_names import fold
from guardrails.strange_words import is_compound
from guardrails.vocabulary import is_english, read_names

_MIN_LETTERS: Final = 3
_TWO: Final = 2
# Programs, roles and words of tools that act, and that no list of words has.
_NO_ACTORS: Final = frozenset(
    """
    systemd cron crond kubelet dockerd containerd sshd nginx apache httpd ansible puppet chef salt
    terraform jenkins gitlab github bitbucket kubectl helm webpack eslint prettier pytest doxygen
    sphinx swagger openapi grafana prometheus splunk zabbix nagios dependabot renovate firewalld
    netplan udev udevd rsyslogd cloudinit kaspersky bitdefender crowdstrike infosec devops netops
    secops sysops helpdesk servicedesk cmdlet powershell psexec winget apt dnf yum brew snapd msi
    msiexec tsc npm pip autopilot intune jamf sccm wsus bitlocker filevault oidc saml nodename
    username hostname userid username1 unixuser anonymous nologin localservice networkservice
    digicert sectigo comodo globalsign letsencrypt verisign entrust godaddy ovh hetzner cloudflare
    akamai taskschd taskhostw schtasks wuauclt msmpeng trustedinstaller dism okta zscaler fortinet
    sophos sentinelone qualys nessus tenable rapid7 veeam commvault acronis netapp mimecast vmware
    esxi vcenter proxmox kvm qemu libvirt openvpn wireguard strongswan squid haproxy varnish
    """.split()  # noqa: SIM905 - a table
)
_INITIAL: Final = re.compile(r"[a-z]{1,2}[._][a-z]{3,24}")
_PLACEHOLDERS: Final = frozenset(
    ("username", "user", "name", "login", "account", "user_name", "user-name", "userid", "id")
)
_FILE_END: Final = re.compile(
    r"\.(?:exe|dll|sys|log|txt|conf|cfg|ini|service|socket|timer|target|json|xml|ya?ml|plist|app|sh|py|js|ts|ps1|msc|msi|dat|db|bak|tmp|zip|gz|com|net|org|io|local|lan|md|html?|php|css|csv|xlsx?|docx?|pdf|png|jpe?g|bat|cmd|vbs|so|ko|pem|crt|cer|pfx|key)$"
)


def _is_no_word(text: str) -> bool:
    """Say whether a word names nobody and nothing that everybody knows."""
    return not (
        is_english(text) or text in TECHNICAL or text in SYSTEM_ACCOUNTS or text in _NO_ACTORS
        or is_compound(text) or is_foreign_word(text)
    )  # fmt: skip


def is_actor(text: str) -> bool:
    """Say whether a word is somebody's account: no English, no program, no file.

    >>> is_actor("n.dzieza"), is_actor("whitney_smith"), is_actor("default"), is_actor("run.py")
    (True, True, False, False)
    """
    lower = text.lower().rstrip("$")
    letters = lower.rstrip("0123456789")
    if lower in SYSTEM_ACCOUNTS or lower in _NO_ACTORS or _FILE_END.search(lower):
        return False
    if letters.isalpha() and is_english(letters):
        return False
    if is_account_like(lower) or _INITIAL.fullmatch(letters):
        return True
    parts = [part for part in re.split(r"[._-]", letters) if part]
    if len(parts) == 1:
        return len(letters) >= _MIN_LETTERS and letters.isalpha() and _is_no_word(letters)
    return any(
        len(part) >= _MIN_LETTERS and part.isalpha() and _is_no_word(part) for part in parts
    ) or _are_names(parts)


def _are_names(parts: Sequence[str]) -> bool:
    """Say whether two parts are a given and a family name, though both may be English."""
    given, family = read_names()
    return len(parts) == _TWO and fold(parts[0]) in given and fold(parts[1]) in family


def _is_own(text: str) -> bool:
    """Say whether an account, where one must stand, is not one that every system has."""
    lower = text.lower().rstrip("$")
    return lower not in SYSTEM_ACCOUNTS and not lower.isdigit()


def _is_told(text: str) -> bool:
    """Say whether a value in brackets or behind a claim is no word for what is meant there."""
    return _is_own(text) and (
        not text.isalpha() or not text.islower() or not is_english(text.lower())
    )


_ACTOR: Final = r"[a-z][a-z\d]{0,24}(?:[._-][a-z\d]{1,24}){0,3}\$?(?![\w@\\/(=:]|[.-]\w)"
_SID: Final = r"\bS-1-(?:5-21|12-1)(?:-\d{1,10}){3,5}"
ACTORS: Final[tuple[IdentifierPattern, ...]] = patterns(
    # --- by whom, to whom
    (
        "USERNAME",
        0.79,
        rf"(?<![A-Za-z])(?:by|By|BY)(?:[\"']?[ \t]{{0,8}}[:=][ \t]{{0,8}}|[ ]{{1,4}}(?:user[ ]|account[ ])?)[\"'`(]?\K{_ACTOR}",
        "by",
        is_actor,
    ),
    (
        "USERNAME",
        0.79,
        rf"(?i:\b(?:(?:re-?)?assigned|escalated|forwarded|handed[ ](?:over|off)|routed|transferred|delegated|sent|issued|granted|shared|lent|belongs|reports|shipped|registered|licensed|allocated|bound)[ ](?:back[ ])?(?:to|with)[ ]{{0,2}}:?[ ]{{1,4}}[\"'`(]?)\K{_ACTOR}",
        "to with",
        is_actor,
    ),
    # "add t.rey to SG-FIN-RW", by the form of an initial and a name
    (
        "USERNAME",
        0.8,
        r"(?i:\b(?:add|added|adding|remove|removed|removing|put|move|moved|copy|copied|grant|granted|give|clone|cloned)[ ](?:user[ ])?)\K[a-z]{1,2}[._][a-z]{3,24}\d{0,3}(?=[ ](?:back[ ])?(?:to|from|into|in|on|access|rights)\b)",
        "add remov put move copy copi grant give clone",
        is_actor,
    ),
    # --- beside a SID
    (
        "USERNAME",
        0.85,
        rf"(?m){_SID}(?:[ ]{{2,24}}|[ ]{{0,2}}\t[ \t]{{0,8}}|[ ]{{0,4}}(?:->|=>|=|\|)[ ]{{0,4}})[\"']?\K[a-z][\w.-]{{2,31}}\$?(?<![.-])(?=[\"' \t]{{0,8}}(?:$|[|;,]))",
        "s-1-",
        _is_own,
    ),
    (
        "USERNAME",
        0.84,
        rf"{_SID}(?:[ ]{{1,24}}|[ ]?[:(\[,;/][ ]?|\t{{1,4}})(?:(?:is|was|belongs[ ]to|resolves[ ]to|for|of|user|account|name)[ :=]{{1,3}}){{0,2}}[\"']?\K{_ACTOR}",
        "s-1-",
        is_actor,
    ),
    (
        "USERNAME",
        0.84,
        rf"(?<![\w./\\@-])[a-z][\w.-]{{2,31}}\$?(?=[\"' ]{{0,2}}(?:[ \t]{{1,24}}|[ ]?[,;|:=][ ]?|[ ]?[(\[])(?:SID[ :=]{{1,3}})?[\"']?{_SID})",
        "s-1-",
        is_actor,
    ),
    # --- logs: of access to the web, of proxies, of IIS, of firewalls, of sign-ins
    (
        "USERNAME",
        0.87,
        r"(?<=[\w.:>\]][ ]-[ ])(?!-[ ])[\w][\w.@\\+-]{1,63}(?=[ ]\[\d{1,2}/[A-Z][a-z]{2}/\d{4}[:\]])",
        "- ",
        lambda text: text.lower() not in SYSTEM_ACCOUNTS,
    ),
    (
        "USERNAME",
        0.86,
        r"(?i)(?<=\b(?:GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|PROPFIND|RPC_IN_DATA|RPC_OUT_DATA)[ ]\S{1,400}[ ]\S{1,400}[ ](?:80|443|8080|8443|444|81)[ ])(?!-[ ])[\w][\w.@\\+$-]{1,63}(?=[ ][\da-f.:]{3,39}[ ])",
        "get post put head delete options patch propfind rpc_",
        _is_own,
    ),
    (
        "USERNAME",
        0.86,
        r"(?<=[ ])(?!-[ ])[\w][\w.@\\+-]{1,63}(?=[ ](?:HIER_[A-Z_]{3,20}|(?:FIRSTUP|DEFAULT)_PARENT|DIRECT|NONE|ORIGINAL_DST)/)",
        "hier_ _parent/ direct/ none/ original_dst/",
        _is_own,
    ),
    (
        "USERNAME",
        0.86,
        r"(?i:\b(?:user(?:name)?|login|account)[ ]{0,2}[:=]?[ ]{0,2}<)\K(?!LOCAL\\)[\w][\w.@\\+-]{1,63}(?=>[ ,;]{0,2}(?:IP|at|from|src|session|assigned|address|client|peer|-)[ ]?)",
        "<",
        lambda text: _is_own(text) and text.lower() not in _PLACEHOLDERS,
    ),
    (
        "USERNAME",
        0.8,
        r"(?i:%asa-\d-\d{6}[^\n]{0,160}?\b(?:user|username|uname)[ ]{0,2}[:=]?[ ]{0,2}[<'\"(]?)\K(?!(?:authentication|authorization|access|logged|was|is|from|group|session|name|priv\w{0,8})\b)[\w][\w.@\\+-]{2,63}",
        "%asa-",
        _is_told,
    ),
    # a person's picture or page
    (
        "USERNAME",
        0.82,
        r"(?i:/(?:avatars?|profiles?|photos?|people|persons?|members?|owners?|authors?|thumbnails?|thumbnailphoto|~|u)/)\K[a-z][a-z\d._-]{2,31}?(?=\.(?:png|jpe?g|gif|svg|webp)\b|[/?#\s\"']|\Z)",
        "/avatar /profile /photo /people /person /member /owner /author /thumbnail /~ /u/",
        is_actor,
    ),
    # --- claims
    (
        "USERNAME",
        0.85,
        r"(?i:(?<![\w$.-])[\"']?(?:preferred_username|unique_name|upn|onprem_sam_account_name|winaccountname|eppn|edupersonprincipalname|login_hint|cognito:username|nameid|name_id|act_as|mailnickname|zoneinfo_user)[\"']?[ ]?[:=][ ]?[\"']?)\K[\w][\w.@\\+-]{1,63}(?<![.-])",
        "preferred_username unique_name upn onprem_sam winaccountname eppn edupersonprincipalname login_hint cognito: nameid name_id act_as mailnickname zoneinfo",
        _is_told,
    ),
    (
        "USERNAME",
        0.84,
        r"(?i:[\"']sub[\"'][ ]?:[ ]?[\"'])\K(?![0-9a-f]{8}-)[\w][\w.@|+-]{2,63}(?=[\"'])",
        "sub",
        _is_told,
    ),
    (
        "USERNAME",
        0.84,
        r"(?im)(?:^|[{,;(\[\s])[\"']?sub[\"']?[ ]?[:=][ ]?[\"']?\K(?![0-9a-f]{8}-)[a-z][\w.@\\+-]{2,63}(?<![.-])(?=[\"',;}\])\s]|\Z)",
        "sub",
        is_actor,
    ),
    # --- DOMAIN/user, as some tools write it, where somebody logs in
    (
        "USERNAME",
        0.84,
        r"(?i:\b(?:log(?:s|ged|ging)?[ -]?(?:in|on)|log-?[io]ns?|sign(?:s|ed|ing)?[ -]?in|auth(?:enticat\w{1,4})?|as|user(?:name)?|account|credentials?|runas|tried|try|use|using|with|-U)[ ]{0,2}[:=]?[ ]{0,2}(?:as[ ]|with[ ]|user[ ]|account[ ]){0,2}[\"'`(]?)\K(?!(?:N|TCP|UDP|IP|I|AND|HTTP|HTTPS|SSH|VPN|MFA|SSO|AD|LDAP|IMAP|SMTP|POP|USB|WIFI|PIN|PC)/)[A-Z][A-Z\d-]{1,14}/[a-z][\w.-]{2,31}(?<![.-])(?![\w@/\\])",
        "/",
        lambda text: is_actor(text.split("/")[1]),
    ),
)
