# SPDX-License-Identifier: Apache-2.0
"""Where a command or a redirection of Windows writes: what that does beyond a file. Pure."""
# ruff: noqa: E501 - tables

import re
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity

_AUTOSTART: Final = re.compile(
    r"start menu\\programs\\startup|\\startup\\|shell:(?:common )?startup|getfolderpath\(\W*(?:common)?startup|specialfolders\W+(?:allusers)?startup"
    r"|\$\{?profile\b|(?:microsoft\.)?(?:powershell|vscode)?_?profile\.ps1|\\tasks\\|grouppolicy\\(?:machine|user)\\scripts"
    r"|windowspowershell\\(?:v1\.0\\)?modules|powershell\\(?:7\\)?modules|setupcomplete\.cmd|\\wpbbin|autoexec\.|autorun\.inf",
    re.IGNORECASE,
)
_SYSTEM: Final = re.compile(
    r"(?:[a-z]:|%systemdrive%|\$\{?env:systemdrive\}?)?\\windows\\(?!temp\b)|(?:%|\$\{?env:)(?:windir|systemroot)[%}]?\\(?!temp\b)"
    r"|(?:\\program files(?: \(x86\))?|[%:]programfiles(?:\(x86\))?[%}]?|\\progra~\d|[%:]programw6432%?)\\|\\drivers\\etc\\|\\system32\\",
    re.IGNORECASE,
)
_CODE: Final = re.compile(
    r"\.(?:exe|dll|sys|com|scr|cpl|msi|ps1|psm1|psd1|ps1xml|bat|cmd|vbs|vbe|jse?|wsf|hta|sct|lnk|url|reg|inf|jar|py|xll|ocx|chm|job)(?=[\s\"');,|]|$)",
    re.IGNORECASE,
)
_REGISTRY: Final = re.compile(r"\b(?:hklm|hkcu|hkcr|hku|hkcc|hkey_\w+):|registry::", re.IGNORECASE)


def judge_path(text: str) -> tuple[EffectKind, EffectSeverity]:
    """Return what writing to the paths in a text does: a folder of the system, autostart, code."""
    if _REGISTRY.search(text):
        return EffectKind.CHANGES_REGISTRY, EffectSeverity.MEDIUM
    if _AUTOSTART.search(text):
        return EffectKind.PERSISTS, EffectSeverity.HIGH
    if _SYSTEM.search(text):
        return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.HIGH
    if _CODE.search(text):
        return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.MEDIUM
    return EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.LOW
