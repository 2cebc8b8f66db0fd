# SPDX-License-Identifier: Apache-2.0
"""Effects of the commands in a parsed PowerShell script, one pass over the syntax tree."""
# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Any, Final

from guardrails.command_words import (
    CREDENTIAL_FILE,
    SECURITY_UNIT,
    STOPS,
    Found,
    make_effect,
    only_looks,
    text_of,
    turns_on,
    unquote,
    walk,
)
from guardrails.effects import POWERSHELL_COMMANDS, Effect, EffectKind, EffectSeverity

_AUTORUN_KEY: Final = re.compile(r"\\CurrentVersion\\(?:Run|RunOnce|Winlogon)\b", re.IGNORECASE)
_DOTNET_DANGERS: Final = (
    (re.compile(r"DownloadString|DownloadFile|DownloadData|Net\.WebClient|HttpClient", re.IGNORECASE), EffectKind.DOWNLOADS, EffectSeverity.MEDIUM),
    (re.compile(r"FromBase64String|ScriptBlock\]::Create|Assembly\]::Load|InvokeScript|VirtualAlloc|DynamicInvoke|DllImport", re.IGNORECASE), EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.HIGH),
    (re.compile(r"AmsiUtils|amsiInitFailed", re.IGNORECASE), EffectKind.DISABLES_SECURITY, EffectSeverity.CRITICAL),
    (re.compile(r"\]::(?:Delete|Move)\(", re.IGNORECASE), EffectKind.DELETES_FILES, EffectSeverity.MEDIUM),
    (re.compile(r"\]::WriteAll\w+\(", re.IGNORECASE), EffectKind.WRITES_SYSTEM_FILES, EffectSeverity.LOW),
)  # fmt: skip


def list_powershell_effects(root: Any) -> Found:
    """Return (effects, whether code runs that is not in the text) of a PowerShell tree."""
    effects: list[Effect] = []
    dynamic = False
    for node in walk(root):
        if node.type == "command":
            found, unread = _judge_cmdlet(node)
            effects += found
            dynamic |= unread
        elif node.type in ("invokation_expression", "member_access"):
            found = _judge_dotnet(node)
            effects += found
            dynamic |= any(item.kind is EffectKind.RUNS_DYNAMIC_CODE for item in found)
    return effects, dynamic


def _judge_cmdlet(node: Any) -> Found:
    name_node = node.child_by_field_name("command_name") or next(
        (child for child in node.children if child.type.startswith("command_name")), None
    )
    text = text_of(node)
    if name_node is None:
        return [], False
    name = unquote(text_of(name_node)).lower().rsplit("\\", 1)[-1]
    if "$" in name or "(" in name:
        return [make_effect(EffectKind.RUNS_DYNAMIC_CODE, node, EffectSeverity.HIGH)], True
    effects, dynamic = _judge_cmdlet_text(node, name, text), False
    arguments = text.split()[1:]
    entry = POWERSHELL_COMMANDS.get(name.replace("`", ""))
    if entry and not only_looks(name, arguments):
        kind, severity = entry
        if kind is EffectKind.DISABLES_SECURITY and turns_on(arguments):
            kind, severity = EffectKind.CHANGES_NETWORK, EffectSeverity.MEDIUM
        if kind is EffectKind.RUNS_DYNAMIC_CODE:
            dynamic = True
            if re.search(r"\s[-/]e(?:nc?|ncodedcommand)?\s", text, re.IGNORECASE):
                severity = EffectSeverity.CRITICAL
        if kind is EffectKind.DELETES_FILES and re.search(r"-r(?:ecurse)?\b", text, re.IGNORECASE):
            wide = re.search(
                r"[\s\"'](?:[A-Za-z]:\\?\*?|(?:C:|\$env:SystemDrive)\\(?:Windows|Users|Program Files)?\\?\*?"
                r"|\$env:(?:SystemRoot|windir|USERPROFILE|ProgramFiles)\\?\*?|HK\w+:\\\S{0,20})[\"']?(?:\s|$)",
                text,
                re.IGNORECASE,
            )
            severity = EffectSeverity.CRITICAL if wide else EffectSeverity.MEDIUM
        effects.append(make_effect(kind, node, severity))
    return effects, dynamic


def _judge_cmdlet_text(node: Any, name: str, text: str) -> list[Effect]:
    effects = []
    if CREDENTIAL_FILE.search(text):
        effects.append(make_effect(EffectKind.READS_CREDENTIALS, node, EffectSeverity.HIGH))
    writes = name in ("set-itemproperty", "new-itemproperty", "reg", "reg.exe", "new-item")
    if _AUTORUN_KEY.search(text) and writes:
        effects.append(make_effect(EffectKind.PERSISTS, node, EffectSeverity.HIGH))
    if SECURITY_UNIT.search(text) and STOPS.search(text):
        effects.append(make_effect(EffectKind.DISABLES_SECURITY, node, EffectSeverity.HIGH))
    if name in ("netsh", "netsh.exe") and re.search(r"advfirewall.*\boff\b", text, re.IGNORECASE):
        effects.append(make_effect(EffectKind.DISABLES_SECURITY, node, EffectSeverity.HIGH))
    if name in ("net", "net.exe") and re.search(
        r"\b(?:user|localgroup)\b.*\s/(?:add|delete)", text, re.IGNORECASE
    ):
        effects.append(make_effect(EffectKind.CHANGES_ACCOUNTS, node, EffectSeverity.HIGH))
    effects += _judge_dotnet(node)
    return effects


def _judge_dotnet(node: Any) -> list[Effect]:
    text = text_of(node)
    return [
        make_effect(kind, node, level) for sign, kind, level in _DOTNET_DANGERS if sign.search(text)
    ]
