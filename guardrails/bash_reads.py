# SPDX-License-Identifier: Apache-2.0
"""What commands of a bash or zsh script read that is not theirs: secrets, raw devices."""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from guardrails.command_words import CREDENTIAL_FILE, RAW_DEVICE, make_effect, names_secret, unquote
from guardrails.effects import Effect, EffectKind, EffectSeverity

# Programs that are given a file and do not show what it holds.
_NO_READERS: Final = frozenset(
    "find ls dir stat chmod chown chgrp chcon restorecon setfacl getfacl lsattr test [ realpath readlink basename dirname"
    " du namei rm unlink touch mkdir echo printf rmdir ssh-keygen shred".split()
)
_SHADOWS: Final = frozenset(("shadow", "gshadow"))
_SHOWS_SECRETS: Final = re.compile(r"--sh\S*|show-password|-[a-z]*s[a-z]*")
_CONTENT_READERS: Final = frozenset(
    "cat tac head tail od hexdump hd xxd strings base64 base32 basenc cp grep egrep fgrep tee gzip zstd xz sed awk"
    " cut tr less more uuencode split rsync nl rev fold pv".split()
)
_SECRETS: Final = EffectKind.READS_CREDENTIALS, EffectSeverity.HIGH
_CAPTURED: Final = EffectKind.CAPTURES_DATA, EffectSeverity.HIGH


def judge_reads(node: Any, name: str, arguments: Sequence[str]) -> list[Effect]:
    """Return what a command reads by what its arguments name."""
    plain = [unquote(word) for word in arguments]
    # find lists files; what it runs on them is judged for itself
    reads_secrets = (
        (name != "find" and any(CREDENTIAL_FILE.search(word) for word in arguments))
        or (name not in _NO_READERS and any(names_secret(word) for word in plain))
        or (name == "getent" and not _SHADOWS.isdisjoint(plain))
        or (name == "nmcli" and any(_SHOWS_SECRETS.fullmatch(word) for word in arguments))
    )
    effects = [make_effect(*_SECRETS, node)] if reads_secrets else []
    if name in _CONTENT_READERS and any(RAW_DEVICE.search(word) for word in plain):
        effects.append(make_effect(*_CAPTURED, node))
    return effects


def judge_input(node: Any, paths: Iterable[str]) -> list[Effect]:
    """Return what a redirection of input reads."""
    places = list(paths)
    if any(RAW_DEVICE.match(path) for path in places):
        return [make_effect(*_CAPTURED, node)]
    if any(names_secret(path) for path in places):
        return [make_effect(*_SECRETS, node)]
    return []
