# SPDX-License-Identifier: Apache-2.0
"""What the files are that a Python script names: people's, secrets, those of Windows. Pure."""

import re
from typing import Final

from guardrails.command_words import CREDENTIAL_FILE, RAW_DEVICE, names_secret
from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_paths import judge_path
from guardrails.unix_paths import LOSS, classify_loss, classify_target, is_document
from guardrails.windows_files import judge_removal, judge_share

_SECRETS: Final[Harm] = (EffectKind.READS_CREDENTIALS, EffectSeverity.HIGH)
_GATHERS: Final[Harm] = (EffectKind.CAPTURES_DATA, EffectSeverity.MEDIUM)
_ORDINARY: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.LOW)
_OF_WINDOWS: Final = re.compile(
    r"(?:\\\\[?.]\\)?[A-Za-z]:[\\/]|\\\\\w|//\w[\w.-]*/\w|[%\\]\w+[%\\]"
)
_IN_WINDOWS: Final = re.compile(r"(?i)\\users\\[^\\]+\\(?!appdata\\local\\temp\\)")
_OF_A_PERSON: Final = re.compile(r"(?:~[^/]*|/root|/var/root|/(?:home|Users)/[^/]+)/[^/]")
_ALL_OF_PEOPLE: Final = re.compile(
    r"(?:~[^/]*|/root|/var/root|/(?:home|Users)(?:/[^/]+)?|/etc|/)/?"
    r"|(?i:[a-z]:\\(?:users(?:\\[^\\]+)?\\?)?)"
)
_PUBLIC: Final = (".pub", "known_hosts")


def judge_write(place: str, *, empties: bool = True) -> Harm:
    """Return what it does to write to a file.

    Args:
        place: its path, of Linux, macOS or Windows.
        empties: what lies there may be lost; not so where something new is made.

    """
    if is_windows(place):
        written = place.replace("/", "\\")
        judged = next(iter(judge_share(place)), None) or judge_path(written)
        loses = empties and judged == _ORDINARY and _IN_WINDOWS.search(written)
        return LOSS if loses else judged
    if target := classify_target(place):
        return target
    is_personal = _OF_A_PERSON.match(place) and classify_loss(place)
    return LOSS if is_document(place) or (empties and is_personal) else _ORDINARY


def judge_loss(place: str) -> Harm | None:
    """Return what is lost with what lies there; None for nothing."""
    if is_windows(place):
        return judge_removal(place.replace("/", "\\"))
    return classify_target(place) or classify_loss(place)


def judge_read(place: str) -> Harm | None:
    """Return what it does to read a file; None for one without secrets."""
    if RAW_DEVICE.match(place):
        return EffectKind.CAPTURES_DATA, EffectSeverity.HIGH
    forms = (place, place.replace("\\", "/"))
    is_secret = any(CREDENTIAL_FILE.search(form) or names_secret(form) for form in forms)
    return _SECRETS if is_secret and not place.endswith(_PUBLIC) else None


def judge_copy(place: str) -> Harm | None:
    """Return what it does to copy or pack what lies there with all below it."""
    return judge_read(place) or (_GATHERS if _ALL_OF_PEOPLE.fullmatch(place) else None)


def is_windows(place: str) -> bool:
    """Say whether a path is one of Windows."""
    return _OF_WINDOWS.match(place) is not None
