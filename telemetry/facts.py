# SPDX-License-Identifier: Apache-2.0
"""Script parameters that are bound to a fact of the newest report. Pure.

The list of bindings is closed: a manifest can name one of them, never an expression. Whether the
value lies within the parameter's bounds is checked by whoever binds it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from contracts.failure import FailureClass as F

Fact = str | int
# Where the thing at fault is found: the family of facts, and the field that names it.
_ENTITIES: Mapping[F, tuple[str, str]] = {
    F.DISK_FULL: ("disks", "mount"),
    F.RUNAWAY_PROCESS: ("processes", "name"),
    F.MEMORY_LEAK: ("processes", "name"),
    F.SERVICE_DOWN: ("services_down", ""),
    **dict.fromkeys(
        (F.APP_CRASH, F.BROWSER, F.MAIL_CLIENT, F.CHAT_CLIENT, F.SYNC_CLIENT),
        ("applications", "name"),
    ),
}


def _greatest(facts: Mapping[str, Any], family: str, measure: str, field: str) -> Fact | None:
    """Return a field of the entry with the greatest measure; the first one among equals."""
    entries = _entries(facts, family)
    known = [each for each in entries if isinstance(each.get(measure), int | float)]
    if not known:
        return None
    value = max(known, key=lambda each: float(each[measure])).get(field)
    return value if isinstance(value, str | int) else None


def _entries(facts: Mapping[str, Any], family: str) -> Sequence[Mapping[str, Any]]:
    found = facts.get(family)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _down_service(facts: Mapping[str, Any]) -> Fact | None:
    names = facts.get("services_down")
    return str(names[0]) if isinstance(names, list) and names else None


def _crashing_application(facts: Mapping[str, Any]) -> Fact | None:
    crashing = [
        each
        for each in _entries(facts, "applications")
        if isinstance(each.get("crashes"), int) and each["crashes"] > 0
    ]
    return _greatest({"applications": crashing}, "applications", "crashes", "name")


BINDINGS: Mapping[str, Callable[[Mapping[str, Any]], Fact | None]] = {
    "fullest_disk_mount": lambda facts: _greatest(facts, "disks", "used_percent", "mount"),
    "top_cpu_process_name": lambda facts: _greatest(facts, "processes", "cpu_percent", "name"),
    "top_cpu_process_pid": lambda facts: _greatest(facts, "processes", "cpu_percent", "pid"),
    "top_memory_process_name": lambda facts: _greatest(
        facts, "processes", "memory_percent", "name"
    ),
    "top_memory_process_pid": lambda facts: _greatest(facts, "processes", "memory_percent", "pid"),
    "down_service_name": _down_service,
    "crashing_application_name": _crashing_application,
}


def narrow_facts(facts: Mapping[str, Any], failure_class: F, entity: str) -> Mapping[str, Any]:
    """Return the facts with nothing beside the incident's entity in the family it belongs to.

    The busiest process of the newest report need not be the one that an incident is about: a fix
    is bound to the incident's, or to none when the report no longer says anything of it.

    Args:
        facts: of a report.
        failure_class: the incident's.
        entity: what is at fault; empty: nobody said, and the facts are returned whole.

    """
    if not entity or failure_class not in _ENTITIES:
        return facts
    family, field = _ENTITIES[failure_class]
    found = facts.get(family)
    named = [
        each
        for each in (found if isinstance(found, list) else [])
        if (each.get(field) if isinstance(each, Mapping) else each) == entity
    ]
    return {**facts, family: named}


def names_alike(first: F, second: F) -> bool:
    """Tell whether what is at fault in one class names what is at fault in the other."""
    return first in _ENTITIES and _ENTITIES.get(first) == _ENTITIES.get(second)


def bind_value(facts: Mapping[str, Any], binding: str) -> Fact | None:
    """Return the value of a binding, or None when the report says nothing about it.

    Raises:
        KeyError: there is no such binding.
    """
    return BINDINGS[binding](facts)
