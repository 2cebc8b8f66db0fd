# SPDX-License-Identifier: Apache-2.0
"""Words of shell commands: what bash and PowerShell analysis share."""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from guardrails.effects import Effect, EffectKind, EffectSeverity
from guardrails.sanitise import plain_text

Found = tuple[list[Effect], bool]
_DETAIL_CHARACTERS: Final = 120
CREDENTIAL_FILE: Final = re.compile(
    r"/etc/(?:g?shadow|sudoers)|\.ssh/(?:id_|authorized_keys)|\.aws/credentials|\.netrc|\.kube/config"
    r"|login\.keychain|Library/(?:Keychains(?!/crls)|Cookies)\b|Login Data|cookies\.sqlite"
    r"|\.gnupg/|/etc/security/opasswd|\\config\\SAM|NTDS\.dit|lsass",
    re.IGNORECASE,
)
# Files that hold passwords, keys or tokens, too: what reads their content has them.
_SECRET_FILE: Final = re.compile(
    r"(?:^|[/\\\s\"'=:@])\.(?:pgpass|my(?:login)?\.cnf|git-credentials|npmrc|pypirc|vault-token|boto|s3cfg|smbcredentials|htpasswd|fetchmailrc|msmtprc)(?![\w.-])"
    r"|\.docker/config\.json|\.azure/(?:msal|accesstokens|\w*token)|\.config/(?:gcloud|gh/hosts|rclone|op/|hub\b|doctl|filezilla)|rclone\.conf\b|\.password-store/|\.terraform\.d/cred|keyrings?/[^\s/]*\.keyring"
    r"|(?:slack|signal|discord|teams)/(?:cookies|config\.json|local storage)"
    r"|wpa_supplicant/\S*\.conf|/system-connections/|\.keytab(?![\w.-])|/lib/sss/(?:db|secrets)/|/etc/(?:ssl|pki/tls)/private/|ssh_host_\w{2,8}_key(?![\w.-])"
    r"|/etc/(?:openvpn|wireguard)/\S|/etc/(?:ipsec\.secrets|ppp/(?:chap|pap)-secrets|ldap\.secret|libnss-ldap\.secret|cups/printers\.conf)|smbpasswd(?![\w.-])|secrets\.tdb|networkmanager/secret_key"
    r"|\.(?:kdbx|p12|pfx|jks|ppk|ovpn)(?![\w.-])",
    re.IGNORECASE,
)
# One of these stands in each of them: a look that costs less than the pattern.
_SECRET_HINTS: Final = tuple(
    "pgpass .cnf git-cred npmrc pypirc vault-token boto s3cfg smbcred htpasswd fetchmailrc msmtprc docker azure"
    " .config/ rclone password-store terraform keyring slack signal discord teams wpa_supp system-conn keytab /sss/"
    " private ssh_host openvpn wireguard secret printers.conf smbpasswd kdbx p12 pfx jks ppk ovpn".split()
)
# What other programs keep in memory, on disks, and what people type.
RAW_DEVICE: Final = re.compile(
    r"/dev/(?:mem|kmem|port|input/|sd[a-z]|hd[a-z]|nvme\d|vd[a-z]|xvd|mmcblk|mapper/|disk/|dm-|r?disk\d|hidraw|vcs|uinput|snd/)|/proc/kcore"
)
SECURITY_UNIT: Final = re.compile(
    r"\b(?:auditd|apparmor|ufw|firewalld|clamav\S*|falcon\S*|windefend|mpssvc|wscsvc|sense|crowdstrike\S*)\b",
    re.IGNORECASE,
)
STOPS: Final = re.compile(
    r"\b(?:stop|disable|mask|stop-service|delete|bootout|unload|disabled)\b", re.IGNORECASE
)
_ON_WORDS: Final = frozenset(("enable", "on", "-enabled"))
_OFF_WORDS: Final = frozenset(
    ("off", "disable", "disabled", "false", "$false", "reset", "allow", "flush")
)


def names_secret(text: str) -> bool:
    """Say whether a text, with slashes in its paths, names a file that holds secrets."""
    lower = text.lower()
    for hint in _SECRET_HINTS:  # a loop costs a third of a generator here
        if hint in lower:
            return _SECRET_FILE.search(text) is not None
    return False


def make_effect(kind: EffectKind, severity: EffectSeverity, node: Any) -> Effect:
    """Return an effect at a node, with the first line of its text."""
    first_line = plain_text(text_of(node)).strip().partition("\n")[0]
    return Effect(
        kind=kind,
        line=node.start_point[0] + 1,
        detail=first_line[:_DETAIL_CHARACTERS],
        severity=severity,
        suspicion=0.3 * severity.rank,
    )


def turns_on(arguments: Sequence[str]) -> bool:
    """Say whether a protection is switched on (`ufw enable`, `-Enabled True`), and nothing off."""
    words = [unquote(word).lower() for word in arguments]
    disabling = [after for word, after in pairwise(words) if word.startswith("-disable")]
    if disabling:  # Set-MpPreference -DisableRealtimeMonitoring $false
        return set(disabling) == {"$false"}
    return not _ON_WORDS.isdisjoint(words) and _OFF_WORDS.isdisjoint(words)


def unquote(word: str) -> str:
    r"""Return a word without its quotes and escapes: `r\\m`, `"rm"` and `'rm'` are rm."""
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1]
    return re.sub(r"[\\'\"]", "", word) if not any(c in word for c in "$`/ ") else word


def text_of(node: Any) -> str:
    """Return the source text of a node."""
    return node.text.decode("utf-8", "replace") if node.text else ""


def walk(root: Any) -> Iterator[Any]:
    """Yield all nodes, without recursion: hostile scripts nest deeply."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))
