# SPDX-License-Identifier: Apache-2.0
"""Where a command or a redirection of Windows writes: what that does beyond a file. Pure."""
# ruff: noqa: E501 - tables

import re
from collections.abc import Callable
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.windows_targets import hides_name, is_back_door, is_somebodys, read_path

_AUTOSTART: Final = re.compile(
    r"start menu\\programs\\startup|\\startup\\|shell:(?:common )?startup|getfolderpath\(\W*(?:common)?startup|specialfolders\W+(?:allusers)?startup"
    r"|\$\{?profile\b|(?:microsoft\.)?(?:powershell|vscode)?_?profile\.ps1|\\tasks\\|grouppolicy\\(?:machine|user)\\scripts"
    r"|windowspowershell\\(?:v1\.0\\)?modules|powershell\\(?:7\\)?modules|setupcomplete\.cmd|\\wpbbin|autoexec\.|autorun\.inf",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"(?:[a-z]:|%systemdrive%|\$\{?env:systemdrive\}?)?\\windows(?:\\(?!temp\b)|(?=[\s\"']|$))|(?:%|\$\{?env:)(?:windir|systemroot)[%}]?(?:\\(?!temp\b)|(?=[\s\"']|$))"
    r"|(?:\\program files(?: \(x86\))?|[%:]programfiles(?:\(x86\))?[%}]?|\\progra~\d|[%:]programw6432%?)\\|\\drivers\\etc\\|\\system32\\|\\admin\$\\|[a-z]:\\(?:bootmgr|bootnxt|(?:boot|efi|recovery)(?=[\\\s\"']|$))|\\efi\\(?:boot|microsoft)\\",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    r"\.(?:exe|dll|sys|com|scr|cpl|msi|ps1|psm1|psd1|ps1xml|bat|cmd|vbs|vbe|jse?|wsf|hta|sct|lnk|url|reg|inf|jar|py|xll|ocx|chm|job)(?=[\s\"');,|]|$)",
    re.IGNORECASE,
)
_DEVICE: Final = re.compile(
    r"\\\\[.?]\\(?:physicaldrive|harddisk|globalroot|volume\{|scsi|cdrom|[a-z]:(?=[\s\"',)]|$))|\b[a-z]:\\?\$(?:mft(?:mirr)?|logfile|bitmap|boot|secure|volume|attrdef|badclus|upcase|extend)\b",
    re.IGNORECASE,
)
_OF_A_USER: Final = re.compile(
    r"(?:\\users\\[^\\]+|%userprofile%|\$\{?env:userprofile\}?|\$\{?home\}?|%public%|\$\{?env:public\}?)\\(?:documents|desktop|pictures|downloads|music|videos|onedrive[^\\]*)\\",
    re.IGNORECASE,
)
_REGISTRY: Final = re.compile(r"\b(?:hklm|hkcu|hkcr|hku|hkcc|hkey_\w+):|registry::", re.IGNORECASE)
# Folders that Windows itself sets, by the variables and names that give them.
FOLDERS: Final = {
    "windir": "C:\\Windows", "systemroot": "C:\\Windows", "systemdrive": "C:", "homedrive": "C:",
    "programfiles": "C:\\Program Files", "programw6432": "C:\\Program Files",
    "programfiles(x86)": "C:\\Program Files (x86)", "comspec": "C:\\Windows\\System32\\cmd.exe",
    "programdata": "C:\\ProgramData", "public": "C:\\Users\\Public", "userprofile": "C:\\Users\\x",
    "temp": "C:\\Users\\x\\AppData\\Local\\Temp", "tmp": "C:\\Users\\x\\AppData\\Local\\Temp",
    "appdata": "C:\\Users\\x\\AppData\\Roaming", "localappdata": "C:\\Users\\x\\AppData\\Local",
    "commonprogramfiles": "C:\\Program Files\\Common Files",
}  # fmt: skip
_SPECIAL: Final = {
    "systemdirectory": "C:\\Windows\\System32", "system": "C:\\Windows\\System32",
    "systemx86": "C:\\Windows\\SysWOW64", "windows": FOLDERS["windir"],
    "programfiles": FOLDERS["programfiles"], "programfilesx86": FOLDERS["programfiles(x86)"],
    "commonapplicationdata": FOLDERS["programdata"], "applicationdata": FOLDERS["appdata"],
    "startup": FOLDERS["appdata"] + "\\Microsoft\\Windows\\Start Menu\\Programs\\Startup",
    "commonstartup": FOLDERS["programdata"] + "\\Microsoft\\Windows\\Start Menu\\Programs\\Startup",
    "localapplicationdata": FOLDERS["localappdata"], "userprofile": FOLDERS["userprofile"],
}  # fmt: skip
_SPECIAL_FOLDER: Final = re.compile(
    r"\(?\s*\[(?:system\.)?environment\]::(?:(systemdirectory)|getfolderpath\(\s*[\"'](\w+)[\"']\s*\))\s*\)?",
    re.IGNORECASE,
)
_JOIN: Final = re.compile(
    r"\(?\s*join-path\s+(?:-path\s+)?(\S+|\([^()]*\)|\(\[[^()]*\([^()]*\)\))\s+(?:-childpath\s+)?(\"[^\"]*\"|'[^']*'|[\w.\\-]+)\s*\)?",
    re.IGNORECASE,
)


def judge_path(text: str, *, overwrites: bool = True) -> tuple[EffectKind, EffectSeverity]:
    """Return what writing to the paths in a text does: a folder of the system, autostart, code, what people made.

    Args:
        text: with one path or several.
        overwrites: something that is there may be lost; false for a folder that is made.

    """
    text = read_path(text)
    if _REGISTRY.search(text):
        return EffectKind.CHANGES_REGISTRY, EffectSeverity.MEDIUM
    if _DEVICE.search(text):
        return EffectKind.CHANGES_DISKS, EffectSeverity.CRITICAL
    if _AUTOSTART.search(text) or is_back_door(text, folders=overwrites):
        return EffectKind.PERSISTS, EffectSeverity.HIGH
    return EffectKind.WRITES_SYSTEM_FILES, _rate_file(text, overwrites=overwrites)


def _rate_file(text: str, *, overwrites: bool) -> EffectSeverity:
    is_code, in_system = _CODE.search(text) is not None, _SYSTEM.search(text) is not None
    if in_system and (is_code or "\\drivers\\" in text.lower()):
        return EffectSeverity.HIGH
    if in_system or is_code or _OF_A_USER.search(text) or hides_name(text):
        return EffectSeverity.MEDIUM
    return EffectSeverity.MEDIUM if overwrites and is_somebodys(text) else EffectSeverity.LOW


def judge_download(text: str) -> tuple[EffectKind, EffectSeverity] | None:
    """Return what a download does where it is stored, when that is more than a file."""
    kind, severity = judge_path(text)
    return (kind, severity) if severity is EffectSeverity.HIGH else None


def fold_path(expression: str, fold: Callable[[str], str | None]) -> str | None:
    """Return the path that Join-Path or a special folder gives, `fold` computing its parts."""
    text = expression.strip()[:1024]
    if special := _SPECIAL_FOLDER.fullmatch(text):
        return _SPECIAL.get((special[1] or special[2]).lower())
    joined = _JOIN.fullmatch(text)
    if joined is None:
        return None
    base = fold_path(joined[1], fold) or fold(joined[1])
    child = fold(joined[2]) if joined[2][:1] in "\"'" else joined[2]
    return f"{base.rstrip(chr(92))}\\{child.lstrip(chr(92))}" if base and child else None
