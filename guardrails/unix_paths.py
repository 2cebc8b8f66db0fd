# SPDX-License-Identifier: Apache-2.0
"""What a path of Linux or macOS is: what writing there does, and what is lost with what lies there.

Pure; shared by the readers of bash, zsh and Python. A path may hold `COMPUTED` where the text does
not show a part, `~/` stands for the home of whoever runs the script.
"""
# ruff: noqa: E501 - tables

import posixpath
import re
from typing import Final

from guardrails.command_words import CREDENTIAL_FILE
from guardrails.effects import EffectKind, EffectSeverity, Harm

COMPUTED: Final = "\0"
# A path that the text does not show may be any: as severe as a file of the system.
OUTSIDE: Final[Harm] = (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM)
LOSS: Final[Harm] = (EffectKind.DELETES_FILES, EffectSeverity.MEDIUM)

_SYSTEM_FILE: Final = re.compile(
    r"^[\"']?/(?:(?:etc|usr|bin|sbin|lib\w*|boot|System|Library)(?:/|[\"']?$)|[\"']?$"
    r"|var/(?:lib/(?:dpkg|rpm|apt|pam|polkit-1|AccountsService|systemd|NetworkManager|extrausers)|db|spool)(?:/|[\"']?$)"
    r"|(?:var/?|home/?|root/?|Users/?|Applications/?|opt/?|srv/?)[\"']?$)"
)
# What is written there the kernel does: it changes settings, loads modules, takes disks away.
_KERNEL_FILE: Final = re.compile(r"^/(?:proc/(?!(?:self|\d+)/fd/|(?:self|\d+)/oom_score_adj)|sys/)")
_HARMLESS_DEVICE: Final = re.compile(
    r"/dev/(?:null|zero|full|u?random|tty(?!USB|ACM)\w*|console|std(?:in|out|err)|fd/.*|pts/.*|ptmx|shm/.*|log|kmsg|tcp/.*|udp/.*)"
)
_CHARACTER_DEVICE: Final = re.compile(r"/dev/(?:watchdog\d*|rtc\d*|snd|input|uinput|fuse|net|video\d+|dri|usb\w*|lp\d+|hidraw\d+|tty(?:USB|ACM)\d+|rfcomm\d+)(?:/|$)")  # fmt: skip
# Files that stop everybody from logging in, or change how the system starts next time.
_STOPS_LOGINS: Final = re.compile(r"^(?:/var)?/(?:run|etc)/nologin$")
_NEXT_START: Final = re.compile(r"^/(?:forcefsck|fastboot|\.autorelabel|\.unconfigured|\.AppleSetupDone|var/db/\.AppleSetupDone)$")  # fmt: skip
_BOOT_HOOK: Final = re.compile(
    r"/etc/(?:cron|rc\.local|profile|ld\.so\.preload|systemd/|init|rc\d?\.d|bash|zsh|environment|xdg/autostart"
    r"|pam\.d|udev/rules|sudoers|NetworkManager/dispatcher|apt/apt\.conf|modprobe|modules)"
    r"|/(?:usr/)?lib/(?:systemd|udev)/|/Launch(?:Agents|Daemons)/|/var/spool/(?:cron|at)|autostart/|\.config/systemd"
    r"|\.ssh/(?:rc|config|environment)|/\.(?:bash\w*|zsh\w*|z?profile|zlog\w*|xprofile|xinitrc|xsession\w*|kshrc|cshrc|login|vimrc|gitconfig|gdbinit|inputrc|pam_environment)\b"
    r"|(?:sitecustomize|usercustomize)\.py|\.pth\b|/git/hooks/|\.git/hooks/|/StartupItems/"
    r"|(?:/var)?/run/(?:user/[^/]+/systemd/|systemd/(?:system|user|generator\w*|transient)|udev/rules|NetworkManager/(?:conf|dispatcher)|cron|sudo)|/var/at/|/periodic/"
    r"|/var/lib/dpkg/(?:info|triggers)/"
)
_PERSON: Final = r"(?:~[^/]*|/root|/var/root|/(?:home|Users)/[^/]+)"
_DOCUMENTS: Final = re.compile(
    rf"{_PERSON}/(?:Documents|Desktop|Pictures|Movies|Videos|Music|Library/(?:Mail|Messages|Calendars|Mobile Documents|CloudStorage|Application Support/AddressBook)|\.thunderbird|OneDrive|Dropbox|Nextcloud)(?:/|$)"
)
# Whose loss costs nothing but time: it is made anew, or the script made it.
_THROWAWAY: Final = re.compile(
    r"(?:/var)?/tmp/.|/dev/shm/.|(?:/var)?/run/(?!systemd|user$|udev)|/var/cache/.|/var/folders/|/Library/Caches/"
    rf"|{_PERSON}/(?:\.cache|Library/Caches|\.Trash|\.local/share/Trash)/"
)
# Who was here, and what happened, is read off these: a line that a script adds may be made up.
_SYSTEM_LOG: Final = re.compile(
    r"^/var/log/(?:auth|secure|sys(?:log|tem)|messages|kern|audit|[wbu]tmp|lastlog|faillog|tallylog|journal|cron|sudo|asl|install\.log|sa/|account/)"
)
# Where scripts put what they make: temporary files, logs, copies, what is mounted for a while.
_SCRATCH: Final = re.compile(
    r"/(?:var/)?tmp/?$|/dev/|/var/(?:log|backups|crash|lock|run)(?:/|$)|/(?:backups?|mnt|media|Volumes|Users/Shared)/."
    rf"|/proc/|{_PERSON}/(?:\.local/state|Library/Logs)/"
)
# In a home, what programs read when they start: hidden files, the Library of macOS, programs of its own.
_READ_AT_START: Final = re.compile(rf"{_PERSON}/(?:\.(?!/|\./|\.?$)|Library/|bin/|Applications/)")
_OWN_FOLDER: Final = re.compile(r"(?:~[^/]*|/root|/var/root)(?:/|$)")
_OF_PERSON: Final = re.compile(rf"{_PERSON}/.")
# In their order: the first that matches says what it is.
_PLACES: Final[tuple[tuple[re.Pattern[str], Harm], ...]] = (
    (_STOPS_LOGINS, (EffectKind.CHANGES_ACCOUNTS, EffectSeverity.HIGH)),
    (CREDENTIAL_FILE, (EffectKind.CHANGES_ACCOUNTS, EffectSeverity.CRITICAL)),
    (_KERNEL_FILE, (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.HIGH)),
    (_BOOT_HOOK, (EffectKind.PERSISTS, EffectSeverity.HIGH)),
    (_SYSTEM_FILE, (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM)),
    (_NEXT_START, (EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM)),
    (_SYSTEM_LOG, (EffectKind.ERASES_TRACES, EffectSeverity.MEDIUM)),
)


