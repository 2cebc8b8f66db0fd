# SPDX-License-Identifier: Apache-2.0
"""What commands of Windows do to the files that they name, when that is more than to write one. Pure.

Moving a file deletes it where it was, and so does renaming many; copying nothing over a file
empties it. Such harm is `medium`, and `critical` for a whole drive, Windows or all users.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from typing import Final

from guardrails.command_words import CREDENTIAL_FILE, names_secret
from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_paths import judge_path
from guardrails.windows_arguments import INNER_BLANK, is_computed, name_option, split_arguments

_K, _S = EffectKind, EffectSeverity
_DRIVE: Final = r"(?:[a-z]:|%(?:systemdrive|homedrive)%|\$\{?env:(?:systemdrive|homedrive)\}?)"
_OF_A_USER: Final = r"(?:\\(?:documents|desktop|pictures|downloads|music|videos|onedrive|appdata))?"
_ROOT: Final = (
    rf"(?:{_DRIVE}\\users\\[^\\\s\"'*?%]+{_OF_A_USER}|%userprofile%{_OF_A_USER}|\$\{{?(?:env:userprofile|home)\}}?{_OF_A_USER}|{_DRIVE}(?:\\(?:windows|users|program ?files(?: \(x86\)|(?! \())|programdata|documents and settings|progra~\d|docume~\d)(?:\\system32|\\syswow64)?|(?=\\))"
    r"|(?:%|\$\{?env:)(?:windir|systemroot|userprofile|programfiles|programdata|allusersprofile|public|homepath)[%}]?(?:\\system32|\\\.\.)?|\$\{?home\b\}?"
    r"|(?:registry::)?hk\w{1,30}:?\\(?:software|system|sam|security)?"
    rf"|{_DRIVE}(?=$|[\s\"',;)]))"
)
_WIDE: Final = re.compile(
    rf"(?:^|[\s\"'=,(])(?:\\\\[?.]\\)?{_ROOT}(?:\\?\*(?:\.\*)?|\\\*\\\*|\\)?[\"']?(?=$|[\s,;)|}}])",
    re.IGNORECASE,
)
_UP: Final = re.compile(r"\\(?!\.\.)[^\\\s\"']+\\\.\.(?=$|[\\\s\"'])|(?<!\\)\\\.(?=\\)")
_WRAPPED: Final = re.compile(r"\$\((\$[\w:]+)\)")
_SHARE: Final = re.compile(
    r"[\s\"'(]*(?:\w[\w.\\]*::)?(?:\\\\\?\\unc\\|\\\\|//)(?![.?\\]|localhost\b|127\.)[^\s\\\"']"
    r"|[\s(]*[\"']\\\\[\"']\s*\+",
    re.IGNORECASE,
)
_SECRET: Final = re.compile(
    r"\.git-credentials\b|\.docker/config\.json|\.pgpass\b|\.azure/(?:msal|accesstokens)|rclone\.conf\b|winlogon\b[^\n]{0,200}\bdefaultp(?:assword\b|\w*\*)"
    r"|\b(?:hklm|hkey_local_machine):?\\(?:sam|security)(?:[\\\"'\s]|$)",
    re.IGNORECASE,
)
_INDEX: Final = re.compile(r":\$i30:\$?(?:bitmap|index)|\\\$mft\\", re.IGNORECASE)
_BULK: Final = re.compile(r"[*?]|%%|%~?[a-z](?![\w%])")
_NOTHING: Final = frozenset(("nul", "nul:", "\\\\.\\nul"))
FILE_PROGRAMS: Final = frozenset(
    "copy xcopy robocopy expand move ren rename replace mklink".split()
)
_MAX_CHARACTERS: Final = 4096


def is_wide(text: str) -> bool:
    """Say whether a text names a whole drive, a folder of the system, or all of a user."""
    plain = text[:_MAX_CHARACTERS].replace("/", "\\") if "/" in text else text[:_MAX_CHARACTERS]
    plain = _WRAPPED.sub(r"\1", plain)
    while (shorter := _UP.sub("", plain)) != plain:
        plain = shorter
    return _WIDE.search(plain) is not None


def judge_removal(text: str) -> Harm:
    """Return what it does to remove, move away or empty what a text names."""
    return _K.DELETES_FILES, _S.CRITICAL if is_wide(text) else _S.MEDIUM


def reads_secrets(text: str) -> bool:
    """Say whether a command names a file or key of the registry that holds secrets."""
    slashed = text.replace("\\", "/")
    forms = (text,) if slashed == text else (text, slashed)
    return names_secret(slashed) or any(
        pattern.search(form) is not None for form in forms for pattern in (CREDENTIAL_FILE, _SECRET)
    )


def harms_volume(text: str) -> bool:
    """Say whether a text names what NTFS keeps of a folder: a mere look at it damages the volume."""
    return _INDEX.search(text) is not None


def judge_share(path: str) -> list[Harm]:
    """Return what it does to write to a path on another machine."""
    return [(_K.SENDS_DATA, _S.MEDIUM)] if _SHARE.match(path) else []


def judge_file_program(name: str, arguments: str) -> list[Harm]:
    """Return what a program that writes files does with these arguments."""
    words = split_arguments(arguments)
    options = {name_option(word) for word in words}
    values = [word.replace(INNER_BLANK, " ") for word in words if not name_option(word)]
    target = "".join(values[1:2] if name == "robocopy" else values[-1:])
    harms = [judge_path(arguments, overwrites=name in ("ren", "rename"))]
    if len(values) > 1:
        harms += [judge_path(target), *judge_share(target)]
        places = _list_places(name, values)
        harms += [judge_path(place, overwrites=name in ("ren", "rename")) for place in places]
    if name == "mklink":  # what programs read or write there, they do elsewhere
        harms.append((_K.WRITES_SYSTEM_FILES, _S.MEDIUM))
    if name in ("xcopy", "robocopy", "mklink", "expand") and is_wide(target):
        harms.append((_K.WRITES_SYSTEM_FILES, _S.MEDIUM))
    if name == "robocopy" and not {"/l", "-l"}.isdisjoint(words):
        return []  # it lists what it would copy
    if name == "robocopy":
        harms += _judge_robocopy(options, values)
    elif name == "move":
        harms.append(judge_removal(" ".join(values[:-1]) or arguments))
    elif (
        (name in ("ren", "rename") and (_BULK.search(arguments) or is_wide(arguments)))
        or (
            name in ("copy", "xcopy")
            and not _NOTHING.isdisjoint(re.split(r"\+", "".join(values[:1])))
        )
        or (name == "replace" and "/s" in options)
    ):
        harms.append(judge_removal(arguments))
    return harms


def _list_places(name: str, values: list[str]) -> list[str]:
    """Return the files that come to be, where what is named is put into a folder, or renamed."""
    first, target = values[0], values[-1].rstrip("\\/")
    if name in ("ren", "rename"):
        return [first[: len(first) - len(name_file(first))] + target]
    if name == "robocopy":
        return [f"{values[1]}\\{each}" for each in values[2:]]
    return [f"{target}\\{name_file(first)}"] if name_file(first) else []


def name_file(path: str) -> str:
    """Return the last part of a path."""
    return re.split(r"[\\/]", path.strip().strip("\"'"))[-1]


def _judge_robocopy(options: set[str], values: list[str]) -> list[Harm]:
    harms = []
    if {"/mir", "/purge"} & options:  # removes at the destination what the source has not
        kind, severity = judge_removal(" ".join(values[1:2]))
        harms.append((kind, max(severity, _S.HIGH, key=lambda each: each.rank)))
    if {"/mov", "/move"} & options:
        harms.append(judge_removal(values[0] if values else ""))
    if len(values) == 1 or any(is_computed(value) for value in values[2:]):  # may be options
        harms.append(judge_removal(" ".join(values)))
    if {"/sec", "/copyall", "/secfix"} & options:
        harms.append((_K.CHANGES_PERMISSIONS, _S.LOW))
    return harms
