# SPDX-License-Identifier: Apache-2.0
"""Script parameters that are bound to a fact of the newest report. Pure.

The list of bindings is closed: a manifest can name one of them, never an expression. Whether the
value lies within the parameter's bounds is checked by whoever binds it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fact = str | int


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


def bind_value(facts: Mapping[str, Any], binding: str) -> Fact | None:
    """Return the value of a binding, or None when the report says nothing about it.

    Raises:
        KeyError: there is no such binding.
    """
    return BINDINGS[binding](facts)
