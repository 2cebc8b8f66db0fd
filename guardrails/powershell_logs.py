# SPDX-License-Identifier: Apache-2.0
"""Objects of PowerShell that stand for Windows' event logs: to clear one erases traces."""

import re
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity, Harm
from guardrails.powershell_scope import PowershellScope

_LOG: Final = re.compile(r"event[^\w\n]{0,8}log|eventing\.reader|get-winevent")
_CLEARS: Final = frozenset(("clear", "cleareventlog", "clearlog"))
_HEAD: Final = re.compile(r"[\s(]*\$\{?(?:\w+:)?(\w+)\}?")
_MAX_SET: Final = 200
# What an assignment begins with whose value is a collection or object of its own.
_MAKES: Final = re.compile(r"\s*(?:\[[\w.\[\], ]+\]\s*(?:::|@|\$null)|@[({]|new-object\b|['\"])")

ERASURE: Final[Harm] = (EffectKind.ERASES_TRACES, EffectSeverity.CRITICAL)


def clears_by_name(member: str, scope: PowershellScope) -> bool:
    """Say whether a method that is only named (`ForEach-Object Clear`) may clear logs."""
    return member in _CLEARS and scope.mentions(_LOG)


def clears_log(member: str, receiver: str, scope: PowershellScope) -> bool:
    """Say whether a method clears an event log, by what its object is made from.

    Args:
        member: the method, in lower case.
        receiver: the object as written.
        scope: of the script; a variable that it never sets may hold any log that it names.

    """
    if member not in _CLEARS:
        return False
    plain = receiver.lower()
    if _LOG.search(plain):
        return True
    if not scope.mentions(_LOG):
        return False
    head = _HEAD.match(plain)
    if head is None:
        return not plain.startswith("[")  # what a call or a pipeline gives
    pattern = rf"\${{?(?:\w+:)?{re.escape(head[1])}\}}?\s*=(?!=)([^;\n]{{0,400}})"
    values = re.findall(pattern, scope.text)[:_MAX_SET]
    return not values or any(_LOG.search(each) or not _MAKES.match(each) for each in values)
