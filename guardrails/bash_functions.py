# SPDX-License-Identifier: Apache-2.0
"""The functions of a bash or zsh script, and where they are certain to be defined.

A call runs the function only when its definition has run: it stands on the top level, before the
call, or before the first top-level call of any function when the call is inside one. Elsewhere the
program of that name may run.
"""

import bisect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from guardrails.command_words import text_of

_DEFINES: Final = "function_definition"
_REMOVES: Final = re.compile(r"\b(?:unset|unfunction|disable|un.{0,4}set)\b")
_WORD: Final = re.compile(r"[^\s;&|()'\"]+")


class FunctionTable:
    """Names of functions by where they are defined."""

    def __init__(self, nodes: Mapping[str, Sequence[Any]], inherited: Iterable[str]) -> None:
        self._inherited = frozenset(inherited)
        self._straight: dict[str, int] = {}
        self._all: set[str] = set(self._inherited)
        for node in nodes.get("function", ()):
            name = text_of(node)
            self._all.add(name)
            definition = node.parent
            if definition is not None and _is_straight(definition):
                end = int(definition.end_byte)
                self._straight[name] = min(self._straight.get(name, end), end)
        self._first_call = self._find_first_call(nodes.get("command", ()))
        self._straight = {
            name: end for name, end in self._straight.items() if name not in _list_removed(nodes)
        }

    @property
    def names(self) -> frozenset[str]:
        """The functions that code inside the script may call."""
        return self._inherited | frozenset(self._straight)

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def is_certain(self, name: str, node: Any) -> bool:
        """Say whether a call at a node runs the function."""
        if name in self._inherited:
            return True
        end = self._straight.get(name)
        if end is None:
            return False
        start = int(node.start_byte)
        outer = _outermost_definition(node)
        return end <= start or (
            outer is not None and (self._first_call is None or end <= self._first_call)
        )

    def _find_first_call(self, commands: Sequence[Any]) -> int | None:
        starts = [
            int(node.start_byte)
            for node in commands
            if _name_of(node) in self._all and _outermost_definition(node) is None
        ]
        return min(starts, default=None)


class DefinitionSpans:
    """The definitions of functions by where they stand: found by bytes, for climbing is slow."""

    def __init__(self, nodes: Mapping[str, Sequence[Any]]) -> None:
        definitions = [node.parent for node in nodes.get("function", ()) if node.parent is not None]
        self._found = sorted(definitions, key=lambda each: (each.start_byte, -each.end_byte))
        self._starts = [int(each.start_byte) for each in self._found]
        self._outer: list[int] = []  # of each definition, the place of the one around it; or -1
        for place, each in enumerate(self._found):
            outer = place - 1
            while outer >= 0 and self._found[outer].end_byte < each.end_byte:
                outer = self._outer[outer]
            self._outer.append(outer)

    def find_around(self, node: Any) -> Any:
        """Return the innermost definition around a node, or None."""
        place = bisect.bisect_right(self._starts, int(node.start_byte)) - 1
        while place >= 0 and self._found[place].end_byte < node.end_byte:
            place = self._outer[place]
        return self._found[place] if place >= 0 else None


def _list_removed(nodes: Mapping[str, Sequence[Any]]) -> set[str]:
    """Return every word of the commands, and of code in strings, that may remove functions."""
    texts = [text_of(node) for node in nodes.get("unset", ())]
    for kind in ("command", "string", "heredoc"):
        texts += [text for node in nodes.get(kind, ()) if _REMOVES.search(text := text_of(node))]
    return {word for text in texts for word in _WORD.findall(text)}


def _name_of(node: Any) -> str:
    name = node.child_by_field_name("name")
    return text_of(name) if name is not None else ""


def _is_straight(definition: Any) -> bool:
    parent = definition.parent
    if parent is not None and parent.type == "redirected_statement":
        definition, parent = parent, parent.parent
    if parent is None or parent.type != "program":
        return False
    after = definition.next_sibling
    return after is None or after.type != "&"


def _outermost_definition(node: Any) -> Any:
    found = None
    while node is not None:
        if node.type == _DEFINES:
            found = node
        node = node.parent
    return found