def classify_target(target: str, *, makes_only: bool = False) -> Harm | None:
    """Return what writing to a file of this name does; None for an ordinary place.

    Args:
        target: the path.
        makes_only: a folder or an empty file is made there, and what is there stays as it is.

    """
    target = _normalise(target)
    if target.startswith("/dev/"):
        return _classify_device(target)
    for pattern, judged in _PLACES:
        if pattern.search(target):
            return judged
    return None if makes_only else _classify_kept(target)


def _classify_kept(target: str) -> Harm | None:
    """Return what writing does where programs, their data and people's files are kept.

    That is closed: everywhere but where scripts put what they make. From the current folder, and
    visible in the home of whoever runs it, a file is the script's own.
    """
    if target[:1] not in ("/", "~") or _THROWAWAY.match(target) or _SCRATCH.match(target):
        return None
    if _READ_AT_START.match(target):
        return EffectKind.PERSISTS, EffectSeverity.MEDIUM
    if _OWN_FOLDER.match(target):
        return None
    return LOSS if _OF_PERSON.match(target) else OUTSIDE


def _classify_device(target: str) -> Harm | None:
    if _HARMLESS_DEVICE.fullmatch(target):
        return None
    if _CHARACTER_DEVICE.match(target):
        return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.HIGH
    return EffectKind.CHANGES_DISKS, EffectSeverity.CRITICAL


def classify_loss(target: str) -> Harm | None:
    """Return what is lost when what lies there is emptied, moved away or replaced; None for nothing.

    A path from the current folder is the script's own business.
    """
    target = _normalise(target)
    if target.startswith("/dev/"):
        return _classify_device(target)
    if target[:1] not in ("/", "~") or _THROWAWAY.match(target):
        return None
    return LOSS


def is_document(target: str) -> bool:
    """Say whether a path lies where people keep what they made."""
    return _DOCUMENTS.match(_normalise(target)) is not None


def is_outside(target: str) -> bool:
    """Say whether the text does not show where a path leads: its first part is computed, or it climbs."""
    place = _normalise(target)
    if place[:1] in ("/", COMPUTED):
        return re.match(rf"/?[^/]*{COMPUTED}", place) is not None
    return ".." in place and posixpath.normpath(place).startswith("..")


def _normalise(target: str) -> str:
    target = re.sub(r"/(?:\./|/)+", "/", target)
    if ".." in target and target[:1] == "/":
        target = posixpath.normpath(target)
    return re.sub(r"^([\"']?)/private(?=/(?:etc|var|tmp)(?:/|$))", r"\1", target)
